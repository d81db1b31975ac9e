using System.Diagnostics;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>A zygote that runs as a service of its own, as nobody where the tests are root.</summary>
internal sealed class ZygoteService : IAsyncDisposable
{
    private static readonly string Guest = System.IO.Path.Combine(AppContext.BaseDirectory, "Sandbox", "guest");

    private readonly Process _process;
    private readonly string _folder;

    private readonly string[] _command;

    private ZygoteService(Process process, string folder, string[] command) => (_process, _folder, _command) = (process, folder, command);

    public SandboxOptions Options
    {
        get
        {
            var options = CellFixture.Limits();
            options.Socket = Path;
            return options;
        }
    }

    public int Pid => _process.Id;

    public string Path => System.IO.Path.Combine(_folder, "zygote");

    public static Task<ZygoteService> StartAsync() => StartAsync(null);

    /// <param name="broken">What is changed in its copy of the guest; null for nothing.</param>
    /// <param name="arguments">Further arguments.</param>
    public static async Task<ZygoteService> StartAsync(BrokenGuest? broken, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("eddy-test-").FullName;
        var guest = System.IO.Path.Combine(folder, "guest");
        Directory.CreateDirectory(guest);
        foreach (var file in Directory.GetFiles(Guest))
        {
            // Nobody can not read below root's home.
            File.Copy(file, System.IO.Path.Combine(guest, System.IO.Path.GetFileName(file)));
        }

        if (broken is not null)
        {
            var file = System.IO.Path.Combine(guest, broken.File);
            var text = await File.ReadAllTextAsync(file);
            text.Split(broken.Line).Length.ShouldBe(2, $"{broken.File} has no line '{broken.Line}'");
            await File.WriteAllTextAsync(file, text.Replace(broken.Line, broken.Instead, StringComparison.Ordinal));
        }

        string[] command =
            ["/usr/bin/python3", "-sSE", "-B", System.IO.Path.Combine(guest, "zygote.py"), "--listen", System.IO.Path.Combine(folder, "zygote"), .. arguments];
        if (Environment.UserName == "root" && broken is not { AsRoot: true })
        {
            using var chown = Process.Start("chown", ["-R", "65534:65534", folder]);
            await chown.WaitForExitAsync();
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", .. command];
        }

        return await StartAsync(folder, command);
    }

    /// <summary>Starts one in the place of one that has ended.</summary>
    public static Task<ZygoteService> StartAgainAsync(ZygoteService before) =>
        StartAsync(before._folder, before._command);

    /// <summary>Waits for its end; gives its exit code.</summary>
    public async Task<int> EndedAsync()
    {
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return _process.ExitCode;
    }

    private static async Task<ZygoteService> StartAsync(string folder, string[] command)
    {
        var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = "/" })!;
        while (!File.Exists(System.IO.Path.Combine(folder, "zygote")) && !process.HasExited)
        {
            await Task.Yield();
        }

        return new ZygoteService(process, folder, command);
    }

    public static async Task<(int Code, string Output)> PythonAsync(string text)
    {
        var start = new ProcessStartInfo("/usr/bin/python3", ["-sSE", "-B", "-c", text])
        {
            RedirectStandardOutput = true, WorkingDirectory = Guest,
        };
        using var python = Process.Start(start)!;
        var output = await python.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await python.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (python.ExitCode, output);
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        if (Directory.Exists(_folder))
        {
            Directory.Delete(_folder, recursive: true);
        }
    }
}

/// <summary>A guest in whose file one line stands otherwise.</summary>
internal sealed record BrokenGuest(string File, string Line, string Instead)
{
    /// <summary>Its zygote is root where the tests are.</summary>
    public bool AsRoot { get; init; }
}
