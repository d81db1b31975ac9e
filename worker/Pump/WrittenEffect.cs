namespace Eddy.Pump;

/// <summary>A mail, a card or a file as it goes into the commit of its run.</summary>
public abstract record WrittenEffect(long Pid);

/// <param name="Html">Null where it goes out as text alone.</param>
/// <param name="Attached">A JSON object of KVPs, or null.</param>
public sealed record WrittenMail(long Pid, IReadOnlyList<string> To, string Subject, string Text, string? Html, string? Attached) : WrittenEffect(Pid);

/// <param name="Author">The rule whose run saved it.</param>
public sealed record WrittenFile(string Path, byte[] Content, string Author) : WrittenEffect(0);

public sealed record WrittenCard(long Pid, string Name, string User) : WrittenEffect(Pid);
