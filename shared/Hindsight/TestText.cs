using System.Globalization;
using System.Text;
using Eddy.Cascades;
using Eddy.Egress;
using Eddy.Events;
using Eddy.Kvps;
using Eddy.Runs;
using Eddy.Sandbox;

namespace Eddy.Hindsight;

/// <summary>What came in once, how things were, and all that it caused.</summary>
/// <param name="Arrived">The changes that came in, as one change set.</param>
/// <param name="Before">The KVPs of then, of each process that has to do with it; without any one was not there. 0 has the shared ones.</param>
/// <param name="Runs">Of its cascade, in their order.</param>
/// <param name="Changes">Theirs.</param>
/// <param name="Told">What they printed, called, sent and showed.</param>
/// <param name="Answers">What their calls were answered with.</param>
public sealed record PastCascade(
    IReadOnlyList<StoredEvent> Arrived, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> Before, IReadOnlyList<StoredRun> Runs, IReadOnlyList<StoredEvent> Changes, IReadOnlyList<RunTold> Told,
    IReadOnlyList<CallRecord> Answers);

/// <summary>Writes the test that says: given what was, this event causes what it caused.</summary>
public static class TestText
{
    // A longer list of KVPs is one a line.
    private const int Width = 110;
    private const int MostBody = 4000;
    private static readonly TimeSpan Near = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan Waited = TimeSpan.FromSeconds(5);

    public static string NameOf(StoredEvent one) => string.Create(CultureInfo.InvariantCulture, $"test_event_{one.Position}");

