using System.Text.Json;
using System.Text.Json.Serialization;
using Eddy.Files;
using Eddy.Hindsight;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Trying a text over HTTP.</summary>
public static class DryRunApi
{
    public static void MapDryRun(this IEndpointRouteBuilder api) =>
        api.MapPost("/dry-run", RunAsync).WithTags("Hindsight").RequireScope(Scope.Write)
            .Accepts<DryRunBody>("application/json", ApiDescription.AnyType)
            .WithName("DryRun").WithSummary("Try a text")
            .WithDescription(
                "Runs a rule of 'text', as the file 'path' over the files in force, for an event that was ('event', a position) on the state of then, or for 'kvps' that are typed in, in the process 'pid' as it is now or in a new one. 'rule' is its class, where the text has several. "
                + "The rule runs whether that would wake it or not ('wakes'). What it would change, send and print is told beside what really happened ('really'); its calls are answered from the record of the run of then, or refused. Nothing of it is in force.")
            .Produces<DryRunAnswer>().Refuses(400, 401, 403, 404, 413, 503)
            .WithExample(
                """{"path":"scripts/heat.py","text":"class high_temperature(Rule):\n    listens_to = [\"temperature\"]\n\n    def check(self):\n        return self.temperature > 90\n\n    def action(self):\n        self.alert = \"Too hot\"\n","kvps":{"temperature":95}}""",
                """{"rule":"scripts/heat.py:high_temperature","pid":null,"position":0,"wakes":true,"outcome":"ran","check":{"returned":"True","decided":"self.temperature 95 > 90","treeVersion":1,"position":0,"assumed":false,"differs":null,"values":[]},"changes":[{"pid":null,"key":"alert","value":"Too hot"}],"mails":[],"cards":[],"files":[],"calls":[],"log":null,"error":null,"really":null,"notes":[]}""");

    private static async Task<IResult> RunAsync(HttpContext context, DryRunner runner, WebOptions options, CancellationToken cancel)
    {
        var holder = context.Holder();
        if (await RequestBody.ReadAsync(context.Request, options.FileBytes * 2, cancel) is not { } content)
        {
            return new Problem(ProblemType.BodyTooLarge, $"A dry run takes at most {options.FileBytes * 2} bytes.");
        }

        if (!DryRunBody.TryRead(content, options.FileBytes, out var question, out var fault))
        {
            return new Problem(ProblemType.InvalidRequest, fault);
        }

        try
        {
            return await runner.RunAsync(holder.Tenant, holder.TimeZone, question, holder.Actor, cancel) switch
            {
                DryRun.Done done => Results.Ok(DryRunAnswer.Of(done)),
                DryRun.Faulty { Error: var error } => new Problem(ProblemType.InvalidRequest, $"The text does not load{(error.Line is { } line ? $", at line {line}" : "")}: {error.Message}"),
                DryRun.NoRule { Rules: [] } => new Problem(ProblemType.InvalidRequest, "There is no rule in the text: a class that has Rule as its base, and listens_to."),
                DryRun.NoRule { Rules: var rules } => new Problem(ProblemType.InvalidRequest, $"Say by 'rule' which one is to run: {RulesApi.And(rules)}."),
                _ => new Problem(ProblemType.NotFound, $"There is no event {question.Event}."),
            };
        }
        catch (SandboxUnavailable unavailable)
        {
            return new Problem(ProblemType.Unavailable, $"It can not be tried now: {unavailable.Message}");
        }
    }
}

/// <summary>A text to be tried.</summary>
/// <param name="Path">The file that it would be, under scripts/.</param>
/// <param name="Rule">The class, where the text has several rules.</param>
/// <param name="Event">The position of an event that was.</param>
/// <param name="Pid">The process.</param>
/// <param name="Kvps">What is set, in place of an event that was: an object, or text of lines 'key := value'. Null removes nothing, it is a value.</param>
public sealed record DryRunBody(string Path, string Text, string? Rule, long? Event, long? Pid, JsonElement? Kvps)
{
    private const int MostChanges = 1000;

    internal static bool TryRead(byte[] content, int mostText, out DryRunQuestion question, out string fault)
    {
        (question, fault) = (null!, "");
        DryRunBody? body;
        try
        {
            body = JsonSerializer.Deserialize<DryRunBody>(content, JsonSerializerOptions.Web);
        }
        catch (JsonException e)
        {
            fault = KvpValue.MalformedJson(e);
            return false;
        }

        var changes = new List<Change>();
        if (FileFault(body?.Path, body?.Text, mostText) is { } wrong)
        {
            fault = wrong;
        }
        else if (body!.Event is null == (body.Kvps is null))
        {
            fault = "Name an event by its position in 'event', or give 'kvps' to try it on: one of the two.";
        }
        else if (body.Event < 1 || body.Pid < 1)
        {
            fault = "'event' is a position and 'pid' the number of a process: 1 or more.";
        }
        else if (body.Kvps is { } kvps)
        {
            TryReadKvps(kvps, changes, out fault);
        }

        question = new DryRunQuestion(body?.Path ?? "", body?.Text ?? "", body?.Rule, body?.Event, body?.Pid, changes);
        return fault.Length == 0;
    }

    /// <summary>Why this can not be a script to be tried, in a sentence; null where it can.</summary>
    internal static string? FileFault(string? path, string? text, int mostText) =>
        path is null || text is null ? "'path' and 'text' are missing: the file and the draft."
        : FilePath.Fault(path) is { } wrong ? wrong
        : !path.StartsWith("scripts/", StringComparison.Ordinal) || !path.EndsWith(".py", StringComparison.Ordinal) ? "'path' is that of a script: rules are in files under scripts/, as scripts/heat.py."
        : System.Text.Encoding.UTF8.GetByteCount(text) > mostText || text.Contains('\0', StringComparison.Ordinal) ? $"'text' has at most {mostText} bytes and no NUL."
        : null;

