using System.Globalization;
using Eddy.Hindsight;
using Eddy.Quarantine;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Ide.Trace;

/// <summary>What stands in a trace in words.</summary>
public static class TraceText
{
    /// <summary>By which door something came.</summary>
    public static string Door(string source) => source switch
    {
        "post" => "POST",
        "ide" => "IDE",
        _ => Replay.PositionOf(source) is { } position ? string.Create(CultureInfo.InvariantCulture, $"replay of event {position}") : source,
    };

    /// <param name="self">Who looks, as events have it.</param>
    public static string Who(string actor, string self) => actor == self ? "you" : actor.StartsWith("key:", StringComparison.Ordinal) ? $"API key {actor[4..]}" : actor;

    public static string Process(long pid) => pid == 0 ? "the shared KVPs" : string.Create(CultureInfo.InvariantCulture, $"process {pid}");

    public static string Runs(int count) => count == 1 ? "1 run" : string.Create(CultureInfo.InvariantCulture, $"{count} runs");

    public static string PutOff(DeferredRun run) => run.Kind switch
    {
        "debounce" => run.Wakings > 1 ? string.Create(CultureInfo.InvariantCulture, $"owed: runs when it is quiet, once for {run.Wakings} wakings") : "owed: runs when it is quiet",
        "throttle" => "owed: runs when its turn of the throttle comes",
        _ => string.Create(CultureInfo.InvariantCulture, $"owed: tried again after {(run.Attempt == 1 ? "1 failure" : $"{run.Attempt} failures")}"),
    };

    public static string Aside(QuarantinedRun run) => run.IsRetrying ? "is being tried again" : run.Kind switch
    {
        "off" => "held: its rule is switched off",
        "held" => "held: waits for the run before it",
        "stopped" => "held: its cascade was stopped before its turn",
        _ => "in quarantine",
    };

    /// <summary>What went wrong, and what becomes of it.</summary>
    /// <param name="error">Null where who looks may not see it.</param>
    public static string Failure(RunError? error, QuarantinedRun? quarantined, bool isKilled)
    {
        var what = error is null ? $"It {(isKilled ? "was stopped" : "failed")}. Those who may change rules see why."
            : $"{error.Kind}: {error.Message.TrimEnd('.')}{(error.Line is { } line ? string.Create(CultureInfo.InvariantCulture, $" at line {line}") : "")}.";
        return quarantined is null ? $"{what} Nothing of this run took effect." : $"{what} In quarantine{(quarantined.Tries > 1 ? string.Create(CultureInfo.InvariantCulture, $", {quarantined.Tries} tries") : "")}.";
    }

    /// <summary>The file of a run's error at its line, or that of its rule.</summary>
    public static string Place(string slug, string rule, int? line) => $"/t/{slug}/rules/{rule.Split(':')[0]}{(line is { } at ? string.Create(CultureInfo.InvariantCulture, $"?line={at}") : "")}";
}
