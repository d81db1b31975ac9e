using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;

namespace Eddy.Kvps;

/// <summary>
/// The value of a KVP: one canonical JSON text, in which it is stored, sent to a cell and shown (<c>docs/values.md</c>). Two values
/// are equal exactly if these texts are. What is refused is told as a <see cref="KvpFault"/>.
/// </summary>
public static class KvpValue
{
    /// <summary>How long a value may be, in bytes of UTF-8.</summary>
    public const int MaxBytes = 256 * 1024;

    /// <summary>How many lists and dictionaries may be inside one another. Tags and wrappings do not count.</summary>
    public const int MaxDepth = 64;

    /// <summary>How many digits a whole number may have.</summary>
    public const int MaxDigits = 4300;

    public const string Null = "null";
    public const string True = "true";
    public const string False = "false";

    internal static readonly KvpFault NotFinite = new(KvpFaultKind.Value, "The number is too large for a float, and infinity is no value.");

    /// <summary>How a reader must be made whose values are given to <see cref="TryRead"/>.</summary>
    public static JsonReaderOptions ReaderOptions { get; } = new() { MaxDepth = 256, CommentHandling = JsonCommentHandling.Disallow };

    /// <summary>
    /// Reads the JSON value on which the reader stands; afterwards the reader stands on its last token. After a fault it stands
    /// anywhere. JSON that does not parse is a <see cref="JsonException"/>, as from the reader. The reader is over one span, not over a sequence.
    /// </summary>
    public static bool TryRead(
        ref Utf8JsonReader reader, [NotNullWhen(true)] out string? canonical, [NotNullWhen(false)] out KvpFault? fault, int maxBytes = MaxBytes)
    {
        fault = null;
        canonical = reader.TokenType switch
        {
            JsonTokenType.True => True,
            JsonTokenType.False => False,
            JsonTokenType.Null => Null,
            JsonTokenType.String when !reader.ValueIsEscaped && reader.ValueSpan.Length + 2 <= maxBytes && Ascii.IsValid(reader.ValueSpan) => Quoted(reader.ValueSpan),
            JsonTokenType.Number when reader.ValueSpan.Length < 18 && reader.ValueSpan.IndexOfAny(".eE"u8) < 0 && reader.ValueSpan[0] != '-' => Encoding.ASCII.GetString(reader.ValueSpan),
            _ => null,
        };
        if (canonical is null)
        {
            fault = CanonicalWriter.Write(ref reader, maxBytes, out canonical);
        }

        return fault is null;
    }

    /// <summary>What PostgreSQL has kept as jsonb, made canonical again: it puts spaces and an order of its own into what it keeps.</summary>
    public static string Stored(string jsonb) =>
        jsonb[0] is '{' or '[' or '"' && TryCanonical(System.Text.Encoding.UTF8.GetBytes(jsonb), out var canonical, out _, int.MaxValue) ? canonical : jsonb;

    /// <summary>Reads a JSON text, which is one value and nothing else.</summary>
    public static bool TryCanonical(
        ReadOnlySpan<byte> json, [NotNullWhen(true)] out string? canonical, [NotNullWhen(false)] out KvpFault? fault, int maxBytes = MaxBytes)
    {
        canonical = null;
        try
        {
            var reader = new Utf8JsonReader(json, ReaderOptions);
            reader.Read();
            if (TryRead(ref reader, out canonical, out fault, maxBytes))
            {
                reader.Read();
                return true;
            }

            return false;
        }
        catch (JsonException e)
        {
            fault = new KvpFault(KvpFaultKind.Malformed, MalformedJson(e));
            return false;
        }
    }

    /// <summary>Text. Refused are NUL, half surrogate pairs, and text that is too long.</summary>
    public static bool TryText(
        ReadOnlySpan<char> text, [NotNullWhen(true)] out string? canonical, [NotNullWhen(false)] out KvpFault? fault, int maxBytes = MaxBytes)
    {
        canonical = null;
        var buffer = new Utf8Buffer();
        fault = text.Length + 2 > maxBytes ? TooLarge(maxBytes) : JsonText.Quote(text, buffer);
        fault ??= buffer.Length > maxBytes ? TooLarge(maxBytes) : null;
        canonical = fault is null ? buffer.ToString() : null;
        return fault is null;
    }

    /// <summary>Text of which it is known that it is good: a refused one throws.</summary>
    public static string FromText(string text) =>
        TryText(text, out var canonical, out var fault) ? canonical : throw new ArgumentException(fault.Detail, nameof(text));

    public static string FromBool(bool value) => value ? True : False;

    public static string FromInteger(long number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A whole number of at most <see cref="MaxDigits"/> digits.</summary>
    public static string FromInteger(BigInteger number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>A finite number.</summary>
    public static string FromFloat(double number)
    {
        if (!double.IsFinite(number))
        {
            throw new ArgumentOutOfRangeException(nameof(number), NotFinite.Detail);
        }

        var buffer = new Utf8Buffer();
        FloatText.Write(number, buffer);
        return buffer.ToString();
    }

    public static string FromDecimal(decimal number) => $$"""{"$decimal":"{{number.ToString(CultureInfo.InvariantCulture)}}"}""";

    public static string FromDate(DateOnly date) => $$"""{"$date":"{{date:yyyy-MM-dd}}"}""";

    /// <summary>A time of day, cut to microseconds.</summary>
    public static string FromTime(TimeOnly time) => $$"""{"$time":"{{time:HH:mm:ss.FFFFFF}}"}""";

    /// <summary>A naive date-time, cut to microseconds; its kind is not looked at.</summary>
    public static string FromDateTime(DateTime naive) => $$"""{"$datetime":"{{naive:yyyy-MM-ddTHH:mm:ss.FFFFFF}}"}""";

    /// <summary>A date-time with its fixed offset, cut to microseconds.</summary>
    public static string FromDateTime(DateTimeOffset moment) => $$"""{"$datetime":"{{moment:yyyy-MM-ddTHH:mm:ss.FFFFFFzzz}}"}""";

    /// <summary>A reference to a process.</summary>
    public static string FromProcess(long pid) => $$"""{"$process":{{pid}}}""";

    /// <summary>Where and why a JSON text does not parse, in a sentence without the reader's advice to programmers.</summary>
    /// <param name="line">The line at which the text begins, where it is one of several.</param>
    public static string MalformedJson(JsonException e, int line = 1)
    {
        var reason = e.Message.Split(" LineNumber:")[0].Split(" Change the reader options")[0].Split(" Path:")[0];
        return $"Line {(e.LineNumber ?? 0) + line}, byte {(e.BytePositionInLine ?? 0) + 1}: {reason}";
    }

    internal static KvpFault TooLarge(int maxBytes) =>
        new(KvpFaultKind.TooLarge, $"A value has at most {maxBytes:N0} bytes as canonical JSON; this one is longer.");

    internal static KvpFault? IntegerFault(ReadOnlySpan<byte> digits) =>
        digits.Length > MaxDigits && digits.TrimStart((byte)'-').Length > MaxDigits
            ? new KvpFault(KvpFaultKind.Value, $"A whole number has at most {MaxDigits:N0} digits; this one has {digits.TrimStart((byte)'-').Length:N0}.")
            : null;

    private static string Quoted(ReadOnlySpan<byte> ascii) => string.Create(ascii.Length + 2, ascii, static (to, from) =>
    {
        to[0] = '"';
        Encoding.ASCII.GetChars(from, to[1..]);
        to[^1] = '"';
    });
}
