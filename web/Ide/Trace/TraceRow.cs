using Eddy.Cards;
using Eddy.Egress;
using Eddy.Events;
using Eddy.Mail;
using Eddy.Sandbox;

namespace Eddy.Ide.Trace;

/// <summary>A row of a trace: what it tells, and where in the tree it stands.</summary>
/// <param name="Id">The same as long as it tells of the same; unique in the tenant.</param>
/// <param name="Level">From 1, as screen readers count.</param>
/// <param name="Place">Its place among its siblings, from 1, of <paramref name="Of"/>.</param>
/// <param name="Guides">The lines that lead to it, from the left.</param>
/// <param name="IsOpen">Null where nothing is below it.</param>
public sealed record TraceRow(string Id, int Level, int Place, int Of, IReadOnlyList<Guide> Guides, TraceSubject Subject, bool? IsOpen);

/// <summary>A line of the tree beside a row.</summary>
/// <param name="Leads">It leads to the row; else it passes by, to one further down.</param>
/// <param name="Ends">None of its siblings is further down.</param>
/// <param name="IsLit">Something ran.</param>
public readonly record struct Guide(bool Leads, bool Ends, bool IsLit);

/// <summary>What a row of a trace tells.</summary>
public abstract record TraceSubject
{
    private TraceSubject()
    {
    }

    public sealed record Arrival(ArrivalTree Tree) : TraceSubject;

    /// <param name="Pid">Where it is, where that is not the process of the row above; else null.</param>
    public sealed record Change(StoredEvent Event, long? Pid) : TraceSubject;

    /// <summary>Changes that who looks may not read.</summary>
    public sealed record Hidden(int Count) : TraceSubject;

    /// <param name="Pid">As in <see cref="Change"/>.</param>
    public sealed record Woken(TracedRun Run, long? Pid) : TraceSubject;

    /// <summary>Many checks in a row that said no.</summary>
    public sealed record SaidNo(int Count) : TraceSubject;

    /// <param name="Error">Null where who looks may not see it.</param>
    public sealed record Failure(TracedRun Run, RunError? Error) : TraceSubject;

    public sealed record Call(CallRecord Record) : TraceSubject;

    public sealed record Log(string First, int Lines) : TraceSubject;

    public sealed record Mail(StoredMail Sent) : TraceSubject;

    public sealed record Card(StoredCard Shown) : TraceSubject;
}
