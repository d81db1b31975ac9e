namespace Eddy.Bench;

/// <summary>How long and how much is measured.</summary>
internal sealed record BenchPlan
{
    /// <summary>How often everything is measured, in turn, so that a machine that drifts drifts for all.</summary>
    public required int Rounds { get; init; }

    /// <summary>Before a latency is taken: just-in-time compilation and caches need it.</summary>
    public required TimeSpan WarmUp { get; init; }

    /// <summary>Seconds of load before a throughput is taken.</summary>
    public required int Approach { get; init; }

    /// <summary>Seconds over which accepts and floors are counted.</summary>
    public required int Short { get; init; }

    /// <summary>Seconds over which what shall be sustained is counted.</summary>
    public required int Long { get; init; }

    /// <summary>Over which latencies are taken.</summary>
    public required TimeSpan Latency { get; init; }

    /// <summary>Tenants that each send one event.</summary>
    public required int Tenants { get; init; }

    /// <summary>Tenants without a cell, asked one by one.</summary>
    public required int Cold { get; init; }

    /// <summary>Tenants without a cell, all at once.</summary>
    public required int ColdTogether { get; init; }

    /// <summary>Cells that are made, one by one, to see how long each takes.</summary>
    public required int Forks { get; init; }

    /// <summary>Endless loops that are stopped.</summary>
    public required int Stops { get; init; }

    /// <summary>Screens that watch one process.</summary>
    public required int Circuits { get; init; }

    /// <summary>Viewers of one public page.</summary>
    public required int Viewers { get; init; }

    /// <summary>How often the editor is opened by a browser.</summary>
    public required int Loads { get; init; }

    /// <summary>Mails that come one a second.</summary>
    public required int Mails { get; init; }

    /// <summary>Seconds over which twenty mails come in each.</summary>
    public required int MailFlood { get; init; }

    /// <summary>Events of a long log.</summary>
    public required long Kept { get; init; }

    /// <summary>How often it is asked why, of the newest and of the oldest.</summary>
    public required int Asked { get; init; }

    /// <summary>At how many idle cells their memory is measured, the fewest first.</summary>
    public required IReadOnlyList<int> IdleCells { get; init; }

    public static BenchPlan Whole(int rounds) => new()
    {
        Rounds = rounds,
        WarmUp = TimeSpan.FromSeconds(4),
        Approach = 2,
        Short = 4,
        Long = 8,
        Latency = TimeSpan.FromSeconds(5),
        Tenants = 10_000,
        Cold = 150,
        ColdTogether = 500,
        Forks = 300,
        Stops = 50,
        Circuits = 200,
        Viewers = 500,
        Loads = 5,
        Mails = 20,
        MailFlood = 15,
        Kept = 10_000_000,
        Asked = 20,
        IdleCells = [1, 50, 500],
    };

    /// <summary>Whether everything works, not how fast it is.</summary>
    public static BenchPlan Quick(int rounds) => new()
    {
        Rounds = rounds,
        WarmUp = TimeSpan.FromMilliseconds(300),
        Approach = 1,
        Short = 1,
        Long = 1,
        Latency = TimeSpan.FromMilliseconds(500),
        Tenants = 500,
        Cold = 20,
        ColdTogether = 40,
        Forks = 20,
        Stops = 5,
        Circuits = 5,
        Viewers = 5,
        Loads = 1,
        Mails = 3,
        MailFlood = 2,
        Kept = 2_000,
        Asked = 2,
        IdleCells = [1, 5, 20],
    };
}
