using System.Globalization;
using System.Text.Json;
using Eddy.Events;
using Eddy.Quarantine;
using Eddy.Rules;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Hindsight;

/// <summary>What was found of a rule and a change set, and what that comes to: a sentence and the reasons for it.</summary>
/// <param name="Rule">The rule's id.</param>
/// <param name="Told">The change set as far as who asks may read it.</param>
/// <param name="Loaded">The rule as it was loaded; null where it was not there.</param>
/// <param name="Missing">Why it was not there, in a sentence; null where it was.</param>
/// <param name="Matches">By what it was woken.</param>
/// <param name="Run">Its record in the process; null where there is none.</param>
/// <param name="Check">Its check, worked out again.</param>
/// <param name="Rules">The rules as they are written today.</param>
/// <param name="Setters">Records of the same cascade of rules that may set what it listens to.</param>
/// <param name="MayTellAll">Errors and what is printed may be told.</param>
internal sealed record WhyVerdict(
    string Rule, long? Pid, WakingFacts Facts, IReadOnlyList<StoredEvent> Told, LoadedRule? Loaded, string? Missing, IReadOnlyList<WakeMatch> Matches, StoredRun? Run, WhyCheck? Check,
    IReadOnlyList<PlacedRule> Rules, IReadOnlyList<StoredRun> Setters, TimeZoneInfo Zone, bool MayTellAll)
{
    private const int MostNamed = 5;

    private string Name => NameOf(Rule);

    private DeferredRun? Deferred => Facts.Deferred.FirstOrDefault(IsHere);

    private QuarantinedRun? Quarantined => Facts.Quarantined.FirstOrDefault(one => Pid is null || one.Pid == Pid);

    private OwedWaking? Owed => Facts.Owed.Where(one => Pid is null || one.Pid == Pid).Select(one => (OwedWaking?)one).FirstOrDefault();

    private RunError? Error => MayTellAll && Run?.Error is { } error ? JsonSerializer.Deserialize<RunError>(error, JsonSerializerOptions.Web) : null;

    public WhyOutcome Outcome =>
        Run is { Outcome: RunOutcome.Ran } ? WhyOutcome.Ran
        : Run is { Outcome: RunOutcome.No } ? WhyOutcome.SaidNo
        : Run is { Outcome: RunOutcome.Killed } ? WhyOutcome.Killed
        : Run is not null ? WhyOutcome.Failed
        : Deferred is not null ? WhyOutcome.PutOff
        : Quarantined is not null ? WhyOutcome.Aside
        : Owed is not null ? WhyOutcome.Owed
        : Loaded is null ? WhyOutcome.NotThere
        : Matches.Count == 0 ? WhyOutcome.NotWoken
        : WhyOutcome.Gone;

    public string Sentence => Outcome switch
    {
        WhyOutcome.Ran => $"{Name} ran{(Check?.Decided is { } yes ? $": {yes}" : "")}. {(Run!.Changes == 0 ? "It changed nothing." : $"It changed {Count(Run.Changes, "KVP")}.")}",
        WhyOutcome.SaidNo => Lacking is { } lacks ? $"{Name} was woken and did not run: {lacks}." : $"{Name} was woken, and its check said no{(Check?.Decided is { } no ? $": {no}" : "")}.",
        WhyOutcome.Failed or WhyOutcome.Killed when Error is { Kind: "Cascade" } cascade => $"{Name} was woken and not begun. {cascade.Message}",
        WhyOutcome.Failed => $"{Name} ran and failed{Raised}. Nothing of it took effect.",
        WhyOutcome.Killed => $"{Name} was stopped{Raised}. Nothing of it took effect.",
        WhyOutcome.PutOff => $"{Name} was woken and waits: {WaitsFor(Deferred!)}.",
        WhyOutcome.Aside => $"{Name} was woken and put aside: {AsideOf(Quarantined!)}.",
        WhyOutcome.Owed => Owed!.Value.IsBeside ? $"{Name} was woken, and runs beside the line: it calls out, or waits for an earlier run of its own that does." : $"{Name} was woken, and has not come to its turn yet.",
        WhyOutcome.NotThere => $"{Name} was not among the rules then. {Missing}",
        WhyOutcome.NotWoken => $"{Name} was not woken. {NothingSet}",
        _ => Loaded!.Debounce > TimeSpan.Zero
            ? $"{Name} was woken, and did not run for this: it waits until it has been quiet for {Span(Loaded.Debounce)}, and later changes took the place of this one."
            : $"{Name} was woken, and no record is left of what became of it: it was put aside and dropped there, or its cascade was stopped.",
    };

    public IReadOnlyList<WhyReason> Reasons =>
    [
        Missing is null ? new WhyReason("there", true, $"It was in force in version {Facts.Version} of the files.") : new WhyReason("there", false, Missing),
        .. Loaded is null ? [] : WokenReasons(),
        .. SwitchReasons(),
        .. WaitReasons(),
        .. CascadeReasons(),
        .. CheckReasons(),
        .. ActionReasons(),
    ];

    private string Raised => Error is { } error ? $": {error.Kind}: {error.Message.TrimEnd('.')}{(error.Line is { } line ? string.Create(CultureInfo.InvariantCulture, $" at line {line}") : "")}" : "";

    /// <summary>What <c>required</c> names and was not there.</summary>
    private string? Lacking => MayTellAll && Check?.Look is { Answer: null, Ended: { Outcome: RunOutcome.No, Log: { } log } } && log.StartsWith("It does not run, because ", StringComparison.Ordinal)
        ? log["It does not run, because ".Length..].TrimEnd('\n', '.') : null;

    private IReadOnlyList<string> Keys => [.. Loaded!.ListensTo.Select(RuleGraph.Awaited).Distinct(StringComparer.Ordinal)];

    private string NothingSet => Loaded!.ListensTo.Count == 0 ? "It wakes by the clock alone." : Keys.Contains("*") ? "Nothing here set a key of a process." : $"Nothing here set {Or(Keys)}.";

    private IEnumerable<WhyReason> WokenReasons()
    {
        if (Matches.Count > 0)
        {
            var match = Matches[0];
            yield return new WhyReason("woken", true, $"It listens to {match.Entry}, which was {(match.Event.Value is null ? "removed" : "set")} by event {Number(match.Event.Position)}{(Pid is > 0 and var pid ? $": it wakes in process {Number(pid)}" : "")}.");
            yield break;
        }

        yield return new WhyReason("woken", false, Loaded!.ListensTo.Count == 0 ? "It listens to no key: its schedule wakes it." : $"It listens to {And(Loaded.ListensTo)}, and to nothing else.");
        if (WakeMatch.Nearest(Loaded.ListensTo, Told) is { } nearest)
        {
            yield return new WhyReason("nearest", null, nearest);
        }

        foreach (var key in Keys.Where(key => key != "*").Take(MostNamed))
        {
            yield return SettersOf(key);
        }
    }

    /// <summary>Who would set a key, and what became of them in this cascade.</summary>
    private WhyReason SettersOf(string key)
    {
        var writers = Rules.Where(rule => rule.Look.Writes.Any(written => RuleGraph.Written(written) == key)).ToList();
        if (writers.Count == 0)
        {
            return new WhyReason("setters", null, Rules.Any(rule => rule.Look.UnknownWrites) ? $"No rule sets {key} by its name: it comes from outside, or a rule sets it whose keys are computed." : $"No rule sets {key}: it comes from outside.");
        }

        var told = writers.Take(MostNamed).Select(writer => Setters.FirstOrDefault(run => run.Rule == writer.Id || run.SaidNo?.Contains(writer.Id) == true) is not { } run ? null : $"{NameOf(writer.Id)} {Became(run)} here").OfType<string>().ToList();
        var only = writers.Count == 1 && !Rules.Any(rule => rule.Look.UnknownWrites) ? "Only " : "";
        return new WhyReason(
            "setters", false,
            $"{only}{And([.. writers.Select(writer => writer.IsRule ? NameOf(writer.Id) : writer.Id)])} {(writers.Count == 1 ? "sets" : "set")} {key}. {(told.Count == 0 ? writers.Count == 1 ? "It did not run here." : "None of them ran here." : $"{string.Join("; ", told)}.")}");
    }

    private IEnumerable<WhyReason> SwitchReasons()
    {
        if (Facts.Switch is { } off)
        {
            var was = off.At <= Facts.Set[0].At;
            yield return new WhyReason("switch", Quarantined?.Kind != "off" && !was, $"It {(was ? "is" : "was switched off later, and is")} switched off since {Moment(off.At)}, by {(off.By == "eddy" ? "the platform" : off.By)}: {off.Reason.TrimEnd('.')}.");
        }
        else if (Missing is null)
        {
            yield return new WhyReason("switch", true, "It is switched on.");
        }
    }

    private IEnumerable<WhyReason> WaitReasons()
    {
        if (Deferred is { } deferred)
        {
            yield return new WhyReason("waits", false, Sentences(WaitsFor(deferred)));
        }
        else if (Quarantined is { } aside)
        {
            yield return new WhyReason("waits", false, Sentences(AsideOf(aside)));
        }
        else if (Owed is { } owed)
        {
            yield return new WhyReason("waits", false, owed.IsBeside ? "It runs beside the line." : "Its turn in the cascade comes.");
        }
        else if (Loaded is { IsDeferred: true } rule)
        {
            yield return new WhyReason("waits", Outcome == WhyOutcome.Gone ? false : null, rule.Debounce > TimeSpan.Zero
                ? $"It runs once it has been quiet for {Span(rule.Debounce)}, for the last of the changes."
                : $"It runs at most {rule.Throttle} times in {Span(rule.ThrottleTime)}.");
        }
        else if (Matches.Count > 0)
        {
            yield return new WhyReason("waits", true, "Not held, not throttled, not put off.");
        }
    }

    private IEnumerable<WhyReason> CascadeReasons()
    {
        if (Error is { Kind: "Cascade" } cascade)
        {
            yield return new WhyReason("cascade", false, cascade.Message);
        }
        else if (Run is { Generation: > 1 and var generation })
        {
            yield return new WhyReason("cascade", true, $"{Count(generation - 1, "run")} led to it, which is within the limit.");
        }
    }

    private IEnumerable<WhyReason> CheckReasons()
    {
        if (Run is { Outcome: RunOutcome.No })
        {
            yield return new WhyReason("check", false, Lacking is { } lacks ? $"It requires what was not there: {lacks}." : $"Its check said no{(Check?.Decided is { } why ? $": {why}" : "")}.");
        }
        else if (Run is { Outcome: RunOutcome.Ran })
        {
            yield return new WhyReason("check", true, $"Its check said yes{(Check?.Decided is { } why ? $": {why}" : "")}.");
        }
        else if (Check is { IsAssumed: true, Look: { Answer: not null, Ended: { } ended } } assumed)
        {
            yield return new WhyReason("check", ended.Outcome != RunOutcome.No, $"Had it been woken, its check would have said {(ended.Outcome == RunOutcome.No ? "no" : "yes")}{(assumed.Decided is { } why ? $": {why}" : "")}.");
        }
    }

    private IEnumerable<WhyReason> ActionReasons()
    {
        if (Run is { Outcome: RunOutcome.Failed or RunOutcome.Killed } && Error is not { Kind: "Cascade" })
        {
            yield return new WhyReason("action", false, $"It {(Run.Outcome == RunOutcome.Killed ? "was stopped" : "failed")}{Raised}.{(Quarantined is { } one ? $" It is in quarantine, with {Count(one.Tries, "try", "tries")}." : "")}");
        }
        else if (Run is { Outcome: RunOutcome.Ran })
        {
            yield return new WhyReason("action", true, Run.Changes == 0 ? "Its action ended well and changed nothing." : $"Its action ended well and changed {Count(Run.Changes, "KVP")}.");
        }
    }

    private string WaitsFor(DeferredRun run) => run.Kind switch
    {
        "debounce" => $"it runs once it has been quiet for {Span(Loaded?.Debounce ?? run.Due - run.Since)}, which is at {Moment(run.Due)}{(run.Wakings > 1 ? $", once for {run.Wakings} wakings" : "")}",
        "throttle" => $"its throttle lets it run at {Moment(run.Due)}",
        _ => $"it is tried again at {Moment(run.Due)}, after {Count(run.Attempt, "failure")}",
    };

    private string AsideOf(QuarantinedRun run) => run.Kind switch
    {
        "off" => "its rule is switched off, and the waking is kept in quarantine",
        "held" => "an earlier run of it in this process is in quarantine, and it keeps their order",
        "stopped" => "its cascade was stopped before it came to its turn",
        _ => $"it failed{(MayTellAll && run.Error is { } error && JsonSerializer.Deserialize<RunError>(error, JsonSerializerOptions.Web) is { } told ? $" ({told.Kind}: {told.Message.TrimEnd('.')})" : "")} and is in quarantine",
    };

    private bool IsHere(DeferredRun run) => Pid is null || run.Pid == Pid;

    private static string Became(StoredRun run) => run.Outcome switch
    {
        RunOutcome.No => "said no",
        RunOutcome.Ran => "ran",
        RunOutcome.Failed => "failed",
        _ => "was stopped",
    };

    private static string NameOf(string rule) => rule[(rule.IndexOf(':', StringComparison.Ordinal) + 1)..];

    private static string Sentences(string text) => $"{char.ToUpperInvariant(text[0])}{text[1..]}.";

    private static string And(IReadOnlyList<string> names) => Joined(names, "and");

    private static string Or(IReadOnlyList<string> names) => Joined(names, "or");

    private static string Joined(IReadOnlyList<string> names, string word) =>
        names.Count == 1 ? names[0]
        : names.Count <= MostNamed ? $"{string.Join(", ", names.SkipLast(1))} {word} {names[^1]}"
        : $"{string.Join(", ", names.Take(MostNamed))} {word} {names.Count - MostNamed} more";

    private static string Count(int count, string one, string? many = null) => count == 1 ? $"1 {one}" : $"{count.ToString("N0", CultureInfo.InvariantCulture)} {many ?? one + "s"}";

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Span(TimeSpan span) =>
        span.TotalSeconds < 1 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMilliseconds:0.#} ms")
        : span.TotalSeconds < 120 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalSeconds:0.#} s")
        : span.TotalMinutes < 120 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalMinutes:0.#} min")
        : span.TotalHours < 48 ? string.Create(CultureInfo.InvariantCulture, $"{span.TotalHours:0.#} h")
        : string.Create(CultureInfo.InvariantCulture, $"{span.TotalDays:0.#} days");

    private string Moment(DateTimeOffset at)
    {
        var local = TimeZoneInfo.ConvertTime(at, Zone);
        return local.Date == TimeZoneInfo.ConvertTime(Facts.Set[0].At, Zone).Date ? local.ToString("HH:mm:ss", CultureInfo.InvariantCulture) : local.ToString("d MMM yyyy, HH:mm:ss", CultureInfo.InvariantCulture);
    }
}
