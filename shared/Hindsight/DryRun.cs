using Eddy.Cascades;
using Eddy.Events;
using Eddy.Kvps;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Hindsight;

/// <summary>A text to be tried, and what on.</summary>
/// <param name="Path">The file that it would be, as in <c>scripts/heat.py</c>.</param>
/// <param name="Text">The draft.</param>
/// <param name="Rule">The class of the rule; null where there is one alone.</param>
/// <param name="Event">The event that wakes it; null where <paramref name="Changes"/> do.</param>
/// <param name="Pid">The process: of those that the event wakes, or the one that is changed. Null for the first, or a new one.</param>
/// <param name="Changes">What is set, as one change set, in the process as it is now.</param>
public sealed record DryRunQuestion(string Path, string Text, string? Rule, long? Event, long? Pid, IReadOnlyList<Change> Changes);

/// <summary>What a text would do.</summary>
public abstract record DryRun
{
    private DryRun()
    {
    }

    /// <param name="Rule">The rule's id.</param>
    /// <param name="Pid">The process in which it ran.</param>
    /// <param name="IsNew">There is no such process: it is one that the event would make.</param>
    /// <param name="Position">It saw the state right after this event.</param>
    /// <param name="Wakes">Whether what was set would wake it; it was run in any case.</param>
    /// <param name="Check">What its check read and returned.</param>
    /// <param name="Ended">How it ended: log, error, mails, cards and files.</param>
    /// <param name="Changes">What it would change, with what was there before.</param>
    /// <param name="Calls">Whom it called.</param>
    /// <param name="Really">What happened then; null where it did not run for this, or nothing happened.</param>
    /// <param name="Notes">What can not be as it was then, a sentence each.</param>
    public sealed record Done(
        string Rule, long Pid, bool IsNew, long Position, bool Wakes, WhyCheck Check, RunEnded Ended, IReadOnlyList<DryChange> Changes, IReadOnlyList<DryCall> Calls, Really? Really, IReadOnlyList<string> Notes)
        : DryRun;

    /// <summary>The text does not load.</summary>
    public sealed record Faulty(LoadError Error) : DryRun;

    /// <summary>There is no such rule in the text, or it was not said which.</summary>
    public sealed record NoRule(IReadOnlyList<string> Rules) : DryRun;

    /// <summary>The log has no such event.</summary>
    public sealed record NoEvent : DryRun;
}

/// <summary>A KVP as it would become.</summary>
/// <param name="Value">Null where it would be removed.</param>
/// <param name="Before">Null where there was none.</param>
public sealed record DryChange(long Pid, string Key, string? Value, string? Before);

/// <summary>A call that a dry run made, and that went nowhere.</summary>
/// <param name="Status">That of then, where the same call was made then; null where it was refused.</param>
public sealed record DryCall(string Method, string Url, int? Status);

/// <summary>What really happened.</summary>
public sealed record Really(StoredRun Run, IReadOnlyList<StoredEvent> Changes, RunTold? Told);
