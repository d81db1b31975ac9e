using Eddy.Kvps;

namespace Eddy.Mail.Inbox;

/// <summary>What a message's own words set.</summary>
/// <param name="Notes">What was left out, in sentences.</param>
/// <param name="Fault">Why nothing of it can be set, in a sentence, or null.</param>
internal sealed record InboxLines(IReadOnlyList<Change> Changes, IReadOnlyList<string> Notes, string? Fault)
{
    /// <summary>What tells of the mail itself begins so. What is said of it could be forged otherwise.</summary>
    public const string Reserved = "mail_";

    public static InboxLines Of(string text, int mostFaults)
    {
        // What a program for mail makes of a space, so that a key is what it looks like.
        var (read, faults) = KvpText.ReadAll(text.Replace('\u00a0', ' '), mostFaults);
        // A letter has other lines too. What is neither a key nor a value was not meant to be one.
        if (faults.FirstOrDefault(one => one.Key is not null || IsOpen(one)) is { } fault)
        {
            return new([], [], $"Line {fault.Line}{(fault.Key is null ? "" : $" ({fault.Key})")}: {fault.Fault.Detail}");
        }

        var reserved = read.Where(change => change.Key.StartsWith(Reserved, StringComparison.Ordinal)).Select(change => change.Key).ToList();
        var changes = read.Where(change => !change.Key.StartsWith(Reserved, StringComparison.Ordinal)).ToList();
        var notes = new List<string>();
        if (changes.Count > 0)
        {
            notes.Add($"Its text sets {string.Join(", ", changes.Take(20).Select(change => change.Key))}{(changes.Count > 20 ? $" and {changes.Count - 20} more" : "")}.");
        }

        if (reserved.Count > 0)
        {
            notes.Add($"Its text can not set {string.Join(", ", reserved.Take(20))}: what begins with {Reserved} tells of the mail itself.");
        }

        return new(changes, notes, null);
    }

    // Triple quotes that are never closed: everything behind them was meant to be inside.
    private static bool IsOpen(KvpTextFault fault) => fault.Fault.Kind == KvpFaultKind.Malformed && fault.Fault.Detail.Contains("triple quotes", StringComparison.OrdinalIgnoreCase);
}