    private static void TryReadKvps(JsonElement kvps, List<Change> changes, out string fault)
    {
        if (kvps.ValueKind == JsonValueKind.String)
        {
            fault = KvpText.TryRead(kvps.GetString()!, out var lines, out var wrongLine) ? lines.Count is 0 or > MostChanges ? $"'kvps' has 1 to {MostChanges} lines 'key := value'." : "" : $"'kvps', line {wrongLine.Line}: {wrongLine.Fault.Detail}";
            changes.AddRange(lines ?? []);
            return;
        }

        fault = kvps.ValueKind != JsonValueKind.Object ? "'kvps' is an object of keys and values, or text of lines 'key := value'." : kvps.GetPropertyCount() > MostChanges ? $"'kvps' has at most {MostChanges} of them." : "";
        if (fault.Length > 0)
        {
            return;
        }

        foreach (var kvp in kvps.EnumerateObject())
        {
            if (KvpKey.Fault(kvp.Name) is { } wrong)
            {
                fault = wrong;
                return;
            }

            if (!KvpValue.TryCanonical(System.Text.Encoding.UTF8.GetBytes(kvp.Value.GetRawText()), out var value, out var why))
            {
                fault = $"{kvp.Name}: {why.Detail}";
                return;
            }

            changes.Add(new Change(kvp.Name, value));
        }
    }
}

/// <summary>What a text would do.</summary>
/// <param name="Rule">The rule's id.</param>
/// <param name="Pid">The process in which it ran; null for a new one.</param>
/// <param name="Position">It saw the state right after this event.</param>
/// <param name="Wakes">Whether what was set would wake it.</param>
/// <param name="Outcome">ran, no, failed or killed.</param>
/// <param name="Check">What its check read and returned.</param>
/// <param name="Changes">What it would change.</param>
/// <param name="Mails">What it would send: its text as it is written, before placeholders are filled in.</param>
/// <param name="Files">The files of workspace/ that it would save.</param>
/// <param name="Calls">Whom it called; without a status the call was refused.</param>
/// <param name="Log">What it printed.</param>
/// <param name="Error">What went wrong: kind, message, file, line, traceback.</param>
/// <param name="Really">What happened then; null where it did not run for this.</param>
/// <param name="Notes">What can not be as it was then.</param>
public sealed record DryRunAnswer(
    string Rule, long? Pid, long Position, bool Wakes, string Outcome, WhyCheckAnswer Check, IReadOnlyList<DryChangeAnswer> Changes, IReadOnlyList<DryMailAnswer> Mails, IReadOnlyList<DryCardAnswer> Cards,
    IReadOnlyList<string> Files, IReadOnlyList<DryCall> Calls, string? Log, RunError? Error, ReallyAnswer? Really, IReadOnlyList<string> Notes)
{
    internal static DryRunAnswer Of(DryRun.Done done)
    {
        var (ended, effects) = (done.Ended, done.Ended.Effects);
        return new DryRunAnswer(
            done.Rule, done.IsNew ? null : done.Pid, done.Position, done.Wakes, RunAnswer.WordFor(ended.Outcome), WhyCheckAnswer.Of(done.Check),
            [.. done.Changes.Select(change => new DryChangeAnswer(done.IsNew && change.Pid == done.Pid ? null : change.Pid, change.Key, RawJson.OrNull(change.Value), RawJson.OrNull(change.Before)))],
            [.. effects.OfType<MailSent>().Select(mail => new DryMailAnswer(mail.To, mail.Subject, mail.Message))],
            [.. effects.OfType<CardLoaded>().Select(card => new DryCardAnswer(card.Name, card.User))],
            [.. effects.OfType<FileSaved>().Select(file => file.Path)], done.Calls, ended.Log, ended.Error,
            done.Really is not { } really ? null : new ReallyAnswer(
                really.Run.Id, really.Run.At, RunAnswer.WordFor(really.Run.Outcome), [.. really.Changes.Select(EventAnswer.Of)], [.. (really.Told?.Mails ?? []).Select(mail => new DryMailAnswer(mail.To, mail.Subject, null))],
                [.. (really.Told?.Cards ?? []).Select(card => new DryCardAnswer(card.Name, card.User))], [.. (really.Told?.Calls ?? []).Select(call => new DryCall(call.Method, call.Host + call.Path, call.Status))], really.Told?.Log,
                RawJson.OrNull(really.Run.Error)),
            done.Notes);
    }
}

/// <summary>A KVP as it would become.</summary>
/// <param name="Pid">The process, 0 for the shared KVPs; null for one that it makes.</param>
/// <param name="Value">Not there where it would be removed.</param>
/// <param name="Previous">Not there where there was none.</param>
public sealed record DryChangeAnswer(
    long? Pid, string Key, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Value, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Previous);

/// <summary>A mail that would be sent, or was.</summary>
/// <param name="Message">Its text; null for one that was sent, which the outbox has.</param>
public sealed record DryMailAnswer(IReadOnlyList<string> To, string? Subject, string? Message);

/// <summary>A card that would be shown, or was.</summary>
/// <param name="User">To whom; null for the last actor.</param>
public sealed record DryCardAnswer(string Name, string? User);

/// <summary>What really happened.</summary>
/// <param name="Run">Its number.</param>
public sealed record ReallyAnswer(
    long Run, DateTimeOffset At, string Outcome, IReadOnlyList<EventAnswer> Changes, IReadOnlyList<DryMailAnswer> Mails, IReadOnlyList<DryCardAnswer> Cards, IReadOnlyList<DryCall> Calls, string? Log, RawJson? Error);
