using System.Text;
using System.Text.Json;
using Eddy.Kvps;

namespace Eddy.Sandbox;

/// <summary>What the host checks of a key and a value that a cell hands out: that they can be stored as <c>docs/values.md</c> says.</summary>
internal static class CellText
{
    private const int Digits = KvpValue.MaxDigits + 1;
    private const int Depth = 70;

    public static readonly UTF8Encoding Strict = new(false, throwOnInvalidBytes: true);

    public static bool IsKey(string key) => KvpKey.Fault(key) is null;

    /// <summary>Reads the value at which the reader stands to its end, and gives its text. Throws a <see cref="JsonException"/> where it can not be stored.</summary>
    public static string Read(ref Utf8JsonReader reader, ReadOnlySpan<byte> frame)
    {
        var start = (int)reader.TokenStartIndex;
        var outside = reader.CurrentDepth;
        while (true)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.String or JsonTokenType.PropertyName:
                    CheckEscapes(reader.ValueSpan);
                    break;
                case JsonTokenType.Number when reader.ValueSpan.Length > Digits || reader.ValueSpan.IndexOfAny((byte)'e', (byte)'E') >= 0:
                    throw new JsonException("A number is too long or has an exponent.");
                case JsonTokenType.StartArray or JsonTokenType.StartObject when reader.CurrentDepth - outside > Depth:
                    throw new JsonException("A value is nested too deep.");
            }

            if (reader.CurrentDepth <= outside && reader.TokenType is not (JsonTokenType.StartArray or JsonTokenType.StartObject))
            {
                return Text(frame[start..(int)reader.BytesConsumed]);
            }

            if (!reader.Read())
            {
                throw new JsonException("A value ends early.");
            }
        }
    }

    /// <summary>The string at which the reader stands. Throws where it can not be stored as text.</summary>
    public static string ReadString(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            throw new JsonException("Text is missing.");
        }

        CheckEscapes(reader.ValueSpan);
        return reader.ValueIsEscaped ? reader.GetString()! : Text(reader.ValueSpan);
    }

    private static string Text(ReadOnlySpan<byte> utf8)
    {
        try
        {
            return Strict.GetString(utf8);
        }
        catch (DecoderFallbackException e)
        {
            throw new JsonException("Text is not UTF-8.", e);
        }
    }

    // Canonical text escapes no character that could be half of one: only \u0001 to \u001f. So NUL and surrogates can not be hidden.
    private static void CheckEscapes(ReadOnlySpan<byte> text)
    {
        while (text.IndexOf((byte)'\\') is var at and >= 0)
        {
            if (text[at + 1] == 'u')
            {
                var digits = text.Slice(at + 2, 4);
                if (digits[0] != '0' || digits[1] != '0' || digits[2] is not ((byte)'0' or (byte)'1') || digits[2] == '0' && digits[3] == '0')
                {
                    throw new JsonException("Text has an escape that is not canonical.");
                }
            }

            text = text[(at + 2)..];
        }
    }
}
