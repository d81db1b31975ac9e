using System.Diagnostics;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>A zygote that runs as a service of its own, as nobody where the tests are root.</summary>
internal sealed class ZygoteService : IAsyncDisposable
{
    private static readonly string Guest = Path.Combine(AppContext.BaseDirectory, "Sandbox", "guest");

    private readonly Process _process;
    private readonly string _folder;

    private ZygoteService(Process process, string folder) => (_process, _folder) = (process, folder);

    public SandboxOptions Options
    {
        get
        {
            var options = CellFixture.Limits();
            options.Socket = Path.Combine(_folder, "zygote");
            return options;
        }
    }

    public static async Task<ZygoteService> StartAsync()
    {
        var folder = Directory.CreateTempSubdirectory("eddy-test-").FullName;
        var guest = Path.Combine(folder, "guest");
        Directory.CreateDirectory(guest);
        foreach (var file in Directory.GetFiles(Guest))
        {
            // Nobody can not read below root's home.
            File.Copy(file, Path.Combine(guest, Path.GetFileName(file)));
        }

        string[] command = ["/usr/bin/python3", "-sSE", "-B", Path.Combine(guest, "zygote.py"), "--listen", Path.Combine(folder, "zygote")];
        if (Environment.UserName == "root")
        {
            using var chown = Process.Start("chown", ["-R", "65534:65534", folder]);
            await chown.WaitForExitAsync();
            command = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all", .. command];
        }

        var process = Process.Start(new ProcessStartInfo(command[0], command[1..]) { WorkingDirectory = "/" })!;
        while (!File.Exists(Path.Combine(folder, "zygote")) && !process.HasExited)
        {
            await Task.Yield();
        }

        return new ZygoteService(process, folder);
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
        Directory.Delete(_folder, recursive: true);
    }
}
