using Eddy.Sandbox;

namespace Eddy.Hindsight;

/// <summary>A text to be tried on all that was in a part of the log.</summary>
/// <param name="Path">The file that it would be.</param>
/// <param name="Text">The draft.</param>
/// <param name="Rule">The class of the rule; null where there is one alone.</param>
/// <param name="First">The first event.</param>
/// <param name="Last">The last event.</param>
public sealed record BacktestQuestion(string Path, string Text, string? Rule, long First, long Last);

/// <summary>What a text would have done, event by event.</summary>
public abstract record Backtest
{
    private Backtest()
    {
    }

    /// <param name="Rule">The rule's id.</param>
    /// <param name="Draft">What the draft would have done.</param>
    /// <param name="Record">What the rule of this name really did.</param>
    /// <param name="More">How often the draft would have run where the rule did not.</param>
    /// <param name="Fewer">How often the rule ran where the draft would not have.</param>
    /// <param name="Otherwise">How often both ran and changed something else.</param>
    /// <param name="Timeline">How often both ran, in equal parts of the time.</param>
    /// <param name="Examples">Some of the differences, of each kind the first ones.</param>
    /// <param name="Notes">What is not as it was then, a sentence each.</param>
    public sealed record Done(
        string Rule, long First, long Last, DateTimeOffset From, DateTimeOffset To, int Events, BacktestSide Draft, BacktestSide Record, int More, int Fewer, int Otherwise, IReadOnlyList<BacktestPart> Timeline,
        IReadOnlyList<BacktestExample> Examples, IReadOnlyList<string> Notes) : Backtest;

    /// <summary>The text does not load.</summary>
    public sealed record Faulty(LoadError Error) : Backtest;

    /// <summary>There is no such rule in the text, or it was not said which.</summary>
    public sealed record NoRule(IReadOnlyList<string> Rules) : Backtest;

    /// <summary>It can not be done, or did not come to its end, for this reason.</summary>
    public sealed record Stopped(string Reason) : Backtest;
}

/// <summary>What was done in all.</summary>
public sealed record BacktestSide(int Ran, int SaidNo, int Failed, long Changes, int Mails, int Cards);

/// <summary>How often each ran in a part of the time.</summary>
public sealed record BacktestPart(DateTimeOffset At, int Draft, int Record);

/// <summary>A difference.</summary>
/// <param name="Kind"><c>more</c>, <c>fewer</c>, <c>otherwise</c> or <c>failed</c>.</param>
/// <param name="Text">What the draft did.</param>
public sealed record BacktestExample(string Kind, long Event, long Pid, DateTimeOffset At, string Text);
