using System.Globalization;
using CsCheck;
using Eddy.Cascades;
using Eddy.Egress;
using Eddy.Events;
using Eddy.Ide.Trace;
using Eddy.Quarantine;
using Eddy.Runs;

namespace Eddy.Tests.Ide.Trace;

public sealed class EventTraceTests
{
    private static readonly Dictionary<long, RunTold> NothingTold = [];

    [Fact]
    public void What_an_API_script_made_of_a_request_is_told_from_what_the_clock_woke()
    {
        foreach (var (rule, isRequest) in new[] { ("api/orders.py:add", true), ("scripts/report.py:weekly", false) })
        {
            var log = new TestCascade();
            var root = log.RanUnwoken(15, rule, "total");

            ArrivalTree.Of(root, log.Events, log.Runs, [], []).IsRequest.ShouldBe(isRequest, rule);
        }
    }

    [Fact]
    public void What_came_in_stands_above_whom_it_woke_and_what_these_changed()
    {
        var log = new TestCascade();
        var (_, set) = log.Arrive(15, "temperature", "room");
        var (_, alert) = log.Ran(set, 15, "scripts/heat.py:high_temperature", "alert");
        log.SaidNo(set, 15, "scripts/heat.py:cooled_down");
        log.Ran(alert!.Value, 15, "scripts/ticket.py:open_ticket", "ticket");
        log.Failed(alert.Value, 15, "scripts/tell.py:notify", """{"kind":"KeyError","message":"'phone'","file":"scripts/tell.py","line":14,"traceback":null}""");

        Drawn(log.Events, log.Runs).ShouldBe(
        [
            "post 15",
            "  + temperature",
            "  + room",
            "  high_temperature Ran",
            "    + alert",
            "    open_ticket Ran",
            "      + ticket",
            "    notify Failed",
            "      KeyError: 'phone' at line 14. Nothing of this run took effect.",
            "      + quarantine_error",
            "  cooled_down SaidNo",
        ]);
    }

    [Fact]
    public void The_newest_arrival_is_on_top()
    {
        var log = new TestCascade();
        log.Arrive(1, "first");
        log.Arrive(2, "second");

        Drawn(log.Events, log.Runs).ShouldBe(["post 2", "  + second", "post 1", "  + first"]);
    }

    [Fact]
    public void Any_order_and_any_split_of_the_news_gives_the_same_tree() =>
        Gen.Select(Logs, Gen.Int[0, int.MaxValue], Gen.Int[1, 7]).Sample((log, seed, size) =>
        {
            var random = new Random(seed);
            var news = log.Events.Select(one => (Event: (StoredEvent?)one, Run: (StoredRun?)null)).Concat(log.Runs.Select(run => (Event: (StoredEvent?)null, Run: (StoredRun?)run))).ToArray();
            // Some of it is told twice.
            news = [.. news, .. news.Where(_ => random.Next(3) == 0)];
            random.Shuffle(news);
            var piecemeal = new EventTrace(100);
            foreach (var piece in news.Chunk(size))
            {
                piecemeal.Add(piece.Where(one => one.Event is not null).Select(one => one.Event!), piece.Where(one => one.Run is not null).Select(one => one.Run!));
                // Whoever looks in between changes nothing.
                piecemeal.Newest();
            }

            var atOnce = new EventTrace(100);
            atOnce.Add(log.Events, log.Runs);
            Rows(piecemeal).ShouldBe(Rows(atOnce));
            Rows(atOnce).Count.ShouldBe(Rows(atOnce).Distinct().Count());
        });

    [Fact]
    public void Every_event_and_every_run_stands_in_the_tree_once() =>
        Logs.Sample(log =>
        {
            var trace = new EventTrace(100);
            trace.Add(log.Events, log.Runs);

            trace.Newest().SelectMany(tree => tree.Changes).Select(one => one.Position).Order().ShouldBe(log.Events.Select(one => one.Position));
            trace.Newest().SelectMany(tree => tree.Runs).Where(run => run.Place == 0).Select(run => run.Run!.Id).Order().ShouldBe(log.Runs.Select(run => run.Id));
        });

