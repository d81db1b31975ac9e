using System.Text.Json;
using System.Text.Json.Serialization;

namespace Eddy.Client.Server;

// What the API says, as far as the client reads it. The names are those of the API, where they are told of.
public sealed record ProblemAnswer(string? Title, string? Detail, IReadOnlyList<ProblemError>? Errors);

public sealed record ProblemError(string Detail);

public sealed record MeAnswer(string Tenant, string TenantName, string Key, IReadOnlyList<string> Scopes, string? Person);

public sealed record TreeAnswer(string Tenant, long Version, IReadOnlyList<FileMark> Files);

/// <param name="Sha256">In small hexadecimal.</param>
public sealed record FileMark(string Path, long Version, long Size, string Sha256);

public sealed record TreeBody(IReadOnlyList<TreeBodyFile> Files);

public sealed record TreeBodyFile(string Path, long? Seen, string? Text, string? Base64)
{
    [JsonIgnore]
    public bool IsRemoved => Text is null && Base64 is null;
}

public sealed record TreeChangedAnswer(long Version, bool Saved, IReadOnlyList<ChangedFile> Files);

public sealed record ChangedFile(string Path, string Kind, IReadOnlyList<FindingAnswer> Findings);

public sealed record FindingAnswer(string Severity, int Line, int Column, string Message);

public sealed record FileFaultAnswer(string? Path, int? Line, int? Column, string Message);

public sealed record PlanAnswer(long Tree, bool MayImport, IReadOnlyList<PlannedAnswer> Files, IReadOnlyList<LeftOut> Left);

public sealed record PlannedAnswer(string Path, string Kind, IReadOnlyList<ConvertedAnswer> Converted, IReadOnlyList<ConvertedAnswer> ToSee, IReadOnlyList<FileFaultAnswer> Faults);

public sealed record ConvertedAnswer(int Line, string Message);

public sealed record LeftOut(string Path, string Reason);

public sealed record ImportAnswer(long Version, int Files);

public sealed record RunListAnswer(IReadOnlyList<RunRow> Runs, string? Next);

public sealed record RunRow(long Id, DateTimeOffset At, string Rule, string Outcome, long Pid, long ChangeSet, int Generation, double Milliseconds);

public sealed record RunDetail(
    long Id, DateTimeOffset At, IReadOnlyList<string> Rules, string Outcome, long Pid, long ChangeSet, int Generation, double Milliseconds, string? Log, RunErrorAnswer? Error, JsonElement? Calls,
    EffectsAnswer? Effects, IReadOnlyList<EventRow> Changes)
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }
}

public sealed record RunErrorAnswer(string Kind, string Message, string? File, int? Line, string? Traceback);

public sealed record EventRow(long Position, long Pid, string Key, JsonElement? Value, bool Deleted, long ChangeSet);

public sealed record EffectsAnswer(IReadOnlyList<MailAnswer> Mails, IReadOnlyList<CardAnswer> Cards);

public sealed record MailAnswer(IReadOnlyList<string> To, string? Subject, string? State);

public sealed record CardAnswer(string Name, string? User);

/// <param name="Kvps">Null where it has not settled yet.</param>
public sealed record SettledAnswer(Guid Arrival, long Pid, IReadOnlyDictionary<string, JsonElement>? Kvps, IReadOnlyList<RunRow>? Runs);

/// <param name="Kvps">An object, or text of lines.</param>
public sealed record DryRunBody(string Path, string Text, string? Rule, long? Event, long? Pid, object? Kvps);

public sealed record DryRunAnswer(
    string Rule, long? Pid, bool Wakes, string Outcome, DryCheck? Check, IReadOnlyList<DryChange> Changes, IReadOnlyList<MailAnswer> Mails, IReadOnlyList<CardAnswer> Cards, IReadOnlyList<string> Files,
    IReadOnlyList<DryCall> Calls, string? Log, RunErrorAnswer? Error, DryReally? Really, IReadOnlyList<string> Notes);

public sealed record DryCheck(string? Returned, string? Decided);

public sealed record DryChange(long? Pid, string Key, JsonElement? Value);

public sealed record DryCall(string Method, string Url, int? Status);

public sealed record DryReally(long Run, string Outcome, IReadOnlyList<EventRow> Changes);

public sealed record TestsBody(IReadOnlyList<TestsFile>? Files, string? Path);

public sealed record TestsFile(string Path, string? Text);

public sealed record TestsAnswer(int Passed, int Failed, double Milliseconds, IReadOnlyList<TestAnswer> Tests, IReadOnlyList<FileFaultAnswer>? Faults);

/// <param name="FailedAt">The line of its own file; <paramref name="At"/> is in another.</param>
public sealed record TestAnswer(string Path, string Name, int? Line, bool Passed, string? Message, int? FailedAt, TestPlace? At, string? Log);

public sealed record TestPlace(string File, int? Line);
