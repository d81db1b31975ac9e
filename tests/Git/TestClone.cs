using System.Diagnostics;

namespace Eddy.Tests.Git;

/// <summary>Somebody's working copy, by the git that is installed: without the settings of whoever runs the tests.</summary>
internal sealed class TestClone : IDisposable
{
    private readonly DirectoryInfo _above;
    private readonly string _address;

    private TestClone(DirectoryInfo above, string address) => (_above, _address) = (above, address);

    public string Folder => Path.Combine(_above.FullName, "work");

    public static string Address(TestWeb web, string slug, string key) => $"{web.Address.Scheme}://anybody:{key}@{web.Address.Authority}/git/{slug}.git";

    public static async Task<TestClone> MakeAsync(TestWeb web, TestTenant tenant, string? key = null)
    {
        var clone = new TestClone(Directory.CreateTempSubdirectory("eddy-clone-"), Address(web, tenant.Slug, key ?? tenant.Key));
        await DoAsync(clone._above.FullName, 0, ["clone", "-q", clone._address, "work"]);
        return clone;
    }

    /// <summary>Has git do it; the answer is what it said, on either stream.</summary>
    public Task<string> GitAsync(params string[] arguments) => DoAsync(Folder, 0, arguments);

    /// <summary>The same, where it fails.</summary>
    public Task<string> FailAsync(params string[] arguments) => DoAsync(Folder, null, arguments);

    /// <summary>Whether git does it.</summary>
    public async Task<bool> TryAsync(params string[] arguments) => (await RunAsync(Folder, arguments, null)).Code == 0;

    public void Write(string path, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Folder, path))!);
        File.WriteAllText(Path.Combine(Folder, path), text);
    }

    public string Read(string path) => File.ReadAllText(Path.Combine(Folder, path));

    public async Task<string> CommitAsync(string message)
    {
        await GitAsync("add", "-A");
        await GitAsync("commit", "-q", "--allow-empty", "-m", message);
        return await HeadAsync();
    }

    public async Task<string> HeadAsync() => (await GitAsync("rev-parse", "HEAD")).Trim();

    public void Dispose() => _above.Delete(recursive: true);

    /// <summary>Has git do it somewhere.</summary>
    /// <param name="code">How it must end; null: not well.</param>
    public static async Task<string> DoAsync(string folder, int? code, string[] arguments, string? input = null)
    {
        var (ended, text) = await RunAsync(folder, arguments, input);
        if (code is { } wanted)
        {
            ended.ShouldBe(wanted, $"git {string.Join(' ', arguments.Take(3))}: {text}");
        }
        else
        {
            ended.ShouldNotBe(0, text);
        }

        return text;
    }

    private static async Task<(int Code, string Text)> RunAsync(string folder, string[] arguments, string? input)
    {
        var start = new ProcessStartInfo("git", arguments) { WorkingDirectory = folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in ((string, string)[])
        [
            ("GIT_CONFIG_NOSYSTEM", "1"), ("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_TERMINAL_PROMPT", "0"), ("HOME", folder), ("LC_ALL", "C.UTF-8"), ("GIT_EDITOR", "true"),
            ("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@acme.test"), ("GIT_COMMITTER_NAME", "Ann"), ("GIT_COMMITTER_EMAIL", "ann@acme.test"),
        ])
        {
            start.Environment[name] = value;
        }

        using var git = Process.Start(start)!;
        if (input is not null)
        {
            await git.StandardInput.WriteAsync(input);
        }

        git.StandardInput.Close();
        var said = await Task.WhenAll(git.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken), git.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await git.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (git.ExitCode, string.Concat(said));
    }
}
