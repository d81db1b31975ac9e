using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Eddy.Ingest;

/// <summary>A character set in which a body is written. It reads strictly: bytes that are none of its text are a fault, not a question mark.</summary>
internal sealed class Charset
{
    private readonly Encoding _encoding;

    private Charset(Encoding encoding) => _encoding = encoding;

    public static Charset Utf8 { get; } = new(new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));

    public string Name => _encoding.WebName.ToUpperInvariant();

    /// <summary>The character set of this name (UTF-8 where there is none), or null where it is not known.</summary>
    public static Charset? Find(string? name)
    {
        if (string.IsNullOrEmpty(name) || name.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || name.Equals("utf8", StringComparison.OrdinalIgnoreCase))
        {
            return Utf8;
        }

        try
        {
            var encoding = CodePagesEncodingProvider.Instance.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback)
                ?? Encoding.GetEncoding(name, EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);
            return new Charset(encoding);
        }
        catch (Exception e) when (e is ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    /// <summary>The text, without a byte order mark.</summary>
    public bool TryDecode(ReadOnlySpan<byte> bytes, [NotNullWhen(true)] out string? text)
    {
        try
        {
            text = _encoding.GetString(bytes);
            text = text is ['\uFEFF', ..] ? text[1..] : text;
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = null;
            return false;
        }
    }

    /// <summary>The text as UTF-8. Bytes that say that they are UTF-8 come back unchecked: readers of JSON check them.</summary>
    public bool TryUtf8(ReadOnlySpan<byte> bytes, out ReadOnlySpan<byte> utf8)
    {
        if (this == Utf8)
        {
            utf8 = bytes;
            return true;
        }

        utf8 = TryDecode(bytes, out var text) ? Encoding.UTF8.GetBytes(text) : default;
        return text is not null;
    }
}
