using System.Text.Json;
using System.Text.RegularExpressions;
using CsCheck;

namespace Eddy.Tests.Processes;

/// <summary>However arrivals come into slices, wherever these end, and whichever cells die: the state is that of one arrival after another.</summary>
public sealed partial class InterleavingTests(TestDatabase database)
{
    private const string Rules = """
        import os
        class make(Rule):
            listens_to = ["make"]
            def action(self):
                self.kind = "parent"
                for k in range(self.make):
                    Process.objects.create(PARENT=self, kind="item", k=k, of=self.name, n=0)

        class add(Rule):
            listens_to = ["add"]
            def action(self):
                for item in Process.objects.filter(kind="item", k=self.add).order_by("of"):
                    item.n = item.n + self.by
                    item.save()
                    if item.n % 5 == 4:
                        item.PARENT = Process.objects.filter(kind="parent").order_by("-name").first()
                        item.save()
                    if item.n % 7 == 6:
                        item.delete()

        class total(Rule):
            listens_to = ["child.n"]
            def action(self):
                self.total = sum(one.n for one in children)
                shared.all = (shared.all or 0) + child.n

        class rate(Rule):
            listens_to = ["parent.total"]
            def check(self):
                return parent.total is not None and parent.total % 3 == 0
            def action(self):
                self.rate = [parent.total, parent.name, len(parent.CHILDREN)]

        class die(Rule):
            listens_to = ["die"]
            def action(self):
                os._exit(1)

        class tell(Rule):
            listens_to = ["rate"]
            def action(self):
                self.told = (self.told or []) + [self.rate[0]]

        """;

    private static readonly Gen<string> Arrival = Gen.OneOf(
        Gen.Select(Gen.Int[0, 3], Gen.Int[0, 99]).Select((make, name) => $$"""{"make": {{make}}, "name": "p{{name:00}}"}"""),
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 9]).Select((add, by) => $$"""{"add": {{add}}, "by": {{by}}}"""),
        Gen.Select(Gen.Int[0, 3], Gen.Int[1, 9]).Select((add, by) => $$"""{"add": {{add}}, "by": {{by}}}"""),
        Gen.Const("""{"die": 1}"""),
        Gen.Const("""{"note": 1}"""));

    [Fact]
    public async Task Any_interleaving_gives_what_one_arrival_after_another_gives()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var worker = await TestWorker.StartAsync(own);
        await using var web = await TestWeb.StartAsync(own);
        var isLong = Environment.GetEnvironmentVariable("CI") == "true";
        var scripts = new List<(TestCaller Whole, TestCaller Single, string Expected)>();
        await Arrival.List[4, 12].SampleAsync(async arrivals =>
        {
            var single = await CallerAsync(own, web);
            foreach (var arrival in arrivals)
            {
                await single.SettleAsync(arrival);
            }

            scripts.Add((await CallerAsync(own, web), single, $"[{string.Join(',', arrivals)}]"));
        }, iter: isLong ? 24 : 5, threads: 1);

        // The others all come at once, to a worker whose slices end after every second run.
        await worker.DisposeAsync();
        await using var hasty = await TestWorker.StartAsync(own, "Pump:Runs=2");
        await Task.WhenAll(scripts.Select(script => script.Whole.SettleAsync(script.Expected)));

        foreach (var (whole, single, arrivals) in scripts)
        {
            (await StateAsync(whole)).ShouldBe(await StateAsync(single), arrivals);
            await new TestLog(own).ShouldBeSoundAsync(whole.Tenant.Id);
        }
    }

    private static async Task<TestCaller> CallerAsync(TestDatabase own, TestWeb web)
    {
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/a.py", Rules);
        return caller;
    }

    /// <summary>All processes with their KVPs, and those above them, without the numbers, which are drawn.</summary>
    private static async Task<string> StateAsync(TestCaller caller)
    {
        var processes = (await caller.GetAsync("/api/processes?limit=200")).GetProperty("processes").EnumerateArray().ToDictionary(process => process.GetProperty("pid").GetInt64(), process => process.GetProperty("kvps"));
        var lines = processes.Values.Select(kvps => JsonSerializer.Serialize(kvps.EnumerateObject().Where(kvp => kvp.Name != "PARENT").ToDictionary(kvp => kvp.Name, kvp => kvp.Value))
            + (kvps.TryGetProperty("PARENT", out var parent) && parent.ValueKind == JsonValueKind.Object ? " below " + processes[parent.GetProperty("$process").GetInt64()].GetProperty("name") : ""));
        // An error may name the process that is not there any more by its number.
        return string.Join('\n', lines.Select(line => Missing().Replace(line, "there is no process")).Order(StringComparer.Ordinal)) + "\n" + await caller.SharedAsync();
    }

    [GeneratedRegex("there is no process [0-9]+")]
    private static partial Regex Missing();
}
