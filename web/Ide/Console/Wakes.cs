using Eddy.Rules;

namespace Eddy.Ide.Console;

/// <summary>Whom a change would wake, as far as the texts of the rules in force say.</summary>
/// <param name="Surely">They listen to a key that is set. Their checks may still say no.</param>
/// <param name="Perhaps">They listen to it in a parent or child, which the process may or may not have; or what they listen to is computed.</param>
public sealed record Wakes(IReadOnlyList<PlacedRule> Surely, IReadOnlyList<PlacedRule> Perhaps)
{
    public static Wakes Of(IReadOnlyList<PlacedRule> rules, IReadOnlyCollection<string> keys, ConsoleTarget target)
    {
        if (keys.Count == 0)
        {
            return new Wakes([], []);
        }

        var surely = rules.Where(rule => (rule.Look.ListensTo ?? []).Any(IsSet)).ToList();
        return new Wakes(surely, [.. rules.Except(surely).Where(rule => rule.Look.ListensTo is { } listens ? listens.Any(MayBe) : target.Pid != 0)]);

        bool IsSet(string entry) => target.Pid == 0
            ? entry.StartsWith("shared.", StringComparison.Ordinal) && keys.Contains(entry["shared.".Length..])
            : entry == "*" || keys.Contains(entry);

        // A new process has neither.
        bool MayBe(string entry) => target.Pid is > 0 && (Has(entry, "child.") || Has(entry, "parent."));

        bool Has(string entry, string of) => entry.StartsWith(of, StringComparison.Ordinal) && keys.Contains(entry[of.Length..]);
    }
}
