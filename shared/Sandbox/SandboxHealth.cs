namespace Eddy.Sandbox;

/// <summary>Whether rules can run.</summary>
/// <param name="Ready">They can.</param>
/// <param name="Reason">Why they can not, in a sentence for operators; null while they can.</param>
/// <param name="LandlockAbi">The kernel's version of Landlock; 0 where it has none, which is a warning and not a stop.</param>
public sealed record SandboxHealth(bool Ready, string? Reason, int LandlockAbi)
{
    /// <summary>What rules can not import though they should, in a sentence each: a package of the system's is missing, or a preloaded name is wrong. It stops nothing.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Cells run without any seal, as <see cref="SandboxOptions.Unsealed"/> allows to a developer.</summary>
    public bool IsUnsealed { get; init; }

    /// <summary>The walls of the seal as the last zygote tried them; empty where none was started, or where there is no seal.</summary>
    public IReadOnlyList<SealWall> Walls { get; init; } = [];

    /// <summary>Interpreter, kernel, architecture and user of the zygote; null where none was started.</summary>
    public string? Zygote { get; init; }
}
