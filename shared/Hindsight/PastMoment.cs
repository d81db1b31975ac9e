using System.Globalization;

namespace Eddy.Hindsight;

/// <summary>A moment of the log as people write it: a position, or a time with its offset. One of the two is there.</summary>
public readonly record struct PastMoment(long? Position, DateTimeOffset? At)
{
    /// <summary>Null where it is none.</summary>
    public static PastMoment? Read(string text)
    {
        if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var position))
        {
            return new PastMoment(position, null);
        }

        // A plus that nobody has escaped in an address is a space there.
        var sign = text.Length - 6;
        if (sign > 0 && text[sign] == ' ')
        {
            text = string.Concat(text.AsSpan(0, sign), "+", text.AsSpan(sign + 1));
        }

        // Without an offset it would be the server's time.
        var hasOffset = text.EndsWith('Z') || (sign > 0 && text[sign] is '+' or '-' && text[^3] == ':');
        return hasOffset && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out var at) ? new PastMoment(null, at) : null;
    }
}
