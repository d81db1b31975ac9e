using Eddy.Kvps;

namespace Eddy.Pump;

/// <summary>Whether a process has room for a change set, counting those before it in the slice.</summary>
internal static class ProcessSize
{
    /// <summary>Why it has none; null where it has.</summary>
    public static string? Fault(TenantLine line, long pid, IReadOnlyList<Change> changes, ref Dictionary<long, (int Kvps, long Bytes)>? sizes, PumpOptions options)
    {
        var state = line.State(pid);
        // A process with little in it, and a change set that is small, fit without counting.
        if (state.Count + changes.Count < 100 && changes.Count < 20 && changes.Sum(change => change.Value?.Length ?? 0) < 4096 && (sizes is null || !sizes.ContainsKey(pid)))
        {
            return null;
        }

        sizes ??= [];
        if (!sizes.TryGetValue(pid, out var size))
        {
            size = (state.Count, state.Sum(kvp => (long)kvp.Key.Length + kvp.Value.Length));
        }

        foreach (var change in changes)
        {
            var previous = state.GetValueOrDefault(change.Key);
            size.Kvps += (change.Value is null ? 0 : 1) - (previous is null ? 0 : 1);
            size.Bytes += (change.Value is null ? 0 : change.Key.Length + change.Value.Length) - (previous is null ? 0 : change.Key.Length + previous.Length);
        }

        var what = pid == 0 ? "The shared bag" : $"Process {pid}";
        if (pid != 0 && size.Kvps > options.ProcessKvps)
        {
            return $"{what} would have {size.Kvps} KVPs; the limit is {options.ProcessKvps}.";
        }

        if (size.Bytes > options.ProcessBytes)
        {
            return $"{what} would have {size.Bytes} bytes; the limit is {options.ProcessBytes}.";
        }

        sizes[pid] = size;
        return null;
    }
}
