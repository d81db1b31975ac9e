extern alias client;

using client::Eddy.Client;

namespace Eddy.Tests.Client;

/// <summary>Somebody at a machine of their own: a folder, a configuration, an environment, and the client.</summary>
internal sealed class TestClient : IDisposable
{
    private readonly string _home = Directory.CreateTempSubdirectory("eddy-client-").FullName;

    private TestClient() => Directory.CreateDirectory(Folder);

    public string Folder => Path.Combine(_home, "work");

    public string KeyFile => Path.Combine(_home, "config", "eddy", "keys.json");

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>All that it has ever printed.</summary>
    public string Printed { get; private set; } = "";

    /// <summary>Nobody has logged in.</summary>
    public static TestClient Make() => new();

    /// <summary>Somebody with the tenant's key.</summary>
    public static async Task<TestClient> MakeAsync(Uri address, string key)
    {
        var one = new TestClient();
        (await one.RunAsync(key, ["login", address.ToString()])).Code.ShouldBe(0, one.Printed);
        return one;
    }

    public Task<Ended> RunAsync(params string[] args) => RunAsync("", args);

    /// <param name="input">What is typed.</param>
    public Task<Ended> RunAsync(string input, string[] args) => RunAsync(input, args, new StringWriter(), TestContext.Current.CancellationToken);

    /// <param name="told">What it prints, while it does.</param>
    public async Task<Ended> RunAsync(string input, string[] args, StringWriter told, CancellationToken cancel)
    {
        using var error = new StringWriter();
        var terminal = new Terminal(new StringReader(input), told, error, Folder, name => name == "XDG_CONFIG_HOME" ? Path.Combine(_home, "config") : Environment.GetValueOrDefault(name), AsksPeople: false, HasColours: false);
        var code = await ClientProgram.RunAsync(args, terminal, cancel);
        Printed += told.ToString() + error;
        return new Ended(code, told.ToString(), error.ToString());
    }

    /// <summary>The same, where it must go well.</summary>
    public async Task<string> DoAsync(params string[] args)
    {
        var ended = await RunAsync("", args);
        ended.Code.ShouldBe(0, ended.Out + ended.Error);
        return ended.Out;
    }

    public string Read(string path) => File.ReadAllText(Path.Combine(Folder, path));

    public void Write(string path, string text)
    {
        var full = Path.Combine(Folder, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        // At once, as editors do.
        var draft = Path.Combine(_home, "draft");
        File.WriteAllText(draft, text);
        File.Move(draft, full, overwrite: true);
    }

    public bool Has(string path) => File.Exists(Path.Combine(Folder, path));

    public void Delete(string path) => File.Delete(Path.Combine(Folder, path));

    public void Dispose() => Directory.Delete(_home, recursive: true);

    /// <summary>What is printed can be read meanwhile.</summary>
    internal sealed class Told : StringWriter
    {
        private readonly Lock _lock = new();

        public override void WriteLine(string? value)
        {
            lock (_lock)
            {
                base.WriteLine(value);
            }
        }

        public override string ToString()
        {
            lock (_lock)
            {
                return base.ToString();
            }
        }
    }

    internal sealed record Ended(int Code, string Out, string Error);
}
