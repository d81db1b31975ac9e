using Eddy.Kvps;
using Eddy.Pump;
using Eddy.Runs;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Tests.Pump;

public sealed class FoldTests
{
    private readonly TenantLine _line = new(TenantId.New()) { Position = 10, Run = 5 };
    private readonly ShardLine _shard = new(0, 1, 0);
    private readonly SliceRows _rows = new();

    [Fact]
    public void Changes_take_dense_positions_in_the_order_of_the_transcript()
    {
        Fold(
            [Arrival(7, [("a", "1"), ("b", "2")]), Arrival(8, [("a", "3")])],
            [new ArrivalApplied(0), Ran("x", 7, 0, 11, ("c", "4")), new ArrivalApplied(1)]);

        _rows.Events.Positions.ShouldBe([11, 12, 13, 14]);
        _rows.Events.Keys.ShouldBe(["a", "b", "c", "a"]);
        _rows.Events.Sets.ShouldBe([11, 11, 13, 14]);
        _rows.Events.Causes.ShouldBe([null, null, 6, null]);
        _rows.Heads.Positions.ShouldBe([14]);
        _rows.Heads.Before.ShouldBe([10]);
    }

    [Fact]
    public void The_previous_value_is_that_of_the_change_before()
    {
        _line.State(7)["a"] = "0";

        Fold([Arrival(7, [("a", "1")])], [new ArrivalApplied(0), Ran("x", 7, 0, 11, ("a", "2")), Ran("y", 7, 0, 11, ("a", null))]);

        _rows.Events.Previous.ShouldBe(["0", "1", "2"]);
        _rows.Events.Values.ShouldBe(["1", "2", null]);
        _rows.Kvps.Keys.ShouldBeEmpty();
        _rows.Removed.Keys.ShouldBe(["a"]);
        _line.State(7).ShouldBeEmpty();
    }

    [Fact]
    public void A_key_that_changes_often_is_written_once()
    {
        Fold([Arrival(7, [("a", "1")]), Arrival(7, [("a", "2")])], [new ArrivalApplied(0), new ArrivalApplied(1)]);

        _rows.Kvps.Values.ShouldBe(["2"]);
        _rows.Kvps.Positions.ShouldBe([12]);
        _rows.Processes.Pids.ShouldBe([7]);
    }

