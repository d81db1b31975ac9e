using System.Globalization;
using System.Text;

namespace Eddy.Git;

/// <summary>Lines as git's protocol has them: four hexadecimal digits say how long one is, themselves included; 0000 ends a list.</summary>
public static class PacketLine
{
    public const int MostBytes = 65520;

    public static ReadOnlySpan<byte> Flush => "0000"u8;

    /// <summary>The next line; null at the end of a list, and of the stream.</summary>
    /// <exception cref="GitRequestFault">It is no such line.</exception>
    public static async Task<byte[]?> ReadAsync(Stream from, CancellationToken cancel)
    {
        var digits = new byte[4];
        var read = await from.ReadAtLeastAsync(digits, 4, throwOnEndOfStream: false, cancel);
        if (read == 0)
        {
            return null;
        }

        if (read < 4 || !int.TryParse(Encoding.ASCII.GetString(digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var length) || length is (> 0 and < 4) or > MostBytes or < 0)
        {
            throw new GitRequestFault("This is no request of git.");
        }

        if (length == 0)
        {
            return null;
        }

        var line = new byte[length - 4];
        return await from.ReadAtLeastAsync(line, line.Length, throwOnEndOfStream: false, cancel) == line.Length ? line : throw new GitRequestFault("The request was cut off.");
    }

    /// <summary>The line with these bytes; <paramref name="band"/> comes first where there are several streams in one.</summary>
    public static byte[] Of(ReadOnlySpan<byte> content, byte? band = null)
    {
        var start = band is null ? 4 : 5;
        var line = new byte[start + content.Length];
        Encoding.ASCII.GetBytes((start + content.Length).ToString("x4", CultureInfo.InvariantCulture), line);
        if (band is { } number)
        {
            line[4] = number;
        }

        content.CopyTo(line.AsSpan(start));
        return line;
    }

    public static byte[] Of(string content) => Of(Encoding.UTF8.GetBytes(content));
}
