using System.Globalization;

namespace Eddy.Hindsight;

/// <summary>
/// A change set of the log that comes in once more: as an arrival like any other, for the rules of today, with whoever asked for it as its actor. Its events say by their source what they replay. By
/// default it is quiet: mails and cards of its cascade are withheld, and calls are refused. The number of its arrival says so, for that is what all that it causes has, wherever and however late it runs.
/// </summary>
public static class Replay
{
    /// <summary>Why a call of a quiet replay gets no answer.</summary>
    public const string CallsWithheld = "This is a replay, and nobody allowed it to call out. Replay the event with mails and calls if it shall.";

    private const string Prefix = "replay:";

    // RFC 9562 leaves this one to whoever uses it; all other arrivals have 4 or 7.
    private const int QuietVersion = 8;

    /// <summary>The source of what replays the event of this position.</summary>
    public static string SourceOf(long position) => string.Create(CultureInfo.InvariantCulture, $"{Prefix}{position}");

    /// <summary>The position of what an event with this source replays; null where it replays nothing.</summary>
    public static long? PositionOf(string source) =>
        source.StartsWith(Prefix, StringComparison.Ordinal) && long.TryParse(source.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var position) ? position : null;

    /// <summary>A number for an arrival that tells nobody outside anything. It rises with time, like the others.</summary>
    public static Guid QuietArrival()
    {
        Span<byte> bytes = stackalloc byte[16];
        Guid.CreateVersion7().TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[6] = (byte)((QuietVersion << 4) | (bytes[6] & 0x0F));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>What comes of this arrival tells nobody outside anything.</summary>
    public static bool IsQuiet(Guid arrival) => arrival.Version == QuietVersion;

    /// <summary>What the log of a run says that told somebody something; null where it told nobody.</summary>
    public static string? Withheld(int mails, int cards) => (mails, cards) switch
    {
        (0, 0) => null,
        (_, 0) => $"Eddy: {Count(mails, "mail")} withheld, for this is a replay.",
        (0, _) => $"Eddy: {Count(cards, "card")} withheld, for this is a replay.",
        _ => $"Eddy: {Count(mails, "mail")} and {Count(cards, "card")} withheld, for this is a replay.",
    };

    private static string Count(int count, string what) => count == 1 ? $"1 {what}" : string.Create(CultureInfo.InvariantCulture, $"{count} {what}s");
}
