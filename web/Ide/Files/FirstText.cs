using Eddy.Cards;
using Eddy.Files;

namespace Eddy.Ide.Files;

/// <summary>What a new file begins with, so that it does something at once.</summary>
internal static class FirstText
{
    private const string Page = """
        <!DOCTYPE html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="eddy-access" content="members">
          <title>NAME</title>
          <link rel="stylesheet" href="/_eddy/site.css">
        </head>
        <body>
          <main>
            <h1>NAME</h1>
            <p>{{ shared.company }}</p>
          </main>
        </body>
        </html>

        """;

    private const string Card = """
        <h1>NAME</h1>
        <eddy-text name="answer" label="Your answer" required></eddy-text>

        """;

    private const string Script = """"
        def hello(request):
            """Greets whoever asks."""
            return {"hello": request.GET.name or "world"}

        """";

    /// <summary>Nothing for most files.</summary>
    public static string Of(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..].Split('.')[0].Replace('_', ' ').Replace('-', ' ');
        name = name.Length == 0 ? name : char.ToUpperInvariant(name[0]) + name[1..];
        var encoded = System.Net.WebUtility.HtmlEncode(name);
        return path.StartsWith("pages/", StringComparison.Ordinal) && path.EndsWith(".html", StringComparison.Ordinal) ? Page.Replace("NAME", encoded, StringComparison.Ordinal)
            : CardFile.NameOf(path) is not null ? Card.Replace("NAME", encoded, StringComparison.Ordinal)
            : FilePath.IsTest(path) ? Hindsight.TestsPane.Example
            : path.StartsWith("api/", StringComparison.Ordinal) && FilePath.IsModule(path) ? Script
            : "";
    }
}
