using System.Diagnostics;

namespace Eddy.Bench;

/// <summary>A program that the bench starts, such as wrk: runs beside it until it ends or the bench is stopped.</summary>
internal sealed class Tool : IDisposable
{
    private readonly Process _process;
    private readonly Task<string> _output;
    private readonly Task<string> _errors;
    private readonly CancellationToken _cancel;
    private readonly CancellationTokenRegistration _end;

    private Tool(Process process, CancellationToken cancel)
    {
        _process = process;
        _output = process.StandardOutput.ReadToEndAsync(CancellationToken.None);
        _errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
        _cancel = cancel;
        _end = cancel.Register(process.Kill);
    }

    public int Pid => _process.Id;

    public static Tool Start(string program, IEnumerable<string> arguments, CancellationToken cancel, params (string Name, string Value)[] environment)
    {
        cancel.ThrowIfCancellationRequested();
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return new Tool(Process.Start(start)!, cancel);
    }

    /// <summary>What it printed; a <see cref="BenchFault"/> where it ended with anything but 0.</summary>
    public static string Run(string program, IEnumerable<string> arguments, CancellationToken cancel, params (string Name, string Value)[] environment)
    {
        using var tool = Start(program, arguments, cancel, environment);
        return tool.Await();
    }

    public string Await()
    {
        _process.WaitForExit();
        _cancel.ThrowIfCancellationRequested();
        return _process.ExitCode == 0
            ? _output.Result
            : throw new BenchFault($"{_process.StartInfo.FileName} ended with {_process.ExitCode}: {_errors.Result.Trim()}");
    }

    public void Dispose()
    {
        _end.Dispose();
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        _process.Dispose();
    }
}
