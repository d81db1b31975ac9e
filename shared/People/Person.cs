using System.Globalization;
using System.Text;
using Microsoft.AspNetCore.Identity;

namespace Eddy.People;

/// <summary>Somebody who can sign in. People belong to no tenant; their memberships do.</summary>
public sealed class Person : IdentityUser<Guid>
{
    public const int MostNameCharacters = 80;

    /// <summary>How others read of them; null where they have not said. What they do is written down under their address.</summary>
    public string? Name { get; set; }

    /// <summary>Why nobody can be called so, or null. A name is never an address, nor holds what is not seen or turns the line: it is read as somebody's own.</summary>
    public static string? NameFault(string name) =>
        name.Length is 0 or > MostNameCharacters || name.Trim().Length != name.Length ? $"A name has 1 to {MostNameCharacters} characters, and no space around."
        : name.Contains('@') ? "A name holds no @: it would be read as an address."
        : name.EnumerateRunes().Any(rune => Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) ? "A name is one line of characters that are seen."
        : null;
}
