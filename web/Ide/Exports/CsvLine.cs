using System.Text;

namespace Eddy.Ide.Exports;

/// <summary>
/// A line of CSV after RFC 4180. What a spreadsheet would take for a formula gets an apostrophe in front, which it shows as text; numbers of ours are left as they are.
/// </summary>
public static class CsvLine
{
    public static string Of(IEnumerable<CsvCell> cells)
    {
        var line = new StringBuilder();
        foreach (var (text, isNumber) in cells)
        {
            line.Append(line.Length > 0 ? "," : "");
            var safe = !isNumber && IsFormula(text) ? "'" + text : text;
            if (safe.AsSpan().IndexOfAny(",\"\r\n") < 0)
            {
                // A line that is one empty cell would be no line.
                line.Append(safe.Length == 0 && line.Length == 0 ? "\"\"" : safe);
            }
            else
            {
                line.Append('"').Append(safe.Replace("\"", "\"\"", StringComparison.Ordinal)).Append('"');
            }
        }

        return line.Append("\r\n").ToString();
    }

    // Spreadsheets pass over spaces before them.
    private static bool IsFormula(string text) => text.TrimStart(' ', '\u00a0') is ['=' or '+' or '-' or '@' or '\t' or '\r' or '\n' or '＝' or '＋' or '－' or '＠', ..];
}

/// <param name="IsNumber">It is written by us and a number.</param>
public readonly record struct CsvCell(string Text, bool IsNumber = false);
