using Eddy.Access;
using Eddy.Kvps;
using Eddy.Rules;

namespace Eddy.Ide.Console;

/// <summary>How a console's text is read while it is written: what each line comes to, what is wrong, what may not be set, and whom it would wake.</summary>
/// <param name="Denied">Why keys may not be set, by key.</param>
/// <param name="Wakes">Null where the rules can not be looked at.</param>
public sealed record ConsoleReading(
    IReadOnlyList<KvpTextLine> Lines, IReadOnlyList<Change> Changes, IReadOnlyList<KvpTextFault> Faults, IReadOnlyDictionary<string, string> Denied, Wakes? Wakes)
{
    private const int MostFaults = 20;

    public static ConsoleReading Nothing { get; } = new([], [], [], new Dictionary<string, string>(), null);

    /// <summary>Why it can not be sent as it is; null where it can, or there is nothing yet.</summary>
    public string? Refusal =>
        Faults.Count > 0 ? $"Line {Faults[0].Line}: {Faults[0].Fault.Detail}"
        : Denied.Count > 0 ? Denied.First().Value
        : null;

    public bool CanSend => Changes.Count > 0 && Refusal is null;

    /// <param name="place">Null for a new process.</param>
    public static ConsoleReading Of(string text, ConsoleTarget target, ActorAccess access, KvpPlace? place, IReadOnlyList<PlacedRule>? rules)
    {
        var (lines, changes, faults) = KvpText.ReadLines(text, MostFaults);
        var denied = new Dictionary<string, string>();
        foreach (var one in access.Denied(place, changes))
        {
            denied.TryAdd(one.Key, one.RefusalFor(place));
        }

        return new ConsoleReading(lines, changes, faults, denied, rules is null ? null : Wakes.Of(rules, [.. changes.Select(change => change.Key)], target));
    }
}
