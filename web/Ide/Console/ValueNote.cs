using System.Text.RegularExpressions;
using Eddy.Kvps;

namespace Eddy.Ide.Console;

/// <summary>What surprises in how a value of <c>key := value</c> text is read, in two or three words; and what it is, in a word for people.</summary>
public static partial class ValueNote
{
    /// <param name="written">As it is written.</param>
    /// <param name="canonical">As it is read.</param>
    public static string? Of(string written, string canonical)
    {
        var kind = KvpKind.Of(canonical);
        return kind switch
        {
            "date" or "datetime" => MonthFirst().IsMatch(written) ? "month first" : null,
            "float" => TooPrecise(written, canonical) ? "rounded" : null,
            "text" => OfText(written),
            _ => null,
        };
    }

    /// <summary>What a value is, as people say it.</summary>
    public static string Kind(string canonical) => KvpKind.Of(canonical) switch
    {
        "integer" => "whole number",
        "float" => "number",
        "boolean" => "yes or no",
        "none" => "none",
        "datetime" => "date-time",
        "dictionary" => "dictionary",
        var kind => kind,
    };

    private static string? OfText(string written) => written switch
    {
        "" => "empty",
        ['"' or '\'', ..] => written.Length == 1 || written[^1] != written[0] ? "quote stays open" : null,
        ['[' or '{', ..] => "not a list: text",
        ['+', .. var rest] when rest.Length > 0 && char.IsAsciiDigit(rest[0]) => "plus sign: text",
        _ when LeadingZero().IsMatch(written) => "leading zero",
        _ when Exponent().IsMatch(written) => "exponent: text",
        _ when Comma().IsMatch(written) => "comma: text",
        _ when LongNumber().IsMatch(written) => "too many digits: text",
        _ when MonthFirst().IsMatch(written) => "no such date: month first",
        _ when IsoDate().IsMatch(written) => "no such date",
        _ => null,
    };

    private static bool TooPrecise(string written, string canonical) => written.TrimEnd('0').TrimEnd('.') != canonical.TrimEnd('0').TrimEnd('.');

    [GeneratedRegex(@"^[0-9]{1,2}/[0-9]{1,2}/[0-9]{4}(\s|\z)")]
    private static partial Regex MonthFirst();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ]|\z)")]
    private static partial Regex IsoDate();

    [GeneratedRegex(@"^-?0[0-9][0-9 ()/.-]*\z")]
    private static partial Regex LeadingZero();

    [GeneratedRegex(@"^-?[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]+\z")]
    private static partial Regex Exponent();

    [GeneratedRegex(@"^-?[0-9]{1,3}([.,][0-9]{3})*,[0-9]+\z")]
    private static partial Regex Comma();

    [GeneratedRegex(@"^-?[0-9]{100,}\z")]
    private static partial Regex LongNumber();
}
