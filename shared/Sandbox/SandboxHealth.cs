namespace Eddy.Sandbox;

/// <summary>Whether rules can run.</summary>
/// <param name="Reason">Why they can not, in a sentence for operators; null while they can.</param>
/// <param name="LandlockAbi">The kernel's version of Landlock; 0 where it has none, which is a warning and not a stop.</param>
public sealed record SandboxHealth(bool Ready, string? Reason, int LandlockAbi)
{
    /// <summary>What rules can not import though they should, in a sentence each: a package of the system's is missing, or a preloaded name is wrong. It stops nothing.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
