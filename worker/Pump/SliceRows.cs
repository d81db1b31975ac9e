namespace Eddy.Pump;

/// <summary>The rows of one commit, column by column as <c>migrations/Sql/pump.sql</c> takes them.</summary>
public sealed class SliceRows
{
    public List<short> DoneShards { get; } = [];

    public List<long> Done { get; } = [];

    public HeadRows Heads { get; } = new();

    public EventRows Events { get; } = new();

    public ProcessRows Processes { get; } = new();

    /// <summary>Those that arrivals of this commit have made.</summary>
    public ProcessRows NewProcesses { get; } = new();

    /// <summary>Processes without KVPs.</summary>
    public GoneRows Gone { get; } = new();

    public KvpRows Kvps { get; } = new();

    /// <summary>Those of <see cref="NewProcesses"/>.</summary>
    public KvpRows NewKvps { get; } = new();

    public RemovedRows Removed { get; } = new();

    public RunRows Runs { get; } = new();

    public PaidRows Paid { get; } = new();

    public WakingRows Wakings { get; } = new();

    public RefusedRows Refused { get; } = new();

    /// <summary>What runs tell people.</summary>
    public EffectRows Effects { get; } = new();

    /// <summary>Runs that go into quarantine, or stay there.</summary>
    public QuarantineRows Quarantined { get; } = new();

    /// <summary>Runs that leave it.</summary>
    public PaidRows Released { get; } = new();

    /// <summary>Runs that are put off: their rules say so.</summary>
    public DeferredRows Deferred { get; } = new();

    /// <summary>Rules that are switched off.</summary>
    public OffRows Off { get; } = new();

    /// <summary>What doors are told, by their channel.</summary>
    public Dictionary<string, List<string>> Told { get; } = [];

    public sealed class HeadRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Before { get; } = [];
        public List<long> Positions { get; } = [];
        public List<long> Runs { get; } = [];
        public List<DateTime> At { get; } = [];
        public List<long> Cpu { get; } = [];
    }

    public sealed class EventRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Positions { get; } = [];
        public List<DateTime> At { get; } = [];
        public List<long> Pids { get; } = [];
        public List<string> Keys { get; } = [];
        public List<string?> Values { get; } = [];
        public List<string?> Previous { get; } = [];
        public List<string> Actors { get; } = [];
        public List<string> Sources { get; } = [];
        public List<long?> Causes { get; } = [];
        public List<long> Sets { get; } = [];
        public List<Guid> Roots { get; } = [];
    }

    public sealed class ProcessRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Pids { get; } = [];
        public List<string?> Kinds { get; } = [];
        public List<long?> Parents { get; } = [];
        public List<DateTime> At { get; } = [];
    }

    public sealed class GoneRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Pids { get; } = [];
    }

    public sealed class KvpRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Pids { get; } = [];
        public List<string> Keys { get; } = [];
        public List<string> Values { get; } = [];
        public List<string?> Txt { get; } = [];
        public List<double?> Num { get; } = [];
        public List<DateTime?> At { get; } = [];
        public List<long> Positions { get; } = [];
    }

    public sealed class RemovedRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Pids { get; } = [];
        public List<string> Keys { get; } = [];
    }

    public sealed class RunRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Ids { get; } = [];
        public List<DateTime> At { get; } = [];
        public List<string?> Rules { get; } = [];
        public List<string?> SaidNo { get; } = [];
        public List<long> Trees { get; } = [];
        public List<long> Pids { get; } = [];
        public List<long> Sets { get; } = [];
        public List<Guid> Roots { get; } = [];
        public List<int> Generations { get; } = [];
        public List<short> Outcomes { get; } = [];
        public List<long?> First { get; } = [];
        public List<int> Changes { get; } = [];
        public List<long> Elapsed { get; } = [];
        public List<long> Cpu { get; } = [];
        public List<string?> Logs { get; } = [];
        public List<string?> Errors { get; } = [];
        public List<string?> Traces { get; } = [];
        public List<string?> Calls { get; } = [];
    }

    public sealed class PaidRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Ids { get; } = [];
    }

    public sealed class WakingRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<string> Rules { get; } = [];
        public List<long> Pids { get; } = [];
        public List<long> Sets { get; } = [];
        public List<int> Counts { get; } = [];
        public List<DateTime> SetAt { get; } = [];
        public List<int> Generations { get; } = [];
        public List<string> Chains { get; } = [];
        public List<Guid> Roots { get; } = [];
        public List<string> Actors { get; } = [];
        public List<int> Runs { get; } = [];
        public List<long> FirstRuns { get; } = [];
        public List<long> LastRuns { get; } = [];
        public List<string?> Tags { get; } = [];
        public List<string?> Traces { get; } = [];
        public List<bool> Beside { get; } = [];
        public List<bool> Quiet { get; } = [];
        public List<string?> Acting { get; } = [];
        public List<long?> Quarantine { get; } = [];
        public List<int> Attempts { get; } = [];
        public List<bool> Due { get; } = [];
    }

    public sealed class DeferredRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<string> Rules { get; } = [];
        public List<long> Pids { get; } = [];
        public List<string> Streams { get; } = [];
        public List<string> Kinds { get; } = [];
        public List<long> Waits { get; } = [];
        public List<int> Most { get; } = [];
        public List<string> Wakings { get; } = [];
        public List<DateTime> At { get; } = [];
    }

    public sealed class QuarantineRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long?> Ids { get; } = [];
        public List<string> Rules { get; } = [];
        public List<long> Pids { get; } = [];
        public List<string> Wakings { get; } = [];
        public List<string?> Kinds { get; } = [];
        public List<bool?> Holds { get; } = [];
        public List<DateTime> At { get; } = [];
        public List<long?> Runs { get; } = [];
        public List<string?> Errors { get; } = [];
    }

    public sealed class OffRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<string> Rules { get; } = [];
        public List<DateTime> At { get; } = [];
        public List<string> Reasons { get; } = [];
    }

    public sealed class RefusedRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<Guid> Arrivals { get; } = [];
        public List<long> Pids { get; } = [];
        public List<string> Kvps { get; } = [];
        public List<string> Actors { get; } = [];
        public List<string> Sources { get; } = [];
        public List<DateTime> ReceivedAt { get; } = [];
        public List<string> Reasons { get; } = [];
    }
}
