using Eddy.Kvps;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>A tenant as it was right after one position of its log, for a run that is done over there. It notes where it could not say what was, so that an answer can be told to be uncertain.</summary>
public sealed class PastTenant(TenantId tenant, long position, PastStore past, WhyStore log)
{
    /// <summary>Where more processes or events came since, those that are looked for are found as they are now.</summary>
    private const int MostProcesses = 500;
    private const int MostEvents = 20_000;

    private readonly Dictionary<long, PastState> _states = [];
    private Task<IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>>?>? _changed;

    public long Position => position;

    /// <summary>What was found among other processes is of now.</summary>
    public bool IsOfNow { get; private set; }

    /// <summary>The log does not reach back to all that was asked for.</summary>
    public bool IsCut { get; private set; }

    /// <summary>What was read of other processes, and of its own.</summary>
    public IReadOnlyDictionary<(long Pid, string Key), PastKvp> Kvps => _states.Values.SelectMany(state => state.Kvps.Select(kvp => (state.Pid, Kvp: kvp))).ToDictionary(one => (one.Pid, one.Kvp.Key), one => one.Kvp);

    public PastProcesses Others => new(ReadOtherAsync, ChangedSinceAsync);

    /// <summary>The KVPs of a process, or of the shared bag (0), as canonical JSON; without any it was not there.</summary>
    public async Task<IReadOnlyDictionary<string, string>> KvpsAsync(long pid, CancellationToken cancel)
    {
        if (!_states.TryGetValue(pid, out var state))
        {
            state = await past.StateAsync(tenant, pid, position, cancel);
            IsCut |= state?.IsWhole != true;
            _states[pid] = state ??= new PastState(pid, position, null, [], [], true);
        }

        return state.Kvps.ToDictionary(kvp => kvp.Key, kvp => KvpValue.Stored(kvp.Value), StringComparer.Ordinal);
    }

    private async Task<IReadOnlyDictionary<string, string>?> ReadOtherAsync(long pid, CancellationToken cancel) => await KvpsAsync(pid, cancel) is { Count: > 0 } kvps ? kvps : null;

    private Task<IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>>?> ChangedSinceAsync(CancellationToken cancel) => _changed ??= ReadChangedAsync(cancel);

    private async Task<IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>>?> ReadChangedAsync(CancellationToken cancel)
    {
        if (await log.ChangedSinceAsync(tenant, position, MostProcesses, MostEvents, cancel) is not { } pids)
        {
            IsOfNow = true;
            return null;
        }

        var then = new Dictionary<long, IReadOnlyDictionary<string, string>>();
        foreach (var pid in pids.Where(pid => pid != 0))
        {
            then[pid] = await KvpsAsync(pid, cancel);
        }

        return then;
    }
}