    [Fact]
    public void What_is_put_off_and_what_is_in_quarantine_stands_below_what_woke_it_until_it_is_not_any_more()
    {
        var log = new TestCascade();
        var (root, set) = log.Arrive(15, "door");
        var failed = log.Failed(set, 15, "scripts/tell.py:notify", """{"kind":"KeyError","message":"'phone'","file":"scripts/tell.py","line":14,"traceback":null}""");
        var trace = new EventTrace(10);
        trace.Add(log.Events, log.Runs);

        trace.Stand(
            [new DeferredRun(3, "scripts/door.py:left_open", 15, "debounce", "process 15", 4, TestCascade.Start, TestCascade.Start.AddMinutes(10), 0, set, root)],
            [
                new QuarantinedRun(1, "scripts/tell.py:notify", 15, "failed", set, root, "ann@acme.test", 9, TestCascade.Start, TestCascade.Start, failed, null, false),
                new QuarantinedRun(2, "scripts/bill.py:billing", 15, "off", set, root, "ann@acme.test", 0, TestCascade.Start, TestCascade.Start, null, null, false),
            ]);

        var rows = Drawn(trace.Newest());
        rows.ShouldContain("  left_open PutOff");
        rows.ShouldContain("  billing Aside");
        rows.ShouldContain("    KeyError: 'phone' at line 14. In quarantine, 9 tries.");
        trace.Stand([], []);
        Drawn(trace.Newest()).ShouldNotContain("  left_open PutOff");
    }

    [Fact]
    public void More_than_five_in_a_row_that_said_no_are_one_row_until_it_is_opened()
    {
        var log = new TestCascade();
        var (_, set) = log.Arrive(15, "n");
        log.SaidNo(set, 15, [.. Enumerable.Range(0, 12).Select(i => $"scripts/all.py:rule_{i}")]);
        log.Ran(set, 15, "scripts/all.py:last");
        var trace = new EventTrace(10);
        trace.Add(log.Events, log.Runs);

        Drawn(trace.Newest()).ShouldBe(["post 15", "  + n", "  12 said no", "  last Ran"]);
        TraceRows.Of(trace.Newest(), id => id.StartsWith('n') ? true : null, NothingTold).Count.ShouldBe(16);
    }

    [Fact]
    public void Of_what_may_not_be_read_there_is_how_much_it_is()
    {
        var log = new TestCascade();
        log.Arrive(15, "salary", "bonus", "name");
        var judged = log.Events.Select(one => one.Key == "name" ? one : one with { Key = "", Value = null, Previous = null, Actor = "" }).ToList();

        Drawn(judged, []).ShouldBe(["post 15", "  2 hidden", "  + name"]);
    }

    [Fact]
    public void What_goes_on_later_is_told_though_its_beginning_is_not_known()
    {
        var log = new TestCascade();
        var (_, set) = log.Arrive(15, "door");
        log.Ran(set, 15, "scripts/door.py:left_open", "alert");

        Drawn([.. log.Events.Where(one => one.Cause is not null)], log.Runs).ShouldBe(["goes on", "  left_open Ran", "    + alert"]);
    }

    [Fact]
    public void The_oldest_arrivals_go_when_there_are_more_than_are_kept()
    {
        var log = new TestCascade();
        for (var i = 0; i < 5; i++)
        {
            log.Arrive(i + 1, $"key_{i}");
        }

        var trace = new EventTrace(2);
        trace.Add(log.Events, []);

        trace.Newest().Select(tree => tree.Begin!.Changes[0].Key).ShouldBe(["key_4", "key_3"]);
    }

    [Theory]
    [InlineData(15L, null, null, null, true)]
    [InlineData(16L, null, null, null, false)]
    [InlineData(null, "alert", null, null, true)]
    [InlineData(null, "aler", null, null, false)]
    [InlineData(null, null, "ANN", null, true)]
    [InlineData(null, null, "bob", null, false)]
    [InlineData(null, null, null, "high", true)]
    [InlineData(15L, "alert", "ann", "cooled", false)]
    public void A_filter_lets_through_what_has_to_do_with_all_of_it(long? pid, string? key, string? actor, string? rule, bool lets)
    {
        var log = new TestCascade();
        log.Ran(log.Arrive(15, "temperature").Set, 15, "scripts/heat.py:high_temperature", "alert");
        var trace = new EventTrace(10);
        trace.Add(log.Events, log.Runs);

        new TraceFilter(pid, key, actor, rule).Lets(trace.Newest().ShouldHaveSingleItem()).ShouldBe(lets);
    }

