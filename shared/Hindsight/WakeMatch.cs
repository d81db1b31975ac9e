using Eddy.Events;

namespace Eddy.Hindsight;

/// <summary>By which of its entries a rule hears of a change set, and in which process.</summary>
/// <param name="Entry">As <c>listens_to</c> has it.</param>
/// <param name="Pid">Where it wakes; null in the processes below that of the event, and where a shared KVP came from outside.</param>
public sealed record WakeMatch(StoredEvent Event, string Entry, long? Pid)
{
    private const string Shared = "shared.";
    private const string Child = "child.";
    private const string Parent = "parent.";

    /// <summary>All the ways, in the order of the events.</summary>
    /// <param name="above">The process above another then; 0 for none.</param>
    /// <param name="sharedPid">Where rules wake by shared KVPs; null where that is not known.</param>
    public static IReadOnlyList<WakeMatch> Of(IReadOnlyList<string> listensTo, IReadOnlyList<StoredEvent> set, Func<long, long> above, long? sharedPid)
    {
        var found = new List<WakeMatch>();
        foreach (var one in set)
        {
            foreach (var entry in listensTo)
            {
                if (one.Pid == 0)
                {
                    if (entry == Shared + one.Key)
                    {
                        found.Add(new WakeMatch(one, entry, sharedPid));
                    }
                }
                else if (entry == one.Key || entry == "*")
                {
                    found.Add(new WakeMatch(one, entry, one.Pid));
                }
                else if (entry == Child + one.Key && above(one.Pid) is > 0 and var pid)
                {
                    found.Add(new WakeMatch(one, entry, pid));
                }
                else if (entry == Parent + one.Key)
                {
                    found.Add(new WakeMatch(one, entry, null));
                }
            }
        }

        return found;
    }

    /// <summary>Of a rule that did not hear of it: what came nearest to that, in a sentence; null where nothing did.</summary>
    public static string? Nearest(IReadOnlyList<string> listensTo, IReadOnlyList<StoredEvent> set)
    {
        foreach (var one in set)
        {
            foreach (var entry in listensTo)
            {
                var (key, prefix) = Split(entry);
                if (one.Key == key)
                {
                    switch (prefix)
                    {
                        case "" when one.Pid == 0:
                            return $"The shared KVP {key} was set: a rule hears of that by {Shared}{key}, and this one listens to {key} of processes.";
                        case Shared when one.Pid != 0:
                            return $"{key} of process {one.Pid} was set: a rule hears of that by {key}, and this one listens to the shared KVP.";
                        case Child when one.Pid != 0:
                            return $"{key} of process {one.Pid} was set, which stood below no other: {entry} wakes the process above.";
                        case Parent when one.Pid != 0:
                            return $"{key} of process {one.Pid} was set, below which no other stood: {entry} wakes the processes below.";
                    }
                }
            }
        }

        foreach (var one in set)
        {
            if (listensTo.Select(entry => Split(entry).Key).FirstOrDefault(key => IsAlike(key, one.Key)) is { } alike)
            {
                return $"{one.Key} was set, and it listens to {alike}: is one of them misspelt?";
            }
        }

        return null;
    }

    /// <summary>The key of an entry without its prefix.</summary>
    public static (string Key, string Prefix) Split(string entry)
    {
        foreach (var prefix in (ReadOnlySpan<string>)[Shared, Child, Parent])
        {
            if (entry.StartsWith(prefix, StringComparison.Ordinal))
            {
                return (entry[prefix.Length..], prefix);
            }
        }

        return (entry, "");
    }

    /// <summary>One letter more, less, another, or two the other way round.</summary>
    private static bool IsAlike(string one, string other)
    {
        if (one == other || Math.Min(one.Length, other.Length) < 4 || Math.Abs(one.Length - other.Length) > 1)
        {
            return false;
        }

        var start = 0;
        while (start < Math.Min(one.Length, other.Length) && one[start] == other[start])
        {
            start++;
        }

        var (a, b) = (one[start..], other[start..]);
        return a.Length == b.Length
            ? a[1..] == b[1..] || a.Length > 1 && a[0] == b[1] && a[1] == b[0] && a[2..] == b[2..]
            : a.Length > b.Length ? a[1..] == b : a == b[1..];
    }
}
