using System.Globalization;
using System.Text.RegularExpressions;

namespace Eddy.Ide.Runs;

/// <summary>A traceback in pieces: text, and places in the tenant's files that can be gone to.</summary>
public static partial class Traceback
{
    public static IEnumerable<Piece> Of(string text)
    {
        var end = 0;
        foreach (Match place in Place().Matches(text))
        {
            if (place.Index > end)
            {
                yield return new Piece(text[end..place.Index], null, 0);
            }

            yield return new Piece(place.Value, place.Groups["file"].Value, int.Parse(place.Groups["line"].Value, CultureInfo.InvariantCulture));
            end = place.Index + place.Length;
        }

        if (end < text.Length)
        {
            yield return new Piece(text[end..], null, 0);
        }
    }

    [GeneratedRegex("File \"(?<file>(scripts|libraries|api)/[^\"\n]+)\", line (?<line>[0-9]{1,7})")]
    private static partial Regex Place();

    /// <param name="File">Null where it is text alone.</param>
    public sealed record Piece(string Text, string? File, int Line);
}
