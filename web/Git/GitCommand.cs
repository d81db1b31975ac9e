using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Eddy.Git;

/// <summary>
/// A git process: with an environment that says nothing of the host, without the host's settings, hooks or keys, within limits of memory, CPU and time. What a tenant wrote comes to it by its standard
/// input alone, never as an argument.
/// </summary>
internal sealed class GitCommand : IAsyncDisposable
{
    private const int MostSaid = 4096;

    private readonly Process _process;
    private readonly CancellationTokenSource _time;
    private readonly Task<string> _said;

    private GitCommand(Process process, TimeSpan time, TimeProvider clock)
    {
        _process = process;
        _said = ListenAsync();
        _time = new CancellationTokenSource(time, clock);
        _time.Token.Register(Kill);
    }

    public Stream Input => _process.StandardInput.BaseStream;

    public Stream Output => _process.StandardOutput.BaseStream;

    /// <param name="repository">The repository's folder.</param>
    /// <param name="beside">A folder that new objects go to, and not into the repository; null for the repository itself.</param>
    /// <param name="protocol">The version of the protocol that the other side asks for.</param>
    /// <exception cref="GitFault">There is no git.</exception>
    public static GitCommand Start(GitOptions options, TimeProvider clock, string repository, string? beside, string? protocol, params ReadOnlySpan<string> arguments)
    {
        var start = new ProcessStartInfo("/usr/bin/prlimit") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = repository };
        foreach (var argument in (string[])[Limit("as", (long)options.MemoryMiB << 20), Limit("cpu", (long)options.CpuTime.TotalSeconds), Limit("core", 0), "--", options.Program, .. arguments])
        {
            start.ArgumentList.Add(argument);
        }

        start.Environment.Clear();
        start.Environment["PATH"] = "/usr/local/bin:/usr/bin:/bin";
        start.Environment["HOME"] = repository;
        start.Environment["LC_ALL"] = "C";
        start.Environment["GIT_DIR"] = repository;
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_ATTR_NOSYSTEM"] = "1";
        start.Environment["GIT_NO_REPLACE_OBJECTS"] = "1";
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        if (beside is not null)
        {
            start.Environment["GIT_OBJECT_DIRECTORY"] = beside;
            start.Environment["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = Path.Combine(repository, "objects");
        }

        if (protocol is not null)
        {
            start.Environment["GIT_PROTOCOL"] = protocol;
        }

        try
        {
            return new GitCommand(Process.Start(start) ?? throw new GitFault($"{options.Program} did not start."), options.Time, clock);
        }
        catch (Win32Exception fault)
        {
            throw new GitFault($"git can not be started: {fault.Message}", fault);
        }
    }

    /// <summary>Has it do what needs no more than a text to read; what it wrote is the answer, null where it ended with a fault.</summary>
    /// <param name="most">Bytes of the answer; more is a fault.</param>
    public static async Task<string?> AskAsync(
        GitOptions options, TimeProvider clock, string repository, string? beside, int most, string[] arguments, CancellationToken cancel)
    {
        await using var git = Start(options, clock, repository, beside, null, arguments);
        using var answer = new MemoryStream();
        git.CloseInput();
        await git.Output.CopyAsync(answer, most, cancel);
        return await git.EndAsync(cancel) is null ? Encoding.UTF8.GetString(answer.GetBuffer(), 0, (int)answer.Length) : null;
    }

    /// <summary>Tells it that there is no more to read.</summary>
    public void CloseInput()
    {
        try
        {
            Input.Dispose();
        }
        catch (IOException)
        {
            // It had ended without reading all of it, which its code tells.
        }
    }

    /// <summary>Waits for its end, with no more to read. Null where that is a good one, else what it said.</summary>
    public async Task<string?> EndAsync(CancellationToken cancel)
    {
        CloseInput();
        await _process.WaitForExitAsync(cancel);
        var said = await _said;
        return _process.ExitCode == 0 ? null
            : _time.IsCancellationRequested ? "It took too long."
            : said.Length > 0 ? said
            : string.Create(CultureInfo.InvariantCulture, $"It ended with {_process.ExitCode}.");
    }

    public async ValueTask DisposeAsync()
    {
        Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        await _said;
        _time.Dispose();
        _process.Dispose();
    }

    private static string Limit(string name, long value) => string.Create(CultureInfo.InvariantCulture, $"--{name}={value}");

    private void Kill()
    {
        try
        {
            if (!_process.HasExited)
            {
                _process.Kill(entireProcessTree: true);
            }
        }
        catch (InvalidOperationException)
        {
            // It has ended by itself meanwhile.
        }
    }

    // All is read, or it would wait; some is kept.
    private async Task<string> ListenAsync()
    {
        var said = new byte[MostSaid];
        var rest = new byte[MostSaid];
        var kept = 0;
        for (int read; (read = await _process.StandardError.BaseStream.ReadAsync(kept < said.Length ? said.AsMemory(kept) : rest, CancellationToken.None)) > 0;)
        {
            kept = Math.Min(said.Length, kept + read);
        }

        return Encoding.UTF8.GetString(said, 0, kept).Trim();
    }
}

internal static class BoundedCopy
{
    /// <summary>Copies to the end, or fails after so many bytes.</summary>
    /// <exception cref="GitFault">There are more.</exception>
    public static async Task CopyAsync(this Stream from, Stream to, long most, CancellationToken cancel)
    {
        var buffer = new byte[1 << 16];
        var total = 0L;
        for (int read; (read = await from.ReadAsync(buffer, cancel)) > 0;)
        {
            if ((total += read) > most)
            {
                throw new GitFault($"There are more than {most:N0} bytes.");
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancel);
            await to.FlushAsync(cancel);
        }
    }
}
