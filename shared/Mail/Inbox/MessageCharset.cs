using System.Text;

namespace Eddy.Mail.Inbox;

/// <summary>Bytes as text. What a message says of its charset is often wrong: where its bytes are none of it, they are UTF-8 if they can be, and else Windows' Western one, in which every byte is something.</summary>
internal static class MessageCharset
{
    private const int Windows1252 = 1252;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    /// <param name="note">What one should know of it, in a sentence, or null.</param>
    public static string Decode(byte[] bytes, string? charset, bool isHtml, out string? note)
    {
        note = null;
        if (ByMark(bytes) is { } marked)
        {
            return marked;
        }

        charset = charset?.Trim().Trim('"', '\'').ToLowerInvariant();
        charset = string.IsNullOrEmpty(charset) && isHtml ? InHtml(bytes) : charset;
        if (string.IsNullOrEmpty(charset) || charset is "us-ascii" or "ascii" or "unknown-8bit" or "x-unknown" or "default")
        {
            return Escapes(bytes) ? Try(bytes, "iso-2022-jp") ?? Guess(bytes) : Guess(bytes);
        }

        if (Try(bytes, charset) is { } text)
        {
            return text;
        }

        note = $"Its bytes are not in the charset that it names ({HeaderText.Line(charset, 40)}); they were read as {(Try(bytes, "utf-8") is null ? "windows-1252" : "UTF-8")}.";
        return Guess(bytes);
    }

    private static string Guess(byte[] bytes) => Try(bytes, "utf-8") ?? Encoding.GetEncoding(Windows1252).GetString(bytes);

    private static string? Try(byte[] bytes, string charset)
    {
        try
        {
            return charset is "utf-8" or "utf8" ? Utf8.GetString(bytes) : Named(charset).GetString(bytes);
        }
        catch (Exception fault) when (fault is ArgumentException or NotSupportedException)
        {
            // It is no charset, one that nobody should use (UTF-7), or not that of the bytes.
            return null;
        }
    }

    private static Encoding Named(string charset) => Encoding.GetEncoding(
        charset switch
        {
            // What they are in practice.
            "iso-8859-1" or "latin1" or "cp1252" or "cp-1252" => "windows-1252",
            "iso-8859-9" => "windows-1254",
            "gb2312" or "gbk" or "gb_2312-80" => "gb18030",
            "x-sjis" or "sjis" or "cp932" or "ms932" or "windows-31j" or "ms_kanji" => "shift_jis",
            "ks_c_5601-1987" or "cp949" => "euc-kr",
            _ => charset,
        },
        EncoderFallback.ExceptionFallback, DecoderFallback.ExceptionFallback);

    private static string? ByMark(ReadOnlySpan<byte> bytes) => bytes switch
    {
        [0xEF, 0xBB, 0xBF, ..] => Encoding.UTF8.GetString(bytes[3..]),
        [0xFF, 0xFE, ..] => Encoding.Unicode.GetString(bytes[2..]),
        [0xFE, 0xFF, ..] => Encoding.BigEndianUnicode.GetString(bytes[2..]),
        _ => null,
    };

    // ESC $ or ESC ( begin another set of characters in ISO-2022-JP, and stand nowhere else.
    private static bool Escapes(ReadOnlySpan<byte> bytes) => bytes.IndexOf("\u001b$"u8) >= 0;

    // <meta charset=…>, or the same in http-equiv.
    private static string? InHtml(ReadOnlySpan<byte> bytes)
    {
        var head = Encoding.Latin1.GetString(bytes[..Math.Min(bytes.Length, 2048)]);
        var at = head.IndexOf("charset=", StringComparison.OrdinalIgnoreCase);
        var name = at < 0 ? "" : head[(at + 8)..].TrimStart('"', '\'');
        return name[..name.TakeWhile(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_').Count()].ToLowerInvariant() is { Length: > 0 and < 40 } charset ? charset : null;
    }
}
