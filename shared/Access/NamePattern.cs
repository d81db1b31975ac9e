using Eddy.Kvps;

namespace Eddy.Access;

/// <summary>
/// Names of keys or kinds: <c>order_total</c>, that one alone; <c>order_*</c>, all that begin so; <c>*</c>, all. Compared character by character, once, so that nobody's
/// pattern takes longer than the name.
/// </summary>
public sealed record NamePattern
{
    private NamePattern(string text) => Text = text;

    public static NamePattern All { get; } = new("*");

    public string Text { get; }

    /// <summary>How the names begin; null where it is one name.</summary>
    public string? Beginning => IsPrefix ? Text[..^1] : null;

    private bool IsPrefix => Text[^1] == '*';

    /// <param name="fault">Why it is none, in a sentence, or null.</param>
    public static bool TryParse(string text, out NamePattern pattern, out string? fault)
    {
        (pattern, fault) = (All, KvpKey.Fault(text));
        if (fault is null && text.IndexOf('*', StringComparison.Ordinal) is >= 0 and var star && star < text.Length - 1)
        {
            fault = "A * stands at the end, for all that begin so, as in order_*; or alone, for all.";
        }

        pattern = fault is null ? new NamePattern(text) : All;
        return fault is null;
    }

    public bool Matches(string name) => IsPrefix ? name.AsSpan().StartsWith(Text.AsSpan(0, Text.Length - 1), StringComparison.Ordinal) : name == Text;

    public override string ToString() => Text;
}
