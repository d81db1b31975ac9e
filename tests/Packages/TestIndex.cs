using System.Collections.Concurrent;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Eddy.Packages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Eddy.Tests.Packages;

/// <summary>A package index on loopback, with wheels that the test makes.</summary>
internal sealed class TestIndex : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentDictionary<string, (string Project, byte[] Content, string? RequiresPython, bool Yanked, string? Url, string? Sha256)> _files = new();

    private TestIndex(WebApplication app) => _app = app;

    /// <summary>Speaks HTML alone, as plain indexes do.</summary>
    public bool IsPlain { get; set; }

    /// <summary>Metadata lies beside the files.</summary>
    public bool HasMetadata { get; set; } = true;

    /// <summary>Everything that was asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public Uri Address => new(_app.Urls.Single());

    public PackageOptions Options() => new() { Index = Address + "simple/", FileHosts = Address.Authority };

    public static async Task<TestIndex> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        var index = new TestIndex(app);
        app.Run(index.AnswerAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return index;
    }

    /// <summary>Puts a wheel into the index. The metadata's further lines, then its files.</summary>
    public string Add(string project, string version, string metadata, params (string Path, string Text)[] files) => Add(project, version, "py3-none-any", metadata, files);

    public string Add(string project, string version, string tags, string metadata, (string Path, string Text)[] files)
    {
        var name = $"{project.Replace('-', '_')}-{version}-{tags}.whl";
        return Add(project, name, Wheel(project, version, metadata, [.. files.Select(file => (file.Path, Encoding.UTF8.GetBytes(file.Text)))]));
    }

    public string Add(string project, string name, byte[] content, string? requiresPython = null, bool yanked = false, string? url = null, string? sha256 = null)
    {
        _files[name] = (project, content, requiresPython, yanked, url, sha256);
        return name;
    }

    public static byte[] Wheel(string project, string version, string metadata, params (string Path, byte[] Content)[] files) =>
        Zip(WithRecord(project, version, metadata, files));

    /// <summary>The entries of a good wheel, to be spoiled.</summary>
    public static List<(string Path, byte[] Content)> WithRecord(string project, string version, string metadata, params (string Path, byte[] Content)[] files)
    {
        var info = $"{project.Replace('-', '_')}-{version}.dist-info";
        List<(string Path, byte[] Content)> all =
        [
            .. files,
            (info + "/METADATA", Encoding.UTF8.GetBytes($"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n{metadata}\n")),
            (info + "/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"u8.ToArray()),
        ];
        var record = string.Concat(all.Select(file => $"{file.Path},sha256={Convert.ToBase64String(SHA256.HashData(file.Content)).TrimEnd('=').Replace('+', '-').Replace('/', '_')},{file.Content.Length}\n"));
        all.Add((info + "/RECORD", Encoding.UTF8.GetBytes(record + info + "/RECORD,,\n")));
        return all;
    }

    public static byte[] Zip(IEnumerable<(string Path, byte[] Content)> entries, int attributes = 0)
    {
        using var file = new MemoryStream();
        using (var zip = new ZipArchive(file, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, content) in entries)
            {
                var entry = zip.CreateEntry(path);
                entry.ExternalAttributes = attributes;
                using var stream = entry.Open();
                stream.Write(content);
            }
        }

        return file.ToArray();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync(CancellationToken.None);
        await _app.DisposeAsync();
    }

    private Task AnswerAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        Asked.Enqueue(path);
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts switch
        {
            ["simple", "moved"] => Redirect(context),
            ["simple", var project] when _files.Values.Any(file => file.Project == project) => IsPlain ? HtmlAsync(context, project) : JsonAsync(context, project),
            ["files", var name] when _files.TryGetValue(name, out var file) => context.Response.Body.WriteAsync(file.Content).AsTask(),
            ["files", var name] when HasMetadata && name.EndsWith(".metadata", StringComparison.Ordinal) && _files.TryGetValue(name[..^9], out var file) =>
                context.Response.Body.WriteAsync(Metadata(file.Content)).AsTask(),
            _ => Status(context, 404),
        };
    }

    private Task JsonAsync(HttpContext context, string project)
    {
        var text = JsonSerializer.Serialize(new
        {
            name = project,
            files = _files.Where(file => file.Value.Project == project).Select(file => new Dictionary<string, object?>
            {
                ["filename"] = file.Key,
                ["url"] = file.Value.Url ?? "../../files/" + file.Key,
                ["hashes"] = file.Value.Sha256 == "" ? new { } : new { sha256 = file.Value.Sha256 ?? Sha256(file.Value.Content) },
                ["requires-python"] = file.Value.RequiresPython,
                ["yanked"] = file.Value.Yanked,
                ["core-metadata"] = HasMetadata ? new { sha256 = Sha256(Metadata(file.Value.Content)) } : false,
            }),
        });
        context.Response.ContentType = "application/vnd.pypi.simple.v1+json";
        return context.Response.WriteAsync(text);
    }

    private Task HtmlAsync(HttpContext context, string project)
    {
        context.Response.ContentType = "text/html";
        return context.Response.WriteAsync("<!DOCTYPE html><html><body>" + string.Concat(_files.Where(file => file.Value.Project == project).Select(file =>
            $"<a href=\"../../files/{file.Key}#sha256={Sha256(file.Value.Content)}\" data-requires-python=\"{System.Net.WebUtility.HtmlEncode(file.Value.RequiresPython ?? ">=3")}\">{file.Key}</a><br>\n")));
    }

    private static Task Redirect(HttpContext context)
    {
        context.Response.Redirect("http://169.254.169.254/latest/");
        return Task.CompletedTask;
    }

    private static Task Status(HttpContext context, int status)
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    }

    private static byte[] Metadata(byte[] wheel)
    {
        using var zip = new ZipArchive(new MemoryStream(wheel));
        if (zip.Entries.FirstOrDefault(entry => entry.FullName.EndsWith(".dist-info/METADATA", StringComparison.Ordinal)) is not { } entry)
        {
            return [];
        }

        using var stream = entry.Open();
        using var content = new MemoryStream();
        stream.CopyTo(content);
        return content.ToArray();
    }

    private static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));
}
