using CsCheck;

namespace Eddy.Tests.Pump;

/// <summary>The log is all that there is: KVPs are what it comes to, as often as it is gone through.</summary>
public sealed class ReplayTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Rules = """
        class add(Rule):
            listens_to = ["a", "b"]
            def action(self):
                if self.a == 3:
                    del self.b
                elif self.a == 4:
                    Process.objects.get(pid=self.pid).delete()
                else:
                    self.sum = (self.a or 0) + (self.b or 0)

        class share(Rule):
            listens_to = ["sum"]
            def action(self):
                if self.sum == 7:
                    raise ValueError("seven")
                shared.total = (shared.total or 0) + self.sum
                new_child.of = [self.sum, self]
        """;

    private static readonly Gen<(int Process, string Key, int Value)[]> Arrivals = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 1], Gen.Int[0, 5]).Select((process, key, value) => (process, key == 0 ? "a" : "b", value)).Array[3, 15];

    [Fact]
    public async Task Replaying_the_log_gives_the_KVPs_and_taking_it_back_gives_none() =>
        await Arrivals.SampleAsync(async arrivals =>
        {
            var caller = await way.CallerAsync(("scripts/a.py", Rules));
            var pids = new Dictionary<int, long>();
            foreach (var (process, key, value) in arrivals)
            {
                var body = $$"""{"{{key}}": {{value}}}""";
                if (pids.TryGetValue(process, out var pid) && (await caller.Http.GetAsync($"/api/processes/{pid}", TestContext.Current.CancellationToken)).IsSuccessStatusCode)
                {
                    await caller.SettleAsync(body, $"?pid={pid}");
                }
                else
                {
                    pids[process] = (await caller.SettleAsync(body)).GetProperty("pid").GetInt64();
                }
            }

            var log = new TestLog(way.Database);
            var kvps = (await log.TextsAsync(caller.Tenant.Id, "select pid || ' ' || key || ' ' || value::text from kvps where tenant_id = $1")).Order(StringComparer.Ordinal).ToList();
            var events = (await log.TextsAsync(
                caller.Tenant.Id, "select pid || ' ' || key || E'\\t' || coalesce(value::text, '') || E'\\t' || coalesce(previous::text, '') from events where tenant_id = $1 order by position")).ConvertAll(line => line.Split('\t'));

            var replayed = new Dictionary<string, string>();
            for (var i = 0; i < 2; i++)
            {
                replayed.Clear();
                events.ForEach(one => Set(one[0], one[1]));
                replayed.Select(kvp => $"{kvp.Key} {kvp.Value}").Order(StringComparer.Ordinal).ShouldBe(kvps);
            }

            foreach (var one in Enumerable.Reverse(events))
            {
                Set(one[0], one[2]);
            }

            replayed.ShouldBeEmpty();
            await log.ShouldBeSoundAsync(caller.Tenant.Id);

            void Set(string key, string value)
            {
                if (value.Length == 0)
                {
                    replayed.Remove(key);
                }
                else
                {
                    replayed[key] = value;
                }
            }
        }, iter: 5, threads: 1);
}
