namespace Eddy.Sandbox;

/// <summary>Why a cell is gone, in words for its tenant.</summary>
/// <param name="Kind">As in <see cref="RunError.Kind"/>.</param>
/// <param name="Message">One sentence.</param>
/// <param name="Explained">A limit or a falsehood explains it; what does not is tried once more before anything is blamed.</param>
internal sealed record CellEnding(string Kind, string Message, bool Explained)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <exception cref="SandboxUnavailable">The zygote is gone too, so that the tenant's code has nothing to do with it.</exception>
    public static async Task<CellEnding> OfAsync(CellChannel cell, SandboxOptions options, TimeProvider time)
    {
        string? how;
        try
        {
            how = await cell.Death.WaitAsync(Patience, time);
        }
        catch (TimeoutException)
        {
            how = null;
        }

        if (how is null)
        {
            throw new SandboxUnavailable("The zygote ended while a cell was at work.");
        }

        if (how == "fork")
        {
            throw new SandboxUnavailable("The zygote could not fork: the machine or its container has too little memory, or as many processes as it may have.");
        }

        if (how.StartsWith("full ", StringComparison.Ordinal))
        {
            throw new SandboxUnavailable($"The zygote has {how[5..]} cells, which is its limit (--cells).");
        }

        return cell.Overrun switch
        {
            "WallTime" => new("WallTime", $"It took longer than {Seconds(options.WallTime)}, which is the limit.", true),
            "CpuTime" => new("CpuTime", $"It used more than {Seconds(options.CpuTime)} of CPU time, which is the limit.", true),
            _ => how switch
            {
                "exit 86" => new("Memory", $"It needed more than the {options.MemoryMiB} MiB of memory that a cell may have.", true),
                "signal 31" => new("Died", "It made a system call that ends a cell at once.", false),
                "signal 11" => new("Died", "It crashed the interpreter, as endless recursion inside the interpreter does.", false),
                _ => new("Died", $"It ended its cell ({how}).", false),
            },
        };
    }

    public static CellEnding Of(CellLied lie) => new("Died", $"Its cell was ended for telling what can not be. {lie.Message}", true);

    private static string Seconds(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:0.###} s");
}
