using Eddy.Tenants;

namespace Eddy.Sandbox;

/// <summary>A tenant's files as they are in force at one version of its tree: what a cell loads.</summary>
/// <param name="TimeZone">The tenant's IANA time zone.</param>
/// <param name="Files">Those under <c>scripts/</c> and <c>libraries/</c>.</param>
public sealed record CellTree(TenantId Tenant, long Version, string TimeZone, IReadOnlyList<CellFile> Files)
{
    /// <summary>What is no text to be run at once: data under <c>libraries/</c>, and the tenant's packages under <c>packages/</c>.</summary>
    public IReadOnlyList<CellData> Data { get; init; } = [];

    /// <summary>What stands for each of the tenant's secrets in its Python, by name.</summary>
    public IReadOnlyDictionary<string, string> Secrets { get; init; } = new Dictionary<string, string>();
}

/// <summary>One file of a tenant.</summary>
public sealed record CellFile(string Path, string Text)
{
    /// <summary>It was written for Python 2. Where it is compiled, what means something else now is told, too.</summary>
    public bool IsOld { get; init; }
}

/// <summary>A file of a tenant's packages or libraries, byte for byte.</summary>
public sealed record CellData(string Path, byte[] Content);

/// <summary>What a cell found in a tree.</summary>
/// <param name="Rules">All rules, in the order in which rules woken together run.</param>
/// <param name="Errors">The files that did not load, and why; the rest is in force.</param>
public sealed record LoadedTree(IReadOnlyList<LoadedRule> Rules, IReadOnlyList<LoadError> Errors)
{
    /// <summary>What files printed while they were loaded.</summary>
    public IReadOnlyList<LoadLog> Logs { get; init; } = [];

    /// <summary>Everything that some rule listens to, in whichever process: keys, <c>shared.key</c>, <c>*</c>. A change of anything else wakes nobody.</summary>
    public IReadOnlySet<string> WakeKeys { get; } = Rules.SelectMany(rule => rule.ListensTo)
        .Select(entry => entry.StartsWith("child.", StringComparison.Ordinal) ? entry[6..] : entry.StartsWith("parent.", StringComparison.Ordinal) ? entry[7..] : entry).ToHashSet(StringComparer.Ordinal);
}

/// <summary>What a file printed while it was loaded, as far as a run may.</summary>
public sealed record LoadLog(string File, string Text);

/// <summary>A rule that is in force.</summary>
/// <param name="Id">The file's path and the class: <c>scripts/heat.py:high_temperature</c>.</param>
public sealed record LoadedRule(string Id, IReadOnlyList<string> ListensTo)
{
    /// <summary>Later runs in a process wait for one that is in quarantine there.</summary>
    public bool Holds { get; init; }

    /// <summary>It runs once what wakes it has been quiet for so long; zero for at once.</summary>
    public TimeSpan Debounce { get; init; }

    /// <summary>It runs so often at most within <see cref="ThrottleTime"/>; 0 for any number.</summary>
    public int Throttle { get; init; }

    public TimeSpan ThrottleTime { get; init; }

    /// <summary>The KVP whose values tell streams apart, each of which is debounced or throttled alone; null for the process.</summary>
    public string? Per { get; init; }

    /// <summary>So often a run that failed in transit, or asked for it, is tried again.</summary>
    public int Retries { get; init; }

    /// <summary>When it wakes for all processes, as five fields of cron; null for never.</summary>
    public string? Schedule { get; init; }

    /// <summary>Which processes these are, as a <see cref="Processes.ProcessQuestion"/> in JSON; null for all.</summary>
    public string? ScheduleWhere { get; init; }

    public bool IsDeferred => Debounce > TimeSpan.Zero || Throttle > 0;
}

/// <summary>Why a file is not in force. Line and column count from 1 and are null where Python gives none.</summary>
public sealed record LoadError(string File, int? Line, int? Column, string Message, string? Traceback);
