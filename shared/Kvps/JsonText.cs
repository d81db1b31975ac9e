using System.Buffers;
using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;

namespace Eddy.Kvps;

/// <summary>JSON strings, in and out. <c>Utf8JsonReader</c> leaves UTF-8, surrogates and NUL unchecked, or throws for them.</summary>
internal static class JsonText
{
    private static readonly SearchValues<byte> Escaped = SearchValues.Create([.. Enumerable.Range(0, 0x20).Select(c => (byte)c), (byte)'"', (byte)'\\']);

    private static readonly KvpFault Nul = new(KvpFaultKind.Value, "Text has no NUL (U+0000).");
    private static readonly KvpFault Half = new(KvpFaultKind.Value, "Text is valid Unicode; this has half a surrogate pair.");
    private static readonly KvpFault NotUtf8 = new(KvpFaultKind.Malformed, "The text is not valid UTF-8.");

    public static bool TryGetString(ref Utf8JsonReader reader, [NotNullWhen(true)] out string? text, [NotNullWhen(false)] out KvpFault? fault)
    {
        var raw = reader.ValueSpan;
        text = null;
        fault = null;
        if (!reader.ValueIsEscaped)
        {
            if (Utf8.IsValid(raw))
            {
                text = Encoding.UTF8.GetString(raw);
                return true;
            }

            fault = NotUtf8;
            return false;
        }

        var plain = new Utf8Buffer();
        fault = Unescape(raw, plain);
        text = fault is null ? plain.ToString() : null;
        return fault is null;
    }

    /// <summary>Adds the text of the string on which the reader stands, without quotes and escapes, as UTF-8.</summary>
    public static KvpFault? Plain(ref Utf8JsonReader reader, Utf8Buffer to)
    {
        if (reader.ValueIsEscaped)
        {
            return Unescape(reader.ValueSpan, to);
        }

        if (!Utf8.IsValid(reader.ValueSpan))
        {
            return NotUtf8;
        }

        to.Add(reader.ValueSpan);
        return null;
    }

    /// <summary>Adds the text, which is valid UTF-8, in quotes.</summary>
    public static void Quote(ReadOnlySpan<byte> text, Utf8Buffer to)
    {
        to.Add((byte)'"');
        for (int at; (at = text.IndexOfAny(Escaped)) >= 0; text = text[(at + 1)..])
        {
            to.Add(text[..at]);
            AddEscape(text[at], to);
        }

        to.Add(text);
        to.Add((byte)'"');
    }

    /// <summary>Adds the text in quotes.</summary>
    public static KvpFault? Quote(ReadOnlySpan<char> text, Utf8Buffer to)
    {
        if (Check(text) is { } fault)
        {
            return fault;
        }

        var plain = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            Quote(plain.AsSpan(0, Encoding.UTF8.GetBytes(text, plain)), to);
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(plain);
        }
    }

    /// <summary>What no text of a KVP has.</summary>
    public static KvpFault? Check(ReadOnlySpan<char> text)
    {
        if (text.Contains('\0'))
        {
            return Nul;
        }

        for (var at = text.IndexOfAnyInRange('\uD800', '\uDFFF'); at >= 0; )
        {
            if (!char.IsHighSurrogate(text[at]) || at + 1 == text.Length || !char.IsLowSurrogate(text[at + 1]))
            {
                return Half;
            }

            text = text[(at + 2)..];
            at = text.IndexOfAnyInRange('\uD800', '\uDFFF');
        }

        return null;
    }

    private static KvpFault? Unescape(ReadOnlySpan<byte> raw, Utf8Buffer to)
    {
        if (!Utf8.IsValid(raw))
        {
            return NotUtf8;
        }

        Span<byte> rune = stackalloc byte[4];
        for (int at; (at = raw.IndexOf((byte)'\\')) >= 0; )
        {
            to.Add(raw[..at]);
            var kind = raw[at + 1];
            if (kind != 'u')
            {
                to.Add(kind switch { (byte)'b' => 8, (byte)'t' => 9, (byte)'n' => 10, (byte)'f' => 12, (byte)'r' => 13, _ => kind });
                raw = raw[(at + 2)..];
                continue;
            }

            var unit = Unit(raw[(at + 2)..]);
            raw = raw[(at + 6)..];
            if (unit == 0)
            {
                return Nul;
            }

            if (!Rune.TryCreate(unit, out var character))
            {
                if (raw.Length < 6 || raw[0] != '\\' || raw[1] != 'u' || !Rune.TryCreate(unit, Unit(raw[2..]), out character))
                {
                    return Half;
                }

                raw = raw[6..];
            }

            to.Add(rune[..character.EncodeToUtf8(rune)]);
        }

        to.Add(raw);
        return null;
    }

    private static char Unit(ReadOnlySpan<byte> digits) => Utf8Parser.TryParse(digits[..4], out ushort unit, out _, 'X') ? (char)unit : '\0';

    private static void AddEscape(byte c, Utf8Buffer to)
    {
        to.Add((byte)'\\');
        var letter = c switch { (byte)'"' or (byte)'\\' => c, 8 => (byte)'b', 9 => (byte)'t', 10 => (byte)'n', 12 => (byte)'f', 13 => (byte)'r', _ => (byte)0 };
        if (letter != 0)
        {
            to.Add(letter);
            return;
        }

        to.Add("u00"u8);
        to.Add((byte)(c < 16 ? '0' : '1'));
        to.Add("0123456789abcdef"u8[c & 15]);
    }
}
