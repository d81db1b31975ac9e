namespace Eddy.Sandbox;

/// <summary>One wall of the seal, as the zygote's self-test found it.</summary>
/// <param name="Name">As in <c>seccomp</c>.</param>
/// <param name="State">How it stood.</param>
/// <param name="Why">What it let through; null where it held.</param>
public sealed record SealWall(string Name, WallState State, string? Why)
{
    /// <summary>What it keeps from a cell, in a few words.</summary>
    public string Meaning => Name switch
    {
        "descriptors" => "no open file or socket but the cell's channel",
        "user" => "a user of its own where the zygote is root, and no capabilities",
        "lifeline" => "no cell outlives the zygote",
        "dumpable" => "no other process of its user reads its memory",
        "privileges" => "no way to gain privileges",
        "limits" => "no more memory than allowed, no fork, no file",
        "landlock" => "no path, no port, no signal to others",
        "seccomp" => "no system call but the few that Python needs",
        "environment" => "nothing of the operator's environment in memory",
        "all-together" => "all of them at once, as cells have them",
        _ => "",
    };

    /// <summary>What an operator does about it where it does not hold.</summary>
    public string Mend => Name switch
    {
        "seccomp" or "privileges" => "The kernel needs CONFIG_SECCOMP_FILTER, and a container's own profile must not forbid seccomp and prctl.",
        "landlock" => "Give the kernel lsm=landlock, or look which part of a container's profile changes the answers of its calls.",
        "user" => "Run it as an ordinary user without capabilities, or as root with CAP_SETUID, CAP_SETGID and CAP_KILL.",
        "limits" => "The zygote must not have CAP_SYS_RESOURCE, CAP_IPC_LOCK or CAP_SYS_ADMIN as an ordinary user.",
        _ => "Look at what differs from a usual Linux here, such as a tracer, a gVisor or an old kernel, and see docs/operations.md.",
    };
}

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
