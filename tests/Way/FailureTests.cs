using System.Net;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Tests.Way;

/// <summary>What goes wrong is told, and holds up nobody.</summary>
public sealed class FailureTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task A_run_that_fails_is_recorded_with_its_traceback_leaves_nothing_behind_and_the_rest_goes_on()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class fails(Rule):
                listens_to = ["n"]

                def action(self):
                    self.gone = True
                    shared.gone = True
                    print("so far")
                    self.divide(self.n)

                def divide(self, n):
                    return n / 0

            class works(Rule):
                listens_to = ["n"]

                def action(self):
                    self.twice = self.n * 2
            """));

        var answer = await caller.SettleAsync("""{"n": 4}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"n":4,"quarantine_error":"ZeroDivisionError: division by zero","quarantined_script":"scripts/a.py:fails","twice":8}""");
        var runs = answer.GetProperty("runs").EnumerateArray().ToList();
        runs.Select(run => run.GetProperty("outcome").GetString()).ShouldBe(["failed", "ran"]);
        var error = runs[0].GetProperty("error");
        error.GetProperty("kind").GetString().ShouldBe("ZeroDivisionError");
        error.GetProperty("file").GetString().ShouldBe("scripts/a.py");
        error.GetProperty("line").GetInt32().ShouldBe(11);
        error.GetProperty("traceback").GetString()!.ShouldContain("line 8");
        (await caller.GetAsync($"/api/runs/{runs[0].GetProperty("id")}")).GetProperty("log").GetString().ShouldBe("so far\n");
        (await caller.SharedAsync()).TryGetProperty("gone", out _).ShouldBeFalse();
        (await caller.GetAsync("/api/runs?outcome=failed")).GetProperty("runs").GetArrayLength().ShouldBe(1);
    }

    [Theory]
    [InlineData("print('\\0 \\ud800 \\U0001F600')")]
    [InlineData("raise ValueError('\\0 \\ud800')")]
    [InlineData("self.value = '\\0'")]
    [InlineData("self.value = '\\ud800'")]
    [InlineData("self.value = float('nan')")]
    [InlineData("self.value = 10 ** 400")]
    [InlineData("self.value = Decimal('1e200000')", "from decimal import Decimal")]
    [InlineData("self['a' * 200] = 1")]
    [InlineData("self['\\ud800'] = 1")]
    [InlineData("self.value = {'\\0': 1}")]
    [InlineData("self.value = 'x' * 300_000")]
    [InlineData("self.value = [[]] * 50_000")]
    [InlineData("raise type('\\0', (Exception,), {})()")]
    public async Task Whatever_a_rule_says_its_event_is_applied_and_the_next_has_its_turn(string action, string import = "")
    {
        var caller = await way.CallerAsync(("scripts/odd.py", $"""
            {import}
            class odd(Rule):
                listens_to = ["n"]

                def action(self):
                    {action}
            """));

        var answer = await caller.SettleAsync("""{"n": 1}""");

        answer.GetProperty("kvps").GetProperty("n").GetInt32().ShouldBe(1);
        answer.GetProperty("runs").GetArrayLength().ShouldBe(1);
        (await caller.SettleAsync("""{"m": 1}""")).GetProperty("kvps").ToString().ShouldBe("""{"m":1}""");
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task An_event_that_its_process_has_no_room_for_is_refused_and_the_next_ones_pass()
    {
        var caller = await way.CallerAsync();
        var pid = (await caller.SettleAsync(Many("a", 999))).GetProperty("pid").GetInt64();

        using var refused = await caller.PostAsync(Many("b", 2), $"?pid={pid}", headers: ("Prefer", "wait=30"));
        var problem = await Task.FromResult(refused).JsonAsync(HttpStatusCode.UnprocessableEntity);

        problem.GetProperty("detail").GetString()!.ShouldContain("1001 KVPs");
        (await caller.SettleAsync(Many("c", 1), $"?pid={pid}")).GetProperty("kvps").EnumerateObject().Count().ShouldBe(1000);
        (await new TestLog(way.Database).TextsAsync(caller.Tenant.Id, "select reason from refused where tenant_id = $1")).ShouldHaveSingleItem().ShouldContain("the limit is 1000");
    }

    [Fact]
    public async Task What_the_database_will_not_have_is_refused_alone_and_what_came_with_it_passes()
    {
        var caller = await way.CallerAsync(("scripts/count.py", """
            class count(Rule):
                listens_to = ["n"]

                def action(self):
                    shared.total = (shared.total or 0) + 1
            """));
        await caller.SettleAsync("""{"n": 0}""");

        await InsertAsync(caller.Tenant, ["""[["n",1]]""", """[["n","\u0000"]]""", """[["n",2]]""", "no list", """[["n",{"$no":]]""", """[["n",3]]"""]);

        var answer = await caller.SettleAsync("""{"n": 4}""");
        answer.GetProperty("runs").GetArrayLength().ShouldBe(1);
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(5);
        (await new TestLog(way.Database).TextsAsync(caller.Tenant.Id, "select kvps from refused where tenant_id = $1 order by 1"))
            .ShouldBe(["""[["n","\u0000"]]""", """[["n",{"$no":]]""", "no list"], ignoreOrder: true);
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task What_calls_itself_new_and_is_there_is_applied_all_the_same()
    {
        var caller = await way.CallerAsync();
        await InsertAsync(caller.Tenant, ["""[["n",1]]""", """[["n",2]]"""]);
        await caller.SettleAsync("""{"n": 0}""");

        await InsertAsync(caller.Tenant, ["""[["n",7],["m",1]]"""]);
        await caller.SettleAsync("""{"n": 0}""");

        (await caller.ProcessAsync(100_001)).ToString().ShouldBe("""{"m":1,"n":7}""");
        (await caller.ProcessAsync(100_002)).ToString().ShouldBe("""{"n":2}""");
        (await new TestLog(way.Database).TextsAsync(caller.Tenant.Id, "select kvps from refused where tenant_id = $1")).ShouldBeEmpty();
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    private static string Many(string prefix, int count) => $"{{{string.Join(',', Enumerable.Range(0, count).Select(i => $"\"{prefix}{i}\":{i}"))}}}";

    /// <summary>Puts into the line what no door would let in.</summary>
    private static async Task InsertAsync(TestTenant tenant, string[] kvps)
    {
        await using var insert = tenant.Database.Superuser.CreateCommand("""
            insert into arrivals (shard, tenant_id, arrival, pid, wake_pid, fresh, kvps, actor, source, received_at)
            select $2, $1, gen_random_uuid(), 100000 + n, 100000 + n, true, k, 'key:test', 'post', now() from unnest($3) with ordinality u(k, n)
            """);
        insert.Parameters.Add(new() { Value = tenant.Id.Value });
        insert.Parameters.Add(new() { Value = tenant.Id.Shard });
        insert.Parameters.Add(new NpgsqlParameter { Value = kvps, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
