using System.Globalization;
using System.Text;

namespace Eddy.Mail.Inbox;

/// <summary>Names for the attachments of one message: as a file can be called anywhere, no two alike.</summary>
internal sealed class AttachmentNames
{
    private const int MostCharacters = 100;

    private static readonly Dictionary<string, string> Endings = new(StringComparer.Ordinal)
    {
        ["application/pdf"] = ".pdf",
        ["image/png"] = ".png",
        ["image/jpeg"] = ".jpg",
        ["image/gif"] = ".gif",
        ["image/webp"] = ".webp",
        ["application/zip"] = ".zip",
        ["text/plain"] = ".txt",
        ["text/html"] = ".html",
        ["text/calendar"] = ".ics",
        ["text/vcard"] = ".vcf",
        ["message/rfc822"] = ".eml",
    };

    private readonly HashSet<string> _taken = new(StringComparer.OrdinalIgnoreCase);

    /// <param name="claimed">As the message has it, or empty.</param>
    /// <param name="type">What it is, for the ending of one that has no name.</param>
    public string Of(string claimed, string type)
    {
        var name = Clean(claimed);
        var (stem, ending) = Parts(name.Length == 0 ? $"attachment{Endings.GetValueOrDefault(type, ".bin")}" : name);
        for (var number = 1; ; number++)
        {
            var one = number == 1 ? stem + ending : string.Create(CultureInfo.InvariantCulture, $"{stem}-{number}{ending}");
            if (_taken.Add(one))
            {
                return one;
            }
        }
    }

    private static string Clean(string claimed)
    {
        // What stands before the last slash of either kind is a folder of somebody else's.
        var name = claimed[(claimed.LastIndexOfAny(['/', '\\']) + 1)..];
        var clean = new StringBuilder();
        foreach (var rune in HeaderText.Line(name, MostCharacters * 2).EnumerateRunes())
        {
            var c = rune.IsBmp ? (char)rune.Value : 'x';
            clean.Append(c is '<' or '>' or ':' or '"' or '|' or '?' or '*' or '%' ? "_" : rune.ToString());
        }

        var text = clean.ToString().Trim(' ', '.', '…');
        var (stem, ending) = Parts(text);
        var most = MostCharacters - ending.Length;
        stem = stem.Length > most ? stem[..(char.IsHighSurrogate(stem[most - 1]) ? most - 1 : most)] : stem;
        return IsDevice(stem) ? $"_{stem}{ending}" : stem + ending;
    }

    private static (string Stem, string Ending) Parts(string name) => name.LastIndexOf('.') is > 0 and var dot && name.Length - dot is > 1 and <= 12 ? (name[..dot], name[dot..]) : (name, "");

    // Names that Windows has given away.
    private static bool IsDevice(string stem) =>
        stem.ToUpperInvariant() is "CON" or "PRN" or "AUX" or "NUL" || (stem.Length == 4 && char.IsAsciiDigit(stem[3]) && stem[..3].ToUpperInvariant() is "COM" or "LPT");
}
