using System.Globalization;
using System.Text.Json;
using Eddy.Cascades;
using Eddy.Sandbox;

namespace Eddy.Ide.Trace;

/// <summary>
/// Trees as the rows that are seen of them. An event without a key is one that who looks may not read (<see cref="TraceJudge"/>). What is below an arrival is open unless it is
/// long, everything else but long lines of checks that said no; whoever opens or closes a row is asked first.
/// </summary>
/// <param name="isOpen">What was opened (true) or closed (false) by hand; null for the rest.</param>
/// <param name="told">What runs told beside their changes.</param>
public sealed class TraceRows(Func<string, bool?> isOpen, IReadOnlyDictionary<long, RunTold> told)
{
    /// <summary>More checks in a row that said no are one row.</summary>
    public const int MostSilent = 5;

    /// <summary>Arrivals that woke more rules are closed at first.</summary>
    public const int MostOpen = 40;

    private readonly List<TraceRow> _rows = [];

    public static IReadOnlyList<TraceRow> Of(IEnumerable<ArrivalTree> trees, Func<string, bool?> isOpen, IReadOnlyDictionary<long, RunTold> told, bool isWhole = false)
    {
        var rows = new TraceRows(isOpen, told);
        var nodes = trees.Select(tree => rows.NodeOf(tree, isWhole)).ToList();
        rows.Append(nodes, [], false);
        return rows._rows;
    }

    private void Append(List<Node> nodes, Guide[] guides, bool isLit)
    {
        for (var i = 0; i < nodes.Count; i++)
        {
            var node = nodes[i];
            Guide[] own = guides.Length == 0 && node.IsRoot ? [] : [.. guides, new Guide(true, i == nodes.Count - 1, isLit)];
            var open = node.Below is null ? (bool?)null : isOpen(node.Id) ?? node.IsOpen;
            _rows.Add(new TraceRow(node.Id, own.Length + 1, i + 1, nodes.Count, own, node.Subject, open));
            if (open == true)
            {
                Append(node.Below!(), [.. guides, .. node.IsRoot ? (Guide[])[] : [new Guide(false, i == nodes.Count - 1, isLit)]], node.IsLit);
            }
        }
    }

    private Node NodeOf(ArrivalTree tree, bool isWhole)
    {
        var count = tree.Runs.Take(MostOpen + 1).Count();
        return new Node($"a{tree.Arrival}", new TraceSubject.Arrival(tree), isWhole || count <= MostOpen, tree.IsLit, () => [.. tree.Sets.SelectMany(set => NodesOf(set, PidOf(tree)))]) { IsRoot = true };
    }

    /// <summary>The process that an arrival is about.</summary>
    public static long? PidOf(ArrivalTree tree) => tree.Begin?.Changes[0].Pid ?? tree.Runs.FirstOrDefault()?.Pid;

    private List<Node> NodesOf(TracedSet set, long? pid)
    {
        var nodes = new List<Node>();
        for (var i = 0; i < set.Changes.Count; i++)
        {
            var change = set.Changes[i];
            if (change.Key.Length > 0)
            {
                nodes.Add(new Node($"e{change.Position}", new TraceSubject.Change(change, change.Pid == pid || change.Pid == 0 ? null : change.Pid)));
                continue;
            }

            var first = i;
            while (i + 1 < set.Changes.Count && set.Changes[i + 1].Key.Length == 0)
            {
                i++;
            }

            nodes.Add(new Node($"e{change.Position}", new TraceSubject.Hidden(i - first + 1)));
        }

        for (var i = 0; i < set.Woken.Count; i++)
        {
            var silent = set.Woken.Skip(i).TakeWhile(run => run.State == TracedState.SaidNo).Count();
            if (silent > MostSilent)
            {
                var all = set.Woken.Skip(i).Take(silent).ToList();
                nodes.Add(new Node($"n{all[0].Run!.Id}.{all[0].Place}", new TraceSubject.SaidNo(silent), false, false, () => [.. all.Select(run => NodeOf(run, pid))]));
                i += silent - 1;
            }
            else
            {
                nodes.Add(NodeOf(set.Woken[i], pid));
            }
        }

        return nodes;
    }

    private Node NodeOf(TracedRun run, long? pid)
    {
        var id = run.Run is { } record ? string.Create(CultureInfo.InvariantCulture, $"r{record.Id}.{run.Place}") : run.Deferred is { } deferred ? $"d{deferred.Id}" : $"q{run.Quarantined!.Id}";
        var said = run.Run is { } one && run.Place == 0 ? told.GetValueOrDefault(one.Id) : null;
        var isLeaf = run.Sets.Count == 0 && said is null && run.State != TracedState.Failed;
        return new Node(id, new TraceSubject.Woken(run, run.Pid == pid ? null : run.Pid), true, run.State == TracedState.Ran, isLeaf ? null : () => Below(run, said, id));
    }

    private List<Node> Below(TracedRun run, RunTold? said, string id)
    {
        var nodes = new List<Node>();
        if (run.State == TracedState.Failed)
        {
            nodes.Add(new Node($"{id}!", new TraceSubject.Failure(run, ErrorOf(run.Run!.Error))));
        }

        if (said is not null)
        {
            nodes.AddRange(said.Calls.Select((call, i) => new Node($"{id}c{i}", new TraceSubject.Call(call))));
            if (said.Log is { } log)
            {
                var lines = log.TrimEnd('\n').Split('\n');
                nodes.Add(new Node($"{id}l", new TraceSubject.Log(lines[0], lines.Length)));
            }

            nodes.AddRange(said.Mails.Select(mail => new Node($"{id}m{mail.Id}", new TraceSubject.Mail(mail))));
            nodes.AddRange(said.Cards.Select(card => new Node($"{id}k{card.Id}", new TraceSubject.Card(card))));
        }

        nodes.AddRange(run.Sets.SelectMany(set => NodesOf(set, run.Pid)));
        return nodes;
    }

    public static RunError? ErrorOf(string? json) => json is null ? null : JsonSerializer.Deserialize<RunError>(json, JsonSerializerOptions.Web);

    private sealed record Node(string Id, TraceSubject Subject, bool IsOpen = false, bool IsLit = false, Func<List<Node>>? Below = null)
    {
        public bool IsRoot { get; init; }
    }
}