    [Fact]
    public void Runs_of_a_turn_follow_one_another_on_the_axis_and_what_called_out_ended_when_it_landed()
    {
        var log = new TestCascade();
        var (_, set) = log.Arrive(15, "n");
        log.Ran(set, 15, "scripts/a.py:one");
        log.Ran(set, 15, "scripts/a.py:two");
        log.Ran(set, 15, "scripts/a.py:calls");
        log.Runs[2] = log.Runs[2] with { At = log.Runs[2].At.AddMilliseconds(430), Elapsed = TimeSpan.FromMilliseconds(412) };
        var trace = new EventTrace(10);
        trace.Add(log.Events, log.Runs);

        var axis = CascadeAxis.Of(trace.Newest()[0], new Dictionary<long, RunTold> { [3] = new(3, null, [new CallRecord("GET", "cam.test", "/", 200, 0, 0, 410, null, [])], [], []) });

        axis.Length.ShouldBe(TimeSpan.FromMilliseconds(430));
        axis.Runs[1].ShouldBe((TimeSpan.Zero, TimeSpan.FromMilliseconds(2)));
        axis.Runs[2].ShouldBe((TimeSpan.FromMilliseconds(2), TimeSpan.FromMilliseconds(2)));
        axis.Runs[3].ShouldBe((TimeSpan.FromMilliseconds(18), TimeSpan.FromMilliseconds(412)));
    }

    /// <summary>Some arrivals, each with a cascade of some depth; their runs come in between one another, as those that are put off do.</summary>
    private static readonly Gen<TestCascade> Logs = Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[1, 40]).Select((seed, steps) =>
    {
        var random = new Random(seed);
        var log = new TestCascade();
        var sets = new List<long> { log.Arrive(1, "a").Set };
        for (var i = 0; i < steps; i++)
        {
            var (set, pid) = (sets[random.Next(sets.Count)], random.Next(1, 4));
            switch (random.Next(5))
            {
                case 0:
                    sets.Add(log.Arrive(pid, "a", "b").Set);
                    break;
                case 1:
                    log.SaidNo(set, pid, [.. Enumerable.Range(0, random.Next(1, 9)).Select(n => $"scripts/n.py:no_{n}")]);
                    break;
                case 2:
                    log.Failed(set, pid, "scripts/f.py:fails", """{"kind":"KeyError","message":"x","file":null,"line":null,"traceback":null}""");
                    break;
                default:
                    if (log.Ran(set, pid, $"scripts/r.py:rule_{i}", random.Next(2) == 0 ? [] : ["c", "d"]).Set is { } next)
                    {
                        sets.Add(next);
                    }

                    break;
            }
        }

        return log;
    });

    private static List<string> Rows(EventTrace trace) =>
        [.. TraceRows.Of(trace.Newest(), _ => true, NothingTold).Select(row => string.Create(CultureInfo.InvariantCulture, $"{row.Id} {row.Level} {row.Place}/{row.Of} {string.Join(' ', row.Guides)}"))];

    private static List<string> Drawn(IReadOnlyList<StoredEvent> events, IReadOnlyList<StoredRun> runs)
    {
        var trace = new EventTrace(10);
        trace.Add(events, runs);
        return Drawn(trace.Newest());
    }

    private static List<string> Drawn(IReadOnlyList<ArrivalTree> trees) => [.. TraceRows.Of(trees, _ => null, NothingTold).Select(row => new string(' ', 2 * (row.Level - 1)) + Words(row.Subject))];

    private static string Words(TraceSubject subject) => subject switch
    {
        TraceSubject.Arrival { Tree.Begin: { } begin } => $"{begin.Changes[0].Source} {begin.Changes[0].Pid}",
        TraceSubject.Arrival => "goes on",
        TraceSubject.Change { Event: var change } => $"+ {change.Key}",
        TraceSubject.Hidden { Count: var count } => $"{count} hidden",
        TraceSubject.Woken { Run: var run } => $"{run.Name} {run.State}",
        TraceSubject.SaidNo { Count: var count } => $"{count} said no",
        TraceSubject.Failure { Run: var run, Error: var error } => TraceText.Failure(error, run.Quarantined, false),
        _ => subject.ToString(),
    };
}
