namespace Eddy.Rules;

/// <summary>
/// What a rule's text says that it reads and writes. A key is told with whose it is: <c>x</c> of the rule's own process, <c>shared.x</c>, <c>parent.x</c>, <c>child.x</c>,
/// <c>new_child.x</c>, and <c>process.x</c> of any other.
/// </summary>
/// <param name="Name">The class. Empty for a library or an API script, which is told as a whole and listens to nothing.</param>
/// <param name="ListensTo">Null where it is computed.</param>
/// <param name="Schedule">Null where the rule has none; empty where it is computed.</param>
/// <param name="Reads">By check and action, with what they call in the file.</param>
/// <param name="CheckReads">By check alone.</param>
/// <param name="UnknownReads">It may read other keys, too: one is computed, or the process is given to what is not in the file.</param>
/// <param name="UnknownWrites">It may write other keys, too.</param>
public sealed record RuleLook(
    string Name, int Line, int EndLine, IReadOnlyList<string>? ListensTo, string? Schedule,
    IReadOnlyList<string> Reads, IReadOnlyList<string> CheckReads, IReadOnlyList<string> Writes, bool UnknownReads, bool UnknownWrites);

/// <summary>A rule in force and its file; or a library or an API script.</summary>
public sealed record PlacedRule(string File, RuleLook Look)
{
    /// <summary>As runs name it: <c>scripts/heat.py:high_temperature</c>; the path of what is no rule.</summary>
    public string Id { get; } = Look.Name.Length == 0 ? File : $"{File}:{Look.Name}";

    public bool IsRule => Look.Name.Length > 0;
}
