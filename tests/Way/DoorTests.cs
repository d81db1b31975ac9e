using System.Net;

namespace Eddy.Tests.Way;

/// <summary>What the door promises to those who ask twice, ask for too much, or do not wait.</summary>
public sealed class DoorTests(TestDatabase database, TestWay way) : IClassFixture<TestWay>
{
    private const string Count = """
        class count(Rule):
            listens_to = ["n"]

            def action(self):
                shared.total = (shared.total or 0) + 1
        """;

    [Fact]
    public async Task The_same_key_gives_the_same_answer_and_one_event()
    {
        var caller = await way.CallerAsync(("scripts/count.py", Count));

        var first = await caller.SendAsync("""{"n": 1}""", headers: ("Idempotency-Key", "a"));
        var second = await caller.SendAsync("""{"n": 1}""", headers: ("Idempotency-Key", "a"));
        var waited = await caller.SettleAsync("""{"n": 1}""", headers: ("Idempotency-Key", "a"));

        second.ToString().ShouldBe(first.ToString());
        waited.GetProperty("arrival").ToString().ShouldBe(first.GetProperty("arrival").ToString());
        waited.GetProperty("kvps").ToString().ShouldBe("""{"n":1}""");
        waited.GetProperty("runs").GetArrayLength().ShouldBe(1);
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task The_same_key_with_another_body_is_refused_and_leaves_nothing_behind()
    {
        var caller = await way.CallerAsync(("scripts/count.py", Count));
        await caller.SettleAsync("""{"n": 1}""", headers: ("Idempotency-Key", "a"));

        (await caller.PostAsync("""{"n": 2}""", headers: ("Idempotency-Key", "a")).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldBe("idempotency-mismatch");
        (await caller.PostAsync("""{"n": 1}""", "?as=payload", headers: ("Idempotency-Key", "a")).ProblemAsync(HttpStatusCode.UnprocessableEntity)).ShouldBe("idempotency-mismatch");

        await caller.SettleAsync("""{"n": 3}""");
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(2);
    }

    [Theory]
    [InlineData("gzip", "application/json")]
    [InlineData("br", "application/xml")]
    [InlineData("identity, gzip", "text/csv")]
    public async Task What_is_packed_is_refused_and_never_kept_as_what_its_type_says(string coding, string type)
    {
        var caller = await way.CallerAsync();

        (await caller.PostAsync("a\n1\n", type: type, headers: ("Content-Encoding", coding)).ProblemAsync(HttpStatusCode.UnsupportedMediaType)).ShouldBe("unsupported-coding");
        (await caller.PostAsync("a\n1\n", "?as=payload", type, ("Content-Encoding", coding)).ProblemAsync(HttpStatusCode.UnsupportedMediaType)).ShouldBe("unsupported-coding");

        (await caller.SettleAsync("a\n1\n", type: "text/csv", headers: ("Content-Encoding", "identity")))[0].GetProperty("kvps").ToString().ShouldBe("""{"a":1}""");
        (await caller.GetAsync("/api/processes")).GetProperty("processes").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task One_key_sent_many_times_at_once_is_one_event_and_everybody_gets_its_answer()
    {
        var caller = await way.CallerAsync(("scripts/count.py", Count));
        const string list = """[{"n": 1}, {"n": 2}]""";

        for (var round = 0; round < 4; round++)
        {
            var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => i % 2 == 0
                ? caller.SendAsync(list, headers: ("Idempotency-Key", $"r{round}"))
                : caller.SettleAsync(list, headers: ("Idempotency-Key", $"r{round}"))));

            answers.Select(answer => string.Join(' ', answer.EnumerateArray().Select(one => $"{one.GetProperty("arrival")}/{one.GetProperty("pid")}"))).Distinct().ShouldHaveSingleItem();
            (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(2 * (round + 1));
        }
    }

    [Fact]
    public async Task One_key_sent_to_two_doors_at_once_is_one_event()
    {
        await using var other = await TestWeb.StartAsync(way.Database);
        var caller = await way.CallerAsync(("scripts/count.py", Count));
        var neighbour = new TestCaller(caller.Tenant, caller.Tenant.Client(other));

        for (var round = 0; round < 10; round++)
        {
            var answers = await Task.WhenAll(new[] { caller, neighbour }.Select(one => one.SettleAsync($$"""{"n": {{round}}}""", headers: ("Idempotency-Key", $"r{round}"))));

            answers[0].GetProperty("arrival").ToString().ShouldBe(answers[1].GetProperty("arrival").ToString());
            answers[1].GetProperty("runs").GetArrayLength().ShouldBe(1);
        }

        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(10);
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task Two_doors_never_give_out_one_process_number_twice()
    {
        await using var other = await TestWeb.StartAsync(way.Database);
        var caller = await way.CallerAsync();
        var neighbour = new TestCaller(caller.Tenant, caller.Tenant.Client(other));

        var answers = await Task.WhenAll(Enumerable.Range(0, 300).Select(i => (i % 2 == 0 ? caller : neighbour).SettleAsync($$"""{"i": {{i}}}""")));

        answers.Select(answer => answer.GetProperty("pid").GetInt64()).Distinct().Count().ShouldBe(300);
        answers.Select((answer, i) => answer.GetProperty("kvps").GetProperty("i").GetInt32() == i).ShouldAllBe(own => own);
    }

    [Fact]
    public async Task Who_sends_more_than_may_wait_is_told_to_come_back_and_the_others_are_not()
    {
        // Nothing is applied here: there is no worker.
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own, "Door:TenantBacklog=300");
        var (busy, quiet) = (await TestTenant.MakeAsync(own), await TestTenant.MakeAsync(own));
        var flood = new TestCaller(busy, busy.Client(web));
        await flood.SendAsync($"[{string.Join(',', Enumerable.Range(0, 300).Select(i => $$"""{"n": {{i}}}"""))}]");

        using var refused = await flood.PostAsync("""{"n": 1}""");
        (await Task.FromResult(refused).ProblemAsync(HttpStatusCode.TooManyRequests)).ShouldBe("too-many-requests");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThan(TimeSpan.Zero);
        await new TestCaller(quiet, quiet.Client(web)).SendAsync("""{"n": 1}""");

        await using var worker = await TestWorker.StartAsync(own);
        await Patience.UntilAsync("the flood has run off", Patience.Long, async () =>
        {
            using var response = await flood.PostAsync("""{"n": 1}""");
            return response.StatusCode == HttpStatusCode.Accepted;
        });
        (await new TestLog(own).CountAsync(busy.Id, "refused")).ShouldBe(0);
    }

    [Fact]
    public async Task Who_waits_longer_than_it_takes_is_answered_202_and_the_event_is_not_lost()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));

        var answer = await caller.SendAsync("""{"n": 1}""", headers: ("Prefer", "wait=1"));

        await using var worker = await TestWorker.StartAsync(own);
        var later = await caller.SettleAsync("""{"m": 2}""", $"?pid={answer.GetProperty("pid")}");
        later.GetProperty("kvps").ToString().ShouldBe("""{"m":2,"n":1}""");
    }
}
