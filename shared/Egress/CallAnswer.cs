namespace Eddy.Egress;

/// <summary>
/// What came of a call: the server's answer, or a <see cref="CallFault"/> and nothing else. Headers that belong to the connection are
/// left out; the body is as it was sent, compressed if it was.
/// </summary>
public sealed record CallAnswer(int Status, string Reason, IReadOnlyList<KeyValuePair<string, string>> Headers, ReadOnlyMemory<byte> Body, CallFault? Fault)
{
    internal static CallAnswer Of(CallFault fault) => new(0, "", [], ReadOnlyMemory<byte>.Empty, fault);
}

/// <summary>Why there is no answer: one of <see cref="CallFaults"/>, and one sentence for the tenant.</summary>
public sealed record CallFault(string Kind, string Message);

/// <summary>The kinds of <see cref="CallFault"/>.</summary>
public static class CallFaults
{
    /// <summary>The rules do not let it out.</summary>
    public const string Refused = "Refused";

    /// <summary>The name has no address.</summary>
    public const string Dns = "Dns";

    /// <summary>Nobody answers at the address.</summary>
    public const string Connect = "Connect";

    /// <summary>The server's certificate does not prove its name, or there is no common way to speak TLS.</summary>
    public const string Tls = "Tls";

    /// <summary>It took too long.</summary>
    public const string Timeout = "Timeout";

    /// <summary>Request, answer or their headers are too long.</summary>
    public const string TooLarge = "TooLarge";

    /// <summary>What came back is no HTTP, or ended early.</summary>
    public const string Protocol = "Protocol";

    /// <summary>The run ended before the call did. Only in records.</summary>
    public const string Stopped = "Stopped";
}

/// <summary>Ends a call with a fault. The message is for the tenant.</summary>
internal sealed class CallRefused(string kind, string message) : Exception(message)
{
    public CallFault Fault => new(kind, Message);
}
