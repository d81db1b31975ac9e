using System.Text;

namespace Eddy.Mail.Inbox;

/// <summary>What bytes are, by themselves: what a message says of them is only what its sender would like one to believe.</summary>
internal static class ContentSniff
{
    public const string Unknown = "application/octet-stream";

    private const int Looked = 4 << 10;

    private static readonly UTF8Encoding Utf8 = new(false, throwOnInvalidBytes: true);

    public static string TypeOf(ReadOnlySpan<byte> bytes)
    {
        var head = bytes[..Math.Min(bytes.Length, Looked)];
        return ByMagic(head) ?? (head.StartsWith("PK\u0003\u0004"u8) ? Zipped(bytes) : head.StartsWith("RIFF"u8) && head.Length > 12 ? Riff(head) : head.Length > 12 && head[4..].StartsWith("ftyp"u8) ? Boxed(head) : Text(head));
    }

    private static string? ByMagic(ReadOnlySpan<byte> head) =>
        head.StartsWith("%PDF-"u8) ? "application/pdf"
        : head.StartsWith((ReadOnlySpan<byte>)[0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A]) ? "image/png"
        : head.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF]) ? "image/jpeg"
        : head.StartsWith("GIF87a"u8) || head.StartsWith("GIF89a"u8) ? "image/gif"
        : head.StartsWith("BM"u8) && head.Length > 26 && head[6..10].IndexOfAnyExcept((byte)0) < 0 ? "image/bmp"
        : head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8) ? "image/tiff"
        : head.StartsWith((ReadOnlySpan<byte>)[0x1F, 0x8B, 0x08]) ? "application/gzip"
        : head.StartsWith((ReadOnlySpan<byte>)[(byte)'7', (byte)'z', 0xBC, 0xAF, 0x27, 0x1C]) ? "application/x-7z-compressed"
        : head.StartsWith("Rar!\u001a\u0007"u8) ? "application/vnd.rar"
        : head.StartsWith("MZ"u8) && head.Length >= 64 ? "application/vnd.microsoft.portable-executable"
        : head.StartsWith((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F']) ? "application/x-elf"
        : head.StartsWith((ReadOnlySpan<byte>)[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]) ? "application/x-ole-storage"
        : head.StartsWith("ID3"u8) ? "audio/mpeg"
        : head.StartsWith("OggS"u8) ? "audio/ogg"
        : head.StartsWith("{\\rtf"u8) ? "application/rtf"
        : null;

    private static string Riff(ReadOnlySpan<byte> head) => head[8..].StartsWith("WEBP"u8) ? "image/webp" : head[8..].StartsWith("WAVE"u8) ? "audio/wav" : head[8..].StartsWith("AVI "u8) ? "video/x-msvideo" : Unknown;

    private static string Boxed(ReadOnlySpan<byte> head) => head[8..].StartsWith("heic"u8) || head[8..].StartsWith("mif1"u8) ? "image/heic" : head[8..].StartsWith("avif"u8) ? "image/avif" : head[8..].StartsWith("M4A"u8) ? "audio/mp4" : "video/mp4";

    // Office's files are archives; the names in them say which.
    private static string Zipped(ReadOnlySpan<byte> bytes) =>
        bytes.IndexOf("word/document.xml"u8) >= 0 ? "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        : bytes.IndexOf("xl/workbook.xml"u8) >= 0 ? "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        : bytes.IndexOf("ppt/presentation.xml"u8) >= 0 ? "application/vnd.openxmlformats-officedocument.presentationml.presentation"
        : bytes[..Math.Min(bytes.Length, 200)].IndexOf("mimetypeapplication/vnd.oasis.opendocument.text"u8) >= 0 ? "application/vnd.oasis.opendocument.text"
        : bytes[..Math.Min(bytes.Length, 200)].IndexOf("mimetypeapplication/vnd.oasis.opendocument.spreadsheet"u8) >= 0 ? "application/vnd.oasis.opendocument.spreadsheet"
        : "application/zip";

    private static string Text(ReadOnlySpan<byte> head)
    {
        if (head.IsEmpty)
        {
            return "text/plain";
        }

        if (head.ContainsAnyInRange((byte)0, (byte)8) || AsText(head) is not { } text)
        {
            return Unknown;
        }

        var start = text.TrimStart('\ufeff', ' ', '\t', '\r', '\n');
        return start.StartsWith("BEGIN:VCALENDAR", StringComparison.OrdinalIgnoreCase) ? "text/calendar"
            : start.StartsWith("BEGIN:VCARD", StringComparison.OrdinalIgnoreCase) ? "text/vcard"
            : start.StartsWith("<svg", StringComparison.OrdinalIgnoreCase) || (start.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase) && start.Contains("<svg", StringComparison.OrdinalIgnoreCase)) ? "image/svg+xml"
            : start.StartsWith("<?xml", StringComparison.OrdinalIgnoreCase) ? "application/xml"
            : new[] { "<!doctype html", "<html", "<head", "<body", "<script", "<!--" }.Any(tag => start.StartsWith(tag, StringComparison.OrdinalIgnoreCase)) ? "text/html"
            : "text/plain";
    }

    // A character may be cut at the end of what is looked at.
    private static string? AsText(ReadOnlySpan<byte> head)
    {
        for (var cut = 0; cut < 4 && cut < head.Length; cut++)
        {
            try
            {
                return Utf8.GetString(head[..^cut]);
            }
            catch (DecoderFallbackException)
            {
                // With one byte less, perhaps.
            }
        }

        // Of one byte a character: then most of it is ASCII.
        var high = 0;
        foreach (var b in head)
        {
            high += b >= 0x80 ? 1 : 0;
        }

        return high * 3 < head.Length ? Encoding.Latin1.GetString(head) : null;
    }
}
