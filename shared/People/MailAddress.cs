using System.Globalization;

namespace Eddy.People;

/// <summary>A mail address in the one form in which addresses are kept and compared: small letters, the domain in ASCII, no name beside it.</summary>
public static class MailAddress
{
    public const int MostCharacters = 254;

    private const int MostLocalCharacters = 64;

    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = true };

    /// <param name="address">Its one form; empty where it is none.</param>
    public static bool TryRead(string text, out string address)
    {
        address = "";
        var at = text.LastIndexOf('@');
        if (text.Length > MostCharacters || at is < 1 or > MostLocalCharacters || !IsLocal(text.AsSpan(0, at)) || Domain(text[(at + 1)..]) is not { } domain)
        {
            return false;
        }

        address = $"{text[..at].ToLowerInvariant()}@{domain}";
        return address.Length <= MostCharacters;
    }

    /// <summary>The one form of an address that is kept in another; what is none stays as it is.</summary>
    public static string Form(string text) => TryRead(text, out var address) ? address : text;

    // What quotes would allow nobody has, and two spellings of one address would be two actors.
    private static bool IsLocal(ReadOnlySpan<char> local)
    {
        foreach (var c in local)
        {
            if (!char.IsAsciiLetterOrDigit(c) && !"!#$%&'*+-/=?^_`{|}~.".Contains(c))
            {
                return false;
            }
        }

        return local[0] != '.' && local[^1] != '.' && !local.Contains("..", StringComparison.Ordinal);
    }

    private static string? Domain(string text)
    {
        try
        {
            var domain = Idn.GetAscii(text).ToLowerInvariant();
            return domain.EndsWith('.') ? null : domain;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }
}
