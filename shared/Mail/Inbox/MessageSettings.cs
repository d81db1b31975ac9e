namespace Eddy.Mail.Inbox;

/// <summary>What the operator says of the server that receives the mail, and how much of a message is taken.</summary>
public sealed record MessageSettings
{
    public static MessageSettings Default { get; } = new();

    /// <summary>The headers in which the receiving server writes to whom it delivered. The topmost of them counts.</summary>
    public IReadOnlyList<string> DeliveryHeaders { get; init; } = ["Delivered-To"];

    /// <summary>The names (authserv-id, RFC 8601) under which the receiving server writes <c>Authentication-Results</c>. Those of others are not read.</summary>
    public IReadOnlyList<string> AuthenticationServers { get; init; } = [];

    /// <summary>For all keys of a message's signatures together: whoever sends it chooses who is asked for them, and that one may be silent.</summary>
    public TimeSpan KeyPatience { get; init; } = TimeSpan.FromSeconds(4);

    /// <summary>Bytes of a message as it comes.</summary>
    public int MostBytes { get; init; } = 25 << 20;

    /// <summary>Headers of a message and all its parts.</summary>
    public int MostHeaders { get; init; } = 2_000;

    /// <summary>Bytes of all headers together.</summary>
    public int MostHeaderBytes { get; init; } = 512 << 10;

    /// <summary>Parts inside one another.</summary>
    public int MostDepth { get; init; } = 20;

    /// <summary>Parts in all.</summary>
    public int MostParts { get; init; } = 500;

    /// <summary>Characters of its text; what goes beyond is cut.</summary>
    public int MostTextCharacters { get; init; } = 200_000;

    public int MostAttachments { get; init; } = 50;

    /// <summary>Bytes of all attachments together, as they are unpacked.</summary>
    public int MostAttachmentBytes { get; init; } = 25 << 20;
}
