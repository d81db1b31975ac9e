using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>Lines of <c>key := value</c>: one process.</summary>
internal static class KvpTextBody
{
    public static ParsedBody Parse(string text, IngestLimits limits)
    {
        if (!KvpText.TryRead(text, out var changes, out var fault, limits.ValueBytes))
        {
            return Refusal.Of(fault.Fault, ProblemType.InvalidText, fault.Key, null, fault.Line);
        }

        return changes.Count == 0 ? Refusal.Empty("The text has no line key := value.")
            : changes.Count > limits.KvpsPerProcess ? Refusal.TooManyKvps(limits)
            : new BodySets([changes], IsList: false);
    }
}
