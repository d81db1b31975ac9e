namespace Eddy.Pump;

/// <summary>A mail or card as it goes into the commit of its run.</summary>
public abstract record WrittenEffect(long Pid);

/// <param name="Html">Null where it goes out as text alone.</param>
/// <param name="Attached">A JSON object of KVPs, or null.</param>
public sealed record WrittenMail(long Pid, IReadOnlyList<string> To, string Subject, string Text, string? Html, string? Attached) : WrittenEffect(Pid);

public sealed record WrittenCard(long Pid, string Name, string User) : WrittenEffect(Pid);
