using System.Text.RegularExpressions;
using Eddy.Rules;

namespace Eddy.Pages;

/// <summary>What is wrong with a template, as its editor shows it: what does not parse keeps it out of force, what would be left out of the page is a warning.</summary>
public static partial class PageCheck
{
    public const int MostFindings = 50;

    public static IReadOnlyList<Finding> Of(string text)
    {
        var findings = new List<Finding>();
        if (PageGrammar.Instance.Parse(text, out var error) is null)
        {
            var place = Place().Matches(error!).LastOrDefault();
            var (line, column) = place is null ? (1, 1) : (int.Parse(place.Groups[1].ValueSpan), int.Parse(place.Groups[2].ValueSpan));
            findings.Add(new Finding(Finding.Error, "template", line, column, line, column + 1, Sentence(error!), null));
        }

        _ = PageAudience.Of(text, out var fault);
        if (fault is { } wrong)
        {
            findings.Add(At(text, wrong.At, 1, Finding.Warning, "eddy-access", wrong.Message));
        }

        var filters = PageGrammar.Instance.FilterNames.ToHashSet(StringComparer.Ordinal);
        foreach (var tag in Tags().Matches(text).Cast<Match>())
        {
            foreach (var filter in Filters().Matches(Quoted().Replace(tag.Value, match => new string(' ', match.Length))).Cast<Match>().Where(filter => !filters.Contains(filter.Groups[1].Value)))
            {
                var name = filter.Groups[1];
                findings.Add(At(text, tag.Index + name.Index, name.Length, Finding.Error, "unknown-filter", name.Value == "raw"
                    ? "There is no filter raw: a page never prints a value as HTML."
                    : $"There is no filter '{name.Value}'."));
            }

            if (Arguments().Match(tag.Value) is { Success: true } list)
            {
                foreach (var argument in Argument().Matches(Quoted().Replace(tag.Value[list.Length..], match => new string(' ', match.Length))).Cast<Match>())
                {
                    if (PageQuestion.NameFault(argument.Groups[1].Value) is { } reason)
                    {
                        findings.Add(At(text, tag.Index + list.Length + argument.Index, argument.Groups[1].Length, Finding.Error, "unknown-comparison", reason));
                    }
                }
            }
        }

        findings.AddRange(Misplaced(text));
        return [.. findings.OrderBy(one => one.Line).ThenBy(one => one.Column).Take(MostFindings)];
    }

    /// <summary>Values at places where none is written.</summary>
    private static IEnumerable<Finding> Misplaced(string text)
    {
        var place = new HtmlPlace();
        var at = 0;
        foreach (var tag in Tags().Matches(text).Cast<Match>())
        {
            for (; at < tag.Index; at++)
            {
                place.Follow(text[at]);
            }

            if (tag.Value.StartsWith("{{", StringComparison.Ordinal) && place.Room == Room.None)
            {
                yield return At(text, tag.Index, tag.Length, Finding.Warning, "misplaced-value",
                    $"A value {place.Words} is left out: it could be a program there. Write it to an attribute, as in data-value=\"{tag.Value}\", and read it from there.");
            }
            else if (place.Room == Room.Unquoted)
            {
                // Whatever stands here begins the value.
                place.Follow('x');
            }

            at = tag.Index + tag.Length;
        }
    }

    private static Finding At(string text, int at, int length, string severity, string code, string message)
    {
        var line = text.AsSpan(0, at).Count('\n') + 1;
        var column = at - text.LastIndexOf('\n', Math.Max(0, at - 1), Math.Max(0, at)) ;
        var end = text.AsSpan(at, Math.Min(length, text.Length - at)).IndexOfAny('\r', '\n') is >= 0 and var cut ? cut : length;
        return new Finding(severity, code, line, column, line, column + Math.Max(1, end), message, null);
    }

    private static string Sentence(string error)
    {
        var said = Place().Replace(error.Split('\n')[0], "").TrimEnd(' ', '.') + ".";
        return said.StartsWith("Unknown tag", StringComparison.Ordinal)
            ? said[..^1] + ". There are if, unless, case, for, assign, capture, comment, raw, processes, process, chart and include."
            : said;
    }

    [GeneratedRegex(@" ?at \((\d{1,9}):(\d{1,9})\)", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Place();

    [GeneratedRegex(@"\{\{.*?\}\}|\{%.*?%\}", RegexOptions.CultureInvariant | RegexOptions.Singleline, 1000)]
    private static partial Regex Tags();

    [GeneratedRegex(@"\|\s*([A-Za-z_][A-Za-z0-9_]*)", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Filters();

    [GeneratedRegex("\"[^\"]*\"|'[^']*'", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Quoted();

    [GeneratedRegex(@"^\{%-?\s*process(es)?\s+[A-Za-z0-9_-]+", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Arguments();

    [GeneratedRegex(@"([A-Za-z_][A-Za-z0-9_]*)\s*:", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Argument();
}
