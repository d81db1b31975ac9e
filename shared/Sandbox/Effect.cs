using System.Text.Json.Serialization;

namespace Eddy.Sandbox;

/// <summary>What a run tells people, or keeps besides KVPs. It is in force with the run's changes: with the commit that records the run, or not at all.</summary>
/// <param name="Pid">The process that it is about; 0 where an API script names none.</param>
[JsonDerivedType(typeof(MailSent), "mail")]
[JsonDerivedType(typeof(CardLoaded), "card")]
[JsonDerivedType(typeof(FileSaved), "file")]
[JsonDerivedType(typeof(ActorChosen), "actor")]
public abstract record Effect(long Pid)
{
    /// <summary>How many mails and cards one run may have.</summary>
    public const int Most = 100;

    /// <summary>How many characters all texts of one run may have.</summary>
    public const int MostCharacters = 1 << 20;
}

/// <summary>A mail, as its rule wrote it: placeholders are still in it.</summary>
/// <param name="To">One or more addresses, each once.</param>
/// <param name="Message">Markdown with placeholders.</param>
/// <param name="Subject">One line with placeholders; null where the rule gave none.</param>
/// <param name="Attach">Whether the KVPs of the process go along.</param>
public sealed record MailSent(long Pid, IReadOnlyList<string> To, string Message, string? Subject, bool Attach) : Effect(Pid)
{
    public const int MostReceivers = 50;

    /// <summary>In bytes of UTF-8.</summary>
    public const int MostBytes = 256 << 10;

    /// <summary>In bytes of UTF-8.</summary>
    public const int MostSubjectBytes = 1000;
}

/// <summary>A card is to be shown.</summary>
/// <param name="User">To whom; null for the last actor.</param>
public sealed record CardLoaded(long Pid, string Name, string? User) : Effect(Pid);

/// <summary>A file of <c>workspace/</c> that the run has saved.</summary>
public sealed record FileSaved(string Path, byte[] Content) : Effect(0)
{
    /// <summary>How many files one run saves.</summary>
    public const int MostFiles = 20;

    /// <summary>Of one file.</summary>
    public const int MostBytes = 1 << 20;

    /// <summary>Of all files that one run saves.</summary>
    public const int MostOfRun = 4 << 20;
}

/// <summary>What an API script answers. Nothing of it is kept.</summary>
public sealed record Answered(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body) : Effect(0)
{
    public const int MostHeaders = 100;

    public const int MostBytes = 4 << 20;

    /// <summary>A token (RFC 9110, 5.6.2): a colon in a name would begin another header's value.</summary>
    public static bool IsHeaderName(string text) => text.Length is > 0 and <= 200 && text.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-.^_`|~".Contains(c, StringComparison.Ordinal));

    /// <summary>Printable ASCII on one line, so that no header can bring another along.</summary>
    public static bool IsHeaderValue(string text) => text.Length <= 8000 && text.All(c => c is >= ' ' and <= '~');
}

/// <summary>From here on the cascade's cards are for this one, where no other is named.</summary>
public sealed record ActorChosen(string Actor) : Effect(0)
{
    public static string? Among(IReadOnlyList<Effect> effects) => effects is [ActorChosen chosen, ..] ? chosen.Actor : null;
}
