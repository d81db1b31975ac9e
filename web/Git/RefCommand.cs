using System.Text;

namespace Eddy.Git;

/// <summary>What a push asks for: a reference that is one commit shall be another.</summary>
/// <param name="Old">The commit that it is, as far as whoever pushes knows; <see cref="None"/> for none yet.</param>
/// <param name="New">The commit that it shall be; <see cref="None"/> to delete it.</param>
public sealed record RefCommand(string Old, string New, string Name)
{
    public const string None = "0000000000000000000000000000000000000000";

    /// <summary>The one reference that there is.</summary>
    public const string Main = "refs/heads/main";

    /// <summary>What this side understands of what clients may want.</summary>
    public const string Capabilities = "report-status delete-refs side-band-64k ofs-delta quiet object-format=sha1 agent=eddy";

    private const int Most = 100;

    // Of all lines, also of those that tell where a clone ends.
    private const int MostBytes = 1 << 20;

    /// <summary>Reads all that a push asks for, up to its pack. <c>IsBanded</c>: it takes messages beside the answer.</summary>
    /// <exception cref="GitRequestFault">It is no push, or asks for too much.</exception>
    public static async Task<(IReadOnlyList<RefCommand> Commands, bool IsBanded)> ReadAllAsync(Stream from, CancellationToken cancel)
    {
        var commands = new List<RefCommand>();
        var isBanded = false;
        var total = 0;
        while (await PacketLine.ReadAsync(from, cancel) is { } bytes)
        {
            // Before the pack, and so before what git itself allows: a few bytes can be zipped that have no end.
            if ((total += bytes.Length + 4) > MostBytes)
            {
                throw new GitRequestFault($"A push says in at most {MostBytes:N0} bytes what it wants.");
            }

            var line = Encoding.UTF8.GetString(bytes).TrimEnd('\n');
            if (line.StartsWith("shallow ", StringComparison.Ordinal))
            {
                // Where that clone ends says nothing of what is here: whatever lacks is missed later.
                continue;
            }

            var (words, wants) = line.IndexOf('\0', StringComparison.Ordinal) is var end and >= 0 ? (line[..end], line[(end + 1)..]) : (line, "");
            isBanded |= wants.Split(' ').Contains("side-band-64k");
            if (words.Split(' ', 3) is not [var old, var next, { Length: > 0 and <= 1000 } name] || !IsId(old) || !IsId(next))
            {
                throw new GitRequestFault("This is no push that is understood here.");
            }

            if (commands.Count == Most)
            {
                throw new GitRequestFault($"A push names at most {Most} references, and only {Main} is one.");
            }

            commands.Add(new RefCommand(old, next, name));
        }

        return (commands, isBanded);
    }

    private static bool IsId(string text) => text.Length == 40 && text.All(char.IsAsciiHexDigitLower);
}
