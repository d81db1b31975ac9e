namespace Eddy.Sandbox;

/// <summary>One wall of the seal, as the zygote's self-test found it.</summary>
/// <param name="Name">As in <c>seccomp</c>.</param>
/// <param name="State">How it stood.</param>
/// <param name="Why">What it let through; null where it held.</param>
public sealed record SealWall(string Name, WallState State, string? Why);

/// <summary>How a wall of the seal stood.</summary>
public enum WallState
{
    /// <summary>All attempts were stopped.</summary>
    Held,

    /// <summary>The kernel does not have it. Only Landlock may be absent.</summary>
    Absent,

    /// <summary>Something was let through: no rule runs.</summary>
    Failed,
}
