using System.Text;
using Eddy.Rules;

namespace Eddy.Apps;

/// <summary>Python 2 made Python 3: what a look at a text has found, as far as it knows how to mend it, is mended in the text.</summary>
public static class OldPython
{
    private const string Codes = "python-2-";

    /// <summary>Whether this was found because the text is Python 2.</summary>
    public static bool IsOld(Finding finding) => finding.Code.StartsWith(Codes, StringComparison.Ordinal);

    /// <summary>The text with all that mends it, and what that was, in the order of the places. One that overlaps another waits for the next look.</summary>
    public static (string Text, IReadOnlyList<Finding> Mended) Mend(string text, IReadOnlyList<Finding> findings)
    {
        var starts = Starts(text);
        var (mended, taken, at) = (new StringBuilder(), new List<Finding>(), 0);
        foreach (var finding in findings.Where(one => IsOld(one) && one.Fix is not null).OrderBy(one => (one.Fix!.Line, one.Fix.Column)).ThenBy(one => (one.Fix!.EndLine, one.Fix.EndColumn)))
        {
            var (start, end) = (Offset(finding.Fix!.Line, finding.Fix.Column), Offset(finding.Fix.EndLine, finding.Fix.EndColumn));
            if (start < at || end < start)
            {
                continue;
            }

            mended.Append(text, at, start - at).Append(finding.Fix.Text);
            at = end;
            taken.Add(finding);
        }

        return (mended.Append(text, at, text.Length - at).ToString(), taken);

        int Offset(int line, int column) => Math.Min(text.Length, starts[Math.Min(line, starts.Count) - 1] + column - 1);
    }

    // As the guest counts lines: \r\n, \r and \n end one.
    private static List<int> Starts(string text)
    {
        var starts = new List<int> { 0 };
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] == '\n' || text[at] == '\r' && (at + 1 == text.Length || text[at + 1] != '\n'))
            {
                starts.Add(at + 1);
            }
        }

        return starts;
    }
}
