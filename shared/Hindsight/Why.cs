using Eddy.Events;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Hindsight;

/// <summary>Why a rule ran for a change set, or did not.</summary>
/// <param name="Event">The event that was asked about.</param>
/// <param name="Rule">Its id.</param>
/// <param name="Pid">The process in which it ran or might have; 0 where none can be named.</param>
/// <param name="TreeVersion">The version of the files that was in force then.</param>
/// <param name="Verdict">In a sentence.</param>
/// <param name="Reasons">What was looked at, one after the other.</param>
/// <param name="Run">The record of it; null where there is none.</param>
/// <param name="Check">What its check read and returned, worked out again; null where that can not be.</param>
/// <param name="Cause">Of a rule that was not woken: why another, which would have woken it, did not.</param>
/// <param name="Elsewhere">The other processes in which the change set woke it.</param>
public sealed record Why(
    StoredEvent Event, string Rule, long Pid, long TreeVersion, WhyOutcome Outcome, string Verdict, IReadOnlyList<WhyReason> Reasons, StoredRun? Run, WhyCheck? Check, Why? Cause,
    IReadOnlyList<long> Elsewhere)
{
    /// <summary>What ran or did not before, in the same process, the newest first.</summary>
    public IReadOnlyList<StoredRun> Last { get; init; } = [];

    public string Name => Rule[(Rule.IndexOf(':', StringComparison.Ordinal) + 1)..];

    public string File => Rule.Split(':')[0];
}

/// <summary>What became of a rule for a change set.</summary>
public enum WhyOutcome
{
    Ran,
    SaidNo,
    Failed,
    Killed,

    /// <summary>Its rule says that it runs later.</summary>
    PutOff,

    /// <summary>It waits in quarantine, because its rule is switched off, an earlier run is there, or its cascade was stopped.</summary>
    Aside,

    /// <summary>It was woken, and comes to its turn.</summary>
    Owed,

    /// <summary>Nothing that it listens to was in the change set.</summary>
    NotWoken,

    /// <summary>It was not among the rules then.</summary>
    NotThere,

    /// <summary>It was woken, and nothing tells what became of it: what waited was put together with a later one, or dropped.</summary>
    Gone,
}

/// <summary>One thing that was looked at.</summary>
/// <param name="Code">Stays the same: <c>there</c>, <c>woken</c>, <c>nearest</c>, <c>setters</c>, <c>switch</c>, <c>waits</c>, <c>cascade</c>, <c>check</c>, <c>action</c>.</param>
/// <param name="Holds">Whether it lets the rule run; null where it only tells more.</param>
public sealed record WhyReason(string Code, bool? Holds, string Text);

/// <summary>A check that was worked out again.</summary>
/// <param name="Look">What it read.</param>
/// <param name="TreeVersion">From the files of this version.</param>
/// <param name="Position">On the state right after this event.</param>
/// <param name="IsAssumed">The rule was not woken: it is what check would have said.</param>
/// <param name="Differs">Where it is not what the record says: that, and why it may be, in a sentence. Null where it agrees.</param>
/// <param name="Text">The files that it stands in, by path.</param>
public sealed record WhyCheck(Look Look, long TreeVersion, long Position, bool IsAssumed, string? Differs, IReadOnlyDictionary<string, string> Text)
{
    /// <summary>Its process as it was: who set what it read.</summary>
    public IReadOnlyDictionary<(long Pid, string Key), PastKvp> Kvps { get; init; } = new Dictionary<(long, string), PastKvp>();

    /// <summary>What decided, as in <c>self.temperature 72 &gt; 90</c>; null where nothing can be named.</summary>
    public string? Decided => SeenText.Decided(Look, Text);
}
