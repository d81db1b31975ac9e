using System.Diagnostics;
using Eddy.Sandbox;

namespace Eddy.Pump;

/// <summary>Spans for the runs of arrivals whose trace is recorded, as children of the request that brought them. Others cost nothing.</summary>
internal static class RunSpans
{
    public const string Source = "Eddy.Pump";

    private static readonly ActivitySource Spans = new(Source);

    public static void Record(SliceRows rows, List<Turn> turns)
    {
        if (!Spans.HasListeners())
        {
            return;
        }

        for (var i = 0; i < rows.Runs.Traces.Count; i++)
        {
            // The last two characters are the flags; 01: recorded.
            if (rows.Runs.Traces[i] is not { } trace || !trace.EndsWith("01", StringComparison.Ordinal) || !ActivityContext.TryParse(trace, null, out var parent))
            {
                continue;
            }

            var end = turns[0].At;
            using var span = Spans.StartActivity("run", ActivityKind.Consumer, parent, startTime: new DateTimeOffset(end));
            span?.SetTag("eddy.rule", rows.Runs.Rules[i] ?? "checks that said no");
            span?.SetTag("eddy.run", rows.Runs.Ids[i]);
            span?.SetTag("eddy.outcome", ((RunOutcome)rows.Runs.Outcomes[i]).ToString());
            span?.SetEndTime(end.AddMicroseconds(rows.Runs.Elapsed[i]));
        }
    }
}
