using System.Globalization;
using Eddy.Runs;
using Eddy.Sandbox;
using Microsoft.AspNetCore.WebUtilities;

namespace Eddy.Ide.Runs;

/// <summary>Which runs the list shows, as its address has it. Moments are the tenant's, as fields of a form have them.</summary>
public sealed record RunFilter(string? Rule, string? Outcome, long? Pid, string? Since, string? Before)
{
    public static RunFilter None { get; } = new(null, null, null, null, null);

    /// <summary>A page of it.</summary>
    public RunQuery Query(TimeZoneInfo zone, long? beyond, int limit) => new(null, Pid, Rule, OutcomeOf(Outcome), beyond, limit) { Since = MomentOf(Since, zone), Before = MomentOf(Before, zone) };

    /// <summary>Whether a run that was just committed belongs on top of the list.</summary>
    public bool Lets(StoredRun run, TimeZoneInfo zone) =>
        (Pid is not { } pid || run.Pid == pid)
        && (OutcomeOf(Outcome) is not { } outcome || run.Outcome == outcome)
        && (string.IsNullOrEmpty(Rule) || (run.SaidNo ?? [run.Rule!]).Any(rule => rule == Rule || rule.EndsWith(":" + Rule, StringComparison.Ordinal)))
        && (MomentOf(Since, zone) is not { } since || run.At >= since)
        && (MomentOf(Before, zone) is not { } before || run.At < before);

    public string Address(string path)
    {
        var parts = new Dictionary<string, string?> { ["rule"] = Rule, ["outcome"] = Outcome, ["pid"] = Pid?.ToString(CultureInfo.InvariantCulture), ["since"] = Since, ["before"] = Before };
        return QueryHelpers.AddQueryString(path, parts.Where(part => !string.IsNullOrEmpty(part.Value)));
    }

    private static RunOutcome? OutcomeOf(string? word) => word switch
    {
        "no" => RunOutcome.No,
        "ran" => RunOutcome.Ran,
        "failed" => RunOutcome.Failed,
        "killed" => RunOutcome.Killed,
        _ => null,
    };

    private static DateTimeOffset? MomentOf(string? text, TimeZoneInfo zone)
    {
        if (!DateTime.TryParseExact(text, ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss"], CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
        {
            return null;
        }

        // A moment that the clocks skip is the one that they show instead.
        return zone.IsInvalidTime(local) ? MomentOf(local.AddHours(1).ToString("yyyy-MM-dd'T'HH:mm", CultureInfo.InvariantCulture), zone) : new DateTimeOffset(local, zone.GetUtcOffset(local)).ToUniversalTime();
    }
}
