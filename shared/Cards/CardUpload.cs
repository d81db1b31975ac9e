using Eddy.Mail.Inbox;

namespace Eddy.Cards;

/// <summary>A file that somebody sends with a card.</summary>
/// <param name="Name">As a file can be called anywhere.</param>
/// <param name="Type">What its bytes are, whatever the browser said.</param>
/// <param name="Link">Where it is opened.</param>
public sealed record CardUpload(Guid Id, string Name, string Type, ReadOnlyMemory<byte> Content, string Link)
{
    /// <summary>Of one file.</summary>
    public const int MostBytes = 10 << 20;

    /// <summary>Of one form.</summary>
    public const int MostFiles = 10;

    /// <param name="claimed">The name that the browser gave.</param>
    /// <param name="link">Makes the address of it.</param>
    public static CardUpload Of(string claimed, byte[] content, Func<Guid, string> link)
    {
        var (id, type) = (Guid.CreateVersion7(), ContentSniff.TypeOf(content));
        return new CardUpload(id, new AttachmentNames().Of(claimed, type), type, content, link(id));
    }

    /// <summary>Whether it is of those that a field takes, as <c>.pdf,image/*</c>.</summary>
    internal bool IsAccepted(string accept)
    {
        foreach (var one in accept.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (one[0] == '.' ? Name.EndsWith(one, StringComparison.OrdinalIgnoreCase)
                : one.EndsWith("/*", StringComparison.Ordinal) ? Type.StartsWith(one[..^1], StringComparison.OrdinalIgnoreCase)
                : Type.Equals(one, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