    [Fact]
    public void Checks_that_said_no_share_a_row()
    {
        Fold([Arrival(7, [("a", "1")])], [new ArrivalApplied(0), No("x", 7, 11), No("""y"\""", 7, 11), Ran("z", 7, 0, 11)]);

        _rows.Runs.SaidNo.ShouldBe(["""{"x","y\"\\"}""", null]);
        _rows.Runs.Rules.ShouldBe([null, "z"]);
        _rows.Runs.Ids.ShouldBe([6, 7]);
    }

    [Fact]
    public void Who_waits_is_told_the_runs_once_the_cascade_has_ended()
    {
        Fold(
            [Arrival(7, [("a", "1")], "door_1:s41"), Arrival(8, [("a", "1")], "door_1:s42"), Arrival(9, [("b", "1")], "door_2:a7")],
            [new ArrivalApplied(0), Ran("x", 7, 0, 11), new ArrivalApplied(1), new ArrivalApplied(2)]);

        _rows.Told["door_1"].Select(told => told.Split(';')[0]).ShouldBe(["41:6-6", "42:7-6"]);
        _rows.Told["door_2"].ShouldBe(["7"]);
    }

    [Fact]
    public void Who_waits_is_told_what_it_came_to()
    {
        _line.State(7)["old"] = "0";
        Fold(
            [Arrival(7, [("kind", "\"order\"")], "door_1:s41"), Arrival(8, [("a", "1")], "door_1:s42")],
            [new ArrivalApplied(0), No("x", 7, 11), Ran("y", 7, 0, 11, ("b", "1")), No("z", 7, 11), new ArrivalApplied(1), Ran("y", 8, 1, 13)]);

        var (first, second) = (Settlement.Read(_rows.Told["door_1"][0].Split(';')[1]), Settlement.Read(_rows.Told["door_1"][1].Split(';')[1]));

        first.Kind.ShouldBe("order");
        first.Kvps.ShouldBe([new("b", "1"), new("kind", "\"order\""), new("old", "0")]);
        first.Runs.Select(run => run.Id).ShouldBe([6, 7]);
        first.Runs[0].SaidNo.ShouldBe(["x", "z"]);
        (first.Runs[1].Rule, first.Runs[1].FirstPosition, first.Runs[1].Changes).ShouldBe(("y", 12, 1));
        second.Runs.ShouldHaveSingleItem().Id.ShouldBe(8);
    }

    [Fact]
    public void What_is_long_is_not_told()
    {
        Fold(
            [Arrival(7, [.. Enumerable.Range(0, 21).Select(n => ($"k{n}", (string?)"1"))], "door_1:s41"), Arrival(8, [("a", $"\"{new string('a', 4000)}\"")], "door_1:s42")],
            [new ArrivalApplied(0), new ArrivalApplied(1)]);

        _rows.Told["door_1"].ShouldBe(["41:6-5", "42:6-5"]);
    }

    [Fact]
    public void Who_waits_for_an_unfinished_cascade_goes_on_with_what_it_owes()
    {
        Fold(
            [Arrival(7, [("a", "1")], "door_1:s41")],
            [new ArrivalApplied(0), Ran("x", 7, 0, 11, ("b", "1"))],
            [new LeftRun("y", 7, 12, 1, 2, ["x"])]);

        _rows.Told.ShouldBeEmpty();
        _rows.Wakings.Tags.ShouldBe(["door_1:s41"]);
        _rows.Wakings.Chains.ShouldBe(["""{"x"}"""]);
        _rows.Wakings.FirstRuns.ShouldBe([6]);
        _rows.Wakings.Runs.ShouldBe([1]);
    }

    [Fact]
    public void What_an_owed_cascade_does_is_its_own()
    {
        var root = Guid.NewGuid();
        var owed = new OwedCascade(
            _line.Tenant, [3], [new OwedRun("y", 7, [new SetEvent(9, 7, "b", "1", null)], DateTimeOffset.UnixEpoch, "rule", new Cascade(root, "key:k", 4), 2, ["x"])],
            new Cascade(root, "key:k", 4), 2, "door_1:s40", null, 1);
        var turn = new Turn(_shard, _line, DateTime.UnixEpoch, owed, [Arrival(8, [("a", "1")])], [])
        {
            Transcript = new Transcript([new RunEnded("y", 7, -1, 9, 2, RunOutcome.Ran, [new PidChange(7, "c", "1")], null, null, default, default), new ArrivalApplied(0)], 1, []),
        };

        Eddy.Pump.Fold.Into(_rows, turn);

        _rows.Paid.Ids.ShouldBe([3]);
        _rows.Events.Roots[0].ShouldBe(root);
        _rows.Events.Actors.ShouldBe(["key:k", "key:sensors"]);
        _rows.Told["door_1"].ShouldBe(["40:2-6"]);
    }

    [Fact]
    public void An_arrival_that_is_refused_leaves_the_line_with_its_reason()
    {
        var turn = new Turn(_shard, _line, DateTime.UnixEpoch, null, [], [(Arrival(7, [("a", "1")], "door_1:s41"), "too much")]) { Transcript = new Transcript([], 0, []) };

        Eddy.Pump.Fold.Into(_rows, turn);

        _rows.Done.Count.ShouldBe(1);
        _rows.Refused.Reasons.ShouldBe(["too much"]);
        _rows.Told["door_1"].ShouldBe(["41!"]);
        _rows.Events.Keys.ShouldBeEmpty();
    }

    [Fact]
    public void The_kind_of_a_process_follows_its_KVP()
    {
        Fold([Arrival(7, [("kind", "\"order\""), ("n", "1")]), Arrival(7, [("kind", null)])], [new ArrivalApplied(0), new ArrivalApplied(1)]);

        _rows.Processes.Kinds.ShouldBe([null]);
    }

    [Fact]
    public void What_an_arrival_makes_is_new_to_the_database()
    {
        Fold(
            [Arrival(7, [("a", "1")]) with { Fresh = true }, Arrival(8, [("a", "1")]), Arrival(7, [("a", "2"), ("b", "1")])],
            [new ArrivalApplied(0), Ran("x", 7, 0, 11, ("c", "1")), new ArrivalApplied(1), new ArrivalApplied(2)]);

        _rows.NewProcesses.Pids.ShouldBe([7]);
        _rows.NewKvps.Keys.ShouldBe(["a", "c", "b"], ignoreOrder: true);
        _rows.NewKvps.Values.ShouldBe(["2", "1", "1"], ignoreOrder: true);
        _rows.Processes.Pids.ShouldBe([8]);
        _rows.Kvps.Pids.ShouldBe([8]);
    }

    [Fact]
    public void A_process_is_gone_with_its_last_KVP()
    {
        Fold([Arrival(7, [("kind", "\"order\"")]), Arrival(7, [("kind", null)])], [new ArrivalApplied(0), new ArrivalApplied(1)]);

        _rows.Processes.Pids.ShouldBeEmpty();
        _rows.Gone.Pids.ShouldBe([7]);
    }

    [Fact]
    public void The_parent_of_a_process_follows_its_KVP()
    {
        Fold([Arrival(7, [("PARENT", """{"$process":3}""")])], [new ArrivalApplied(0)]);

        _rows.Processes.Parents.ShouldBe([3]);
    }

    [Fact]
    public void A_rule_that_uses_up_its_CPU_time_is_switched_off_at_once()
    {
        Fold([Arrival(7, [("a", "1")])], [new ArrivalApplied(0), Killed("x", "CpuTime")]);

        _rows.Off.Rules.ShouldBe(["x"]);
        _rows.Off.Reasons.ShouldBe(["It used up its CPU time."]);
        _rows.Quarantined.Kinds.ShouldBe(["failed"]);
    }

    [Fact]
    public void A_rule_that_uses_up_its_time_three_times_running_is_switched_off()
    {
        Fold([Arrival(7, [("a", "1")])], [new ArrivalApplied(0), Killed("x", "WallTime"), Killed("x", "WallTime"), Killed("y", "WallTime")]);
        _rows.Off.Rules.ShouldBeEmpty();

        Fold([Arrival(7, [("a", "1")])], [new ArrivalApplied(0), Killed("x", "WallTime")]);

        _rows.Off.Rules.ShouldBe(["x"]);
        _rows.Off.Reasons.ShouldBe(["It used up its time 3 times running."]);
    }

    [Fact]
    public void A_run_that_ends_otherwise_begins_the_count_anew()
    {
        Fold([Arrival(7, [("a", "1")])], [new ArrivalApplied(0), Killed("x", "WallTime"), Killed("x", "WallTime"), Ran("x", 7, 0, 11), Killed("x", "WallTime"), Killed("x", "Memory"), Killed("x", "WallTime"), Killed("x", "WallTime")]);

        _rows.Off.Rules.ShouldBeEmpty();
    }

    private static RunEnded Killed(string rule, string kind) => new(rule, 7, 0, 11, 1, RunOutcome.Killed, [], null, new RunError(kind, "It went over a limit.", null, null, null), default, default)
    {
        Woken = new LeftRun(rule, 7, 11, 1, 1, []),
    };

    private void Fold(LineArrival[] arrivals, Step[] steps, LeftRun[]? left = null)
    {
        var turn = new Turn(_shard, _line, DateTime.UnixEpoch, null, arrivals, []) { Transcript = new Transcript(steps, arrivals.Length, left ?? []), TreeVersion = 1 };
        Eddy.Pump.Fold.Into(_rows, turn);
    }

    private LineArrival Arrival(long pid, (string Key, string? Value)[] kvps, string? tag = null)
    {
        var changes = kvps.Select(kvp => new Change(kvp.Key, kvp.Value)).ToList();
        return new LineArrival(pid, _line.Tenant, new ArrivalSet(Guid.NewGuid(), pid, pid, "key:sensors", "post", changes), false, "[]", DateTime.UnixEpoch, tag, null, 1);
    }

    private static RunEnded Ran(string rule, long pid, int arrival, long set, params (string Key, string? Value)[] changes) => new(
        rule, pid, arrival, set, 1, RunOutcome.Ran, [.. changes.Select(change => new PidChange(pid, change.Key, change.Value))], null, null, default, default);

    private static RunEnded No(string rule, long pid, long set) => new(rule, pid, 0, set, 1, RunOutcome.No, [], null, null, default, default);
}
