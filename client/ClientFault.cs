namespace Eddy.Client;

/// <summary>Why a command ends before its end, in a sentence.</summary>
/// <param name="details">What is wrong, one a line, as path:line:column: error: message where it is in a file.</param>
public sealed class ClientFault(string message, int code = ClientFault.Failed, IReadOnlyList<string>? details = null) : Exception(message)
{
    public const int Failed = 1;

    /// <summary>What was asked for can not be.</summary>
    public const int Usage = 2;

    public const int NoAnswer = 3;

    public int Code => code;

    /// <summary>It was asked for on what is not so any more: who looks again may ask again.</summary>
    public bool IsStale { get; init; }

    /// <summary>The folder is no copy any more: nothing that lacks in it was deleted by anybody.</summary>
    public bool IsLost { get; init; }

    public IReadOnlyList<string> Details => details ?? [];
}
