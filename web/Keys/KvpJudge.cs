using Eddy.Access;
using Eddy.Events;
using Eddy.Hindsight;
using Eddy.Ingest;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Tenants;

namespace Eddy.Keys;

/// <summary>Holds what somebody sends or asks for against what they may. Whoever may everything costs nothing.</summary>
internal static class KvpJudge
{
    /// <summary>Of a refusal as many places are named.</summary>
    private const int MostTold = 20;

    /// <summary>Why these change sets may not be set by this actor, or null. All of them, or none.</summary>
    /// <param name="pid">The process; null for a new one each, 0 for the shared bag.</param>
    public static async Task<Problem?> SetFaultAsync(
        this ActorAccess access, TenantId tenant, long? pid, IReadOnlyList<IReadOnlyList<Change>> sets, bool isList, ProcessStore processes, CancellationToken cancel)
    {
        if (access.MayAll)
        {
            return null;
        }

        KvpPlace? place = pid switch
        {
            null => null,
            0 => KvpPlace.Shared,
            { } number => KvpPlace.Process(await processes.KindInLineAsync(tenant, number, cancel)),
        };
        return access.SetFault(place, sets, (i, key) => (isList ? $"/{i}" : "") + Refusal.Segment(key));
    }

    /// <summary>The same, where the kind of the process is known.</summary>
    /// <param name="place">Null for a new process each.</param>
    /// <param name="pointer">Where in the body a key of a change set is; null for nowhere.</param>
    public static Problem? SetFault(this ActorAccess access, KvpPlace? place, IReadOnlyList<IReadOnlyList<Change>> sets, Func<int, string, string?> pointer)
    {
        var errors = new List<FieldError>();
        string? first = null;
        var stored = place;
        for (var i = 0; i < sets.Count && errors.Count < MostTold; i++)
        {
            foreach (var denied in access.Denied(place, sets[i]).Take(MostTold - errors.Count))
            {
                var why = denied.RefusalFor(stored);
                first ??= why;
                errors.Add(new FieldError(why, pointer(i, denied.Key)));
            }

            // What sets one process sets it one after the other.
            place = place?.After(sets[i]);
        }

        return first is null ? null : new Problem(ProblemType.NotAllowed, first, errors);
    }

    /// <summary>
    /// Why processes may not be looked for by this, in a sentence, or null. Who is found by a key tells its value, so only keys that may be read in all that might be found can be
    /// asked for.
    /// </summary>
    public static string? FindFault(this ActorAccess access, string? kind, long? parent, IEnumerable<string> keys)
    {
        foreach (var key in keys.Concat(parent is null ? [] : ["PARENT"]).Concat(kind is null ? [] : [KvpPlace.KindKey]))
        {
            if (kind is null ? !access.MayInEveryKind(KeyAct.Read, key) : !access.May(KeyAct.Read, KvpPlace.Process(kind), key))
            {
                return kind is null
                    ? $"{access.Actor.Name} may not read {key} in processes of every kind, and so not look for it; name a kind with 'kind='."
                    : access.Decide(KeyAct.Read, KvpPlace.Process(kind), key).Sentence;
            }
        }

        return null;
    }

    /// <summary>Those of these events whose keys this actor may read, where they are now.</summary>
    public static async Task<IReadOnlyList<StoredEvent>> ReadableAsync(
        this ActorAccess access, TenantId tenant, IReadOnlyList<StoredEvent> events, ProcessStore processes, CancellationToken cancel)
    {
        if (access.MayAll || events.Count == 0)
        {
            return events;
        }

        var kinds = await processes.KindsAsync(tenant, [.. events.Select(one => one.Pid).Where(pid => pid > 0).Distinct()], cancel);
        return [.. events.Where(one => access.May(KeyAct.Read, one.Pid == 0 ? KvpPlace.Shared : KvpPlace.Process(kinds.GetValueOrDefault(one.Pid)), one.Key))];
    }

    /// <summary>
    /// Which keys of a process this actor may read as they were: those that they may read now in a process of the kind that it had then, and, where it is still there, of that which it has. Where the
    /// kind of then is not known, those that they may read whatever it was.
    /// </summary>
    public static async Task<Func<string, bool>> MayReadAsync(this ActorAccess access, TenantId tenant, PastState state, ProcessStore processes, CancellationToken cancel)
    {
        if (access.MayAll)
        {
            return _ => true;
        }

        if (state.Pid == 0)
        {
            return key => access.May(KeyAct.Read, KvpPlace.Shared, key);
        }

        var isKnown = !state.IsCut && !state.Unknown.Contains(KvpPlace.KindKey);
        var kinds = await processes.KindsAsync(tenant, [state.Pid], cancel);
        var then = KvpPlace.Process(state.Kind);
        return key => (isKnown ? access.May(KeyAct.Read, then, key) : access.MayInEveryKind(KeyAct.Read, key))
            && (!kinds.TryGetValue(state.Pid, out var kind) || access.May(KeyAct.Read, KvpPlace.Process(kind), key));
    }
}