    /// <summary>The function, without what stands above it in a file.</summary>
    public static string Of(PastCascade cascade)
    {
        var first = cascade.Arrived[0];
        var names = Names(cascade, first.Pid);
        var text = new StringBuilder();
        var own = first.Pid == 0 ? "shared" : names[first.Pid];
        text.Append(CultureInfo.InvariantCulture, $"def {NameOf(first)}():\n");
        foreach (var (key, value) in cascade.Before.GetValueOrDefault(0) ?? new Dictionary<string, string>())
        {
            if (Python(value) is { } shown)
            {
                text.Append(CultureInfo.InvariantCulture, $"    {Place("shared", key)} = {shown}\n");
            }
        }

        // Those that others name come before them.
        foreach (var (pid, kvps) in cascade.Before.Where(one => one.Key != 0 && one.Value.Count > 0).OrderBy(one => one.Key))
        {
            text.Append(CultureInfo.InvariantCulture, $"    {names[pid]} = given({Arguments(kvps, 4 + names[pid].Length + 9)})\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"    at({PythonText.Quoted(first.At.ToUniversalTime().ToString("yyyy-MM-ddTHH:mm:ss.ffffffzzz", CultureInfo.InvariantCulture))})\n");
        text.Append(CultureInfo.InvariantCulture, $"    actor({PythonText.Quoted(first.Actor)})\n");
        foreach (var call in cascade.Answers)
        {
            text.Append(CultureInfo.InvariantCulture, $"    answer({PythonText.Quoted($"*://{call.Host}*{call.Path}*")}, method={PythonText.Quoted(call.Method)}, {Answer(call)})\n");
        }

        var isNew = first.Pid != 0 && cascade.Before.GetValueOrDefault(first.Pid) is not { Count: > 0 };
        var sent = cascade.Arrived.Where(one => one.Pid == first.Pid).GroupBy(one => one.Key).ToDictionary(one => one.Key, one => one.Last().Value is { } value ? KvpValue.Stored(value) : "null");
        text.Append(isNew ? $"    {own} = send({Arguments(sent, 4 + own.Length + 8)})\n" : $"    send({own}, {Arguments(sent, 9)})\n");
        if (cascade.Runs.Count > 0 && cascade.Runs[^1].At - first.At is var span && span > Waited)
        {
            text.Append(CultureInfo.InvariantCulture, $"    wait(\"{Math.Ceiling(span.TotalSeconds)} s\")\n");
        }

        text.Append('\n');
        var ran = cascade.Runs.Where(run => run.Outcome == RunOutcome.Ran).Select(run => PythonText.Quoted(run.Rule![(run.Rule!.LastIndexOf(':') + 1)..])).ToList();
        text.Append(ran.Count > 1 ? $"    assert sorted(ran) == [{string.Join(", ", ran.Order(StringComparer.Ordinal))}]\n" : $"    assert ran == [{string.Join(", ", ran)}]\n");
        foreach (var change in cascade.Changes.GroupBy(one => (one.Pid, one.Key)).Select(one => one.Last()))
        {
            Expect(change);
        }

        var mails = cascade.Told.SelectMany(told => told.Mails).ToList();
        text.Append(CultureInfo.InvariantCulture, $"    assert {(mails.Count == 0 ? "mails == []" : $"[mail.to for mail in mails] == [{string.Join(", ", mails.Select(mail => $"[{string.Join(", ", mail.To.Select(PythonText.Quoted))}]"))}]")}\n");
        var cards = cascade.Told.SelectMany(told => told.Cards).ToList();
        if (cards.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    assert [(card.name, card.user) for card in cards] == [{string.Join(", ", cards.Select(card => $"({PythonText.Quoted(card.Name)}, {PythonText.Quoted(card.User)})"))}]\n");
        }

        if (cascade.Answers.Count > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    assert len(calls) == {cascade.Answers.Count}\n");
        }

        var failed = cascade.Runs.Count(run => run.Outcome is RunOutcome.Failed or RunOutcome.Killed);
        if (failed > 0)
        {
            text.Append(CultureInfo.InvariantCulture, $"    assert len(errors) == {failed}\n");
        }

        return text.ToString();

        string? Python(string value) => PythonText.Of(KvpValue.Stored(value), pid => names.GetValueOrDefault(pid));

        string Arguments(IReadOnlyDictionary<string, string> kvps, int indent)
        {
            var named = new List<string>();
            var others = new List<string>();
            foreach (var (key, value) in kvps.OrderBy(kvp => kvp.Key, StringComparer.Ordinal))
            {
                if (Python(value) is { } shown)
                {
                    (PythonText.IsName(key) ? named : others).Add(PythonText.IsName(key) ? $"{key}={shown}" : $"{PythonText.Quoted(key)}: {shown}");
                }
            }

            var all = others.Count > 0 ? named.Prepend($"{{{string.Join(", ", others)}}}").ToList() : named;
            var line = string.Join(", ", all);
            return line.Length + indent <= Width ? line : "\n        " + string.Join(",\n        ", all);
        }

        void Expect(StoredEvent change)
        {
            if (change.Pid != 0 && !names.ContainsKey(change.Pid))
            {
                return;
            }

            var place = Place(change.Pid == 0 ? "shared" : names[change.Pid], change.Key);
            if (change.Value is null)
            {
                text.Append(CultureInfo.InvariantCulture, $"    assert {place} is None\n");
            }
            else if (IsNow(change))
            {
                text.Append(CultureInfo.InvariantCulture, $"    assert {place} is not None\n");
            }
            else if (Python(change.Value) is { } shown)
            {
                text.Append(CultureInfo.InvariantCulture, $"    assert {place} {(shown is "True" or "False" or "None" ? "is" : "==")} {shown}\n");
            }
        }
    }

    /// <summary>A moment of about when it was set is another each time.</summary>
    private static bool IsNow(StoredEvent change) => KvpLookup.Of(KvpValue.Stored(change.Value!)) is { At: { } at } && (at.ToUniversalTime() - change.At.UtcDateTime).Duration() < Near;

    private static string Place(string of, string key) => PythonText.IsName(key) ? $"{of}.{key}" : $"{of}[{PythonText.Quoted(key)}]";

    private static string Answer(CallRecord call)
    {
        var told = new StringBuilder();
        if (call.Fault is not null || call.Status is null)
        {
            return $"fails={PythonText.Quoted(call.Fault ?? "There is no answer on record.")}";
        }

        told.Append(CultureInfo.InvariantCulture, $"status={call.Status}");
        if (call.Answer is { } answer && Convert.FromBase64String(answer.Body) is { Length: > 0 and <= MostBody } body && Files.FileStore.TextOf(body) is { } text)
        {
            told.Append(CultureInfo.InvariantCulture, $", text={PythonText.Quoted(text)}");
            if (answer.Headers.FirstOrDefault(header => header.Key.Equals("content-type", StringComparison.OrdinalIgnoreCase)).Value is { } type)
            {
                told.Append(CultureInfo.InvariantCulture, $", headers={{\"content-type\": {PythonText.Quoted(type)}}}");
            }
        }

        return told.ToString();
    }

    /// <summary>What processes are called: by their kind, where that is a name and no other's.</summary>
    private static Dictionary<long, string> Names(PastCascade cascade, long own)
    {
        var names = new Dictionary<long, string>();
        foreach (var pid in cascade.Before.Keys.Append(own).Where(pid => pid != 0).Distinct().Order())
        {
            var kind = (cascade.Before.GetValueOrDefault(pid)?.GetValueOrDefault("kind") ?? cascade.Arrived.LastOrDefault(one => one.Pid == pid && one.Key == "kind")?.Value) is { } value && value.StartsWith('"') ? value[1..^1] : "";
            names[pid] = PythonText.IsName(kind) && kind is not ("shared" or "given" or "send" or "at" or "wait" or "tick" or "answer" or "actor" or "mails" or "cards" or "calls" or "runs" or "ran" or "errors") && !names.ContainsValue(kind)
                ? kind : string.Create(CultureInfo.InvariantCulture, $"process_{pid}");
        }

        return names;
    }
}
