using System.Buffers;
using System.Text;

namespace Eddy.Secrets;

/// <summary>
/// Finds what may be a secret's value in text or bytes. One pass looks for the beginnings of all echoes together; where one is found, the whole is compared.
/// </summary>
internal sealed class Redactor
{
    /// <summary>What is put in the place of an answer that is made to be compared for ever.</summary>
    public const string Withheld = "(withheld: too much of this is like the beginning of a secret)";

    private const int Beginning = Secret.FewestRedactedCharacters;

    private readonly SearchValues<string> _beginnings;
    private readonly Dictionary<string, Echo[]>.AlternateLookup<ReadOnlySpan<char>> _echoes;

    /// <param name="echoes">Each of at least eight characters.</param>
    public Redactor(IEnumerable<Echo> echoes)
    {
        var all = echoes.GroupBy(echo => echo.Text[..Beginning]).ToDictionary(group => group.Key, group => group.OrderByDescending(echo => echo.Text.Length).ToArray());
        _echoes = all.GetAlternateLookup<ReadOnlySpan<char>>();
        _beginnings = SearchValues.Create([.. all.Keys], StringComparison.Ordinal);
    }

    public string Redact(string text)
    {
        if (Find(text) is not { } found)
        {
            return Withheld;
        }

        if (found.Count == 0)
        {
            return text;
        }

        var redacted = new StringBuilder(text.Length);
        var at = 0;
        foreach (var (start, end, placeholder) in found)
        {
            redacted.Append(text, at, start - at).Append(placeholder);
            at = end;
        }

        return redacted.Append(text, at, text.Length - at).ToString();
    }

    /// <summary>The same for bytes: each is a character here, so that nothing needs to be known of their encoding.</summary>
    public ReadOnlyMemory<byte> Redact(ReadOnlyMemory<byte> bytes)
    {
        var rented = ArrayPool<char>.Shared.Rent(bytes.Length);
        try
        {
            Encoding.Latin1.GetChars(bytes.Span, rented);
            if (Find(rented.AsSpan(0, bytes.Length)) is not { } found)
            {
                return Encoding.UTF8.GetBytes(Withheld);
            }

            if (found.Count == 0)
            {
                return bytes;
            }

            var redacted = new ArrayBufferWriter<byte>(bytes.Length);
            var at = 0;
            foreach (var (start, end, placeholder) in found)
            {
                redacted.Write(bytes.Span[at..start]);
                Encoding.ASCII.GetBytes(placeholder, redacted);
                at = end;
            }

            redacted.Write(bytes.Span[at..]);
            return redacted.WrittenMemory;
        }
        finally
        {
            ArrayPool<char>.Shared.Return(rented, clearArray: true);
        }
    }

    /// <summary>The places of all echoes, in order, those that overlap as one. Null where looking would cost too much.</summary>
    private List<(int Start, int End, string Placeholder)>? Find(ReadOnlySpan<char> text)
    {
        var found = new List<(int Start, int End, string Placeholder)>();
        // Text that is like the beginning of an echo at every character, and never is one, is nothing that a host sends by chance.
        var budget = (16L * text.Length) + (1 << 20);
        var at = 0;
        while (text[at..].IndexOfAny(_beginnings) is var next and >= 0)
        {
            at += next;
            var (start, end) = (at, at);
            string? placeholder = null;
            foreach (var echo in _echoes[text.Slice(at, Beginning)])
            {
                var same = text[at..].CommonPrefixLength(echo.Text);
                budget -= 1 + (same / Beginning / 2);
                if (same == echo.Text.Length && EndOf(text, at, echo) is var over && over > end)
                {
                    (start, end, placeholder) = (echo.IsBase64 && at > 0 && IsBase64(text[at - 1]) ? at - 1 : at, over, echo.Placeholder);
                }
            }

            if (budget < 0)
            {
                return null;
            }

            if (placeholder is not null)
            {
                if (found.Count > 0 && found[^1].End > start)
                {
                    found[^1] = (found[^1].Start, Math.Max(found[^1].End, end), found[^1].Placeholder);
                }
                else
                {
                    found.Add((start, end, placeholder));
                }
            }

            at++;
        }

        return found;
    }

    /// <summary>Where the echo that begins here ends: in base64 after the character that is shared with what follows, and the padding.</summary>
    private static int EndOf(ReadOnlySpan<char> text, int start, Echo echo)
    {
        var end = start + echo.Text.Length;
        if (echo.IsBase64)
        {
            end += end < text.Length && IsBase64(text[end]) ? 1 : 0;
            while (end < text.Length && text[end] == '=' && end - start - echo.Text.Length < 3)
            {
                end++;
            }
        }

        return end;
    }

    private static bool IsBase64(char c) => char.IsAsciiLetterOrDigit(c) || c is '+' or '/' or '-' or '_';
}
