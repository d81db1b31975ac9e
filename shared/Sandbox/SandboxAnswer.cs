namespace Eddy.Sandbox;

/// <summary>What health tells of the sandbox.</summary>
/// <param name="Ready">Rules can run.</param>
/// <param name="Reason">Why they can not; it names the walls that do not hold. Null where they can.</param>
/// <param name="Seal"><c>sealed</c>, <c>unsealed</c> (a developer's choice), or <c>none</c> where no rule runs.</param>
/// <param name="Landlock">The kernel's version of Landlock; 0 where it has none.</param>
/// <param name="Walls">Each wall and how it stood: <c>held</c>, <c>absent</c>, <c>failed</c>.</param>
/// <param name="Zygote">Interpreter, kernel, architecture and user.</param>
public sealed record SandboxAnswer(
    bool Ready, string? Reason, string Seal, int Landlock, IReadOnlyDictionary<string, string> Walls, string? Zygote)
{
    public static SandboxAnswer Of(SandboxHealth health) => new(
        health.Ready,
        health.Reason,
        !health.Ready ? "none" : health.IsUnsealed ? "unsealed" : "sealed",
        health.LandlockAbi,
        health.Walls.ToDictionary(wall => wall.Name, wall => wall.State switch
        {
            WallState.Held => "held",
            WallState.Absent => "absent",
            _ => "failed",
        }),
        health.Zygote)
    {
        Warnings = health.Warnings,
    };

    /// <summary>What rules can not import though they should, in a sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
