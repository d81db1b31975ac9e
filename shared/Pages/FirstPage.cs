using System.Text;
using Eddy.Files;
using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Pages;

/// <summary>The page with which every tenant begins: for everybody, the temperatures that <see cref="FirstRule"/> looks at.</summary>
public static class FirstPage
{
    public const string Path = PagePath.Folder + "index.html";

    internal const string Text = """
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="eddy-access" content="public">
          <title>Temperature</title>
          <link rel="stylesheet" href="/_eddy/site.css">
        </head>
        <body>
          {% processes readings temperature__isnull: false order: "-PROCESS_ID" limit: 60 %}
          {% assign latest = readings.first %}
          <main>
            <h1>Temperature</h1>
            {% if latest %}
              <p class="figure"><output>{{ latest.temperature }}°</output>{% if latest.room %} in room {{ latest.room }}{% endif %}</p>
              {% if latest.alert %}<p class="alert" role="status">{{ latest.alert }}</p>{% endif %}
            {% else %}
              <p>No temperature has come in yet. Send one, and it shows here at once.</p>
            {% endif %}
            {% chart readings key: "temperature" title: "The last temperatures" unit: "°" %}
            <p><small>This is pages/index.html. Whoever has the address sees it, as long as its head says
              <code>eddy-access</code> <code>public</code>. It shows what comes in, without a reload.</small></p>
          </main>
        </body>
        </html>

        """;

    /// <summary>Adds it to what is saved of a new tenant, with <see cref="FirstRule"/>.</summary>
    public static void AddTo(EddyDb rows, TenantId tenant, string author, DateTimeOffset now)
    {
        var content = Encoding.UTF8.GetBytes(Text);
        rows.Files.Add(new TenantFile { TenantId = tenant.Value, Path = Path, Content = content, Version = FirstRule.TreeVersion, InForce = FirstRule.TreeVersion, Author = author, SavedAt = now });
        rows.FileVersions.Add(new FileVersion { TenantId = tenant.Value, Path = Path, Version = FirstRule.TreeVersion, Content = content, Author = author, SavedAt = now });
    }
}
