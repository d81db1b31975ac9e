using System.Text.Json;
using System.Text.RegularExpressions;
using Eddy.Apps;

namespace Eddy.Tests.Apps;

/// <summary>The apps that come with Eddy, as their READMEs say that they are used.</summary>
public sealed partial class SampleTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task Every_sample_comes_in_without_a_finding()
    {
        var caller = await way.CallerAsync();
        foreach (var sample in AppSample.All)
        {
            var plan = await TestApp.PlanAsync(caller.Http, sample.Zip());
            plan.GetProperty("mayImport").GetBoolean().ShouldBeTrue(sample.Name);
            plan.GetProperty("left").GetArrayLength().ShouldBe(0, sample.Name);
            plan.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString()).ShouldContain("README.md");
            await TestApp.ImportAsync(caller.Http, sample.Zip());
        }

        var files = (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().ToList();
        files.SelectMany(file => file.GetProperty("findings").EnumerateArray().Select(finding => $"{file.GetProperty("path")}: {finding}")).ShouldBeEmpty();
    }

    [Fact]
    public async Task The_tests_of_every_sample_pass()
    {
        foreach (var sample in AppSample.All)
        {
            var caller = await way.CallerAsync();
            await TestApp.ImportAsync(caller.Http, sample.Zip());

            var ran = await Hindsight.RuleTestsTests.TestAsync(caller, "{}", System.Net.HttpStatusCode.OK);

            (ran["failed"]!.GetValue<int>(), ran["faults"]!.AsArray().Count).ShouldBe((0, 0), ran.ToJsonString());
            ran["passed"]!.GetValue<int>().ShouldBeGreaterThan(1, sample.Name);
        }
    }

    [Fact]
    public async Task The_temperature_monitor_tells_once_of_a_room_that_is_too_hot()
    {
        var caller = await BringAsync("temperature", ("ops", "\"ops@acme.test\""), ("hot", "80"));

        foreach (var temperature in new[] { 70, 85, 95, 60, 81 })
        {
            await caller.SettleAsync($$"""{"room": "attic", "temperature": {{temperature}}}""");
        }

        var room = (await ProcessesAsync(caller, "room")).ShouldHaveSingleItem().GetProperty("kvps");
        room.GetProperty("highest").GetInt32().ShouldBe(95);
        room.GetProperty("readings").ToString().ShouldBe("[70,85,95,60,81]");
        room.GetProperty("hot").GetBoolean().ShouldBeTrue();
        (await SubjectsAsync(caller)).ShouldBe(["attic is too hot", "attic is too hot"], ignoreOrder: true);
    }

    [Fact]
    public async Task The_hiring_process_takes_one_and_declines_the_others()
    {
        var caller = await BringAsync("hiring");
        var job = (await caller.SettleAsync("""{"kind": "job", "title": "Gardener", "lead": "lead@acme.test"}""")).GetProperty("pid").GetInt64();
        var pids = new List<long>();
        foreach (var name in new[] { "Ann", "Bob", "Cid" })
        {
            pids.Add((await caller.SettleAsync($$"""{"kind": "applicant", "job": {{job}}, "name": "{{name}}", "mail": "{{name}}@example.test"}""")).GetProperty("pid").GetInt64());
        }

        await caller.SettleAsync("""{"decision": "invite"}""", $"?pid={pids[0]}");
        await caller.SettleAsync("""{"decision": "take"}""", $"?pid={pids[1]}");

        (await caller.ProcessAsync(job)).GetProperty("state").GetString().ShouldBe("filled");
        var states = new List<string?>();
        foreach (var pid in pids)
        {
            states.Add((await caller.ProcessAsync(pid)).GetProperty("state").GetString());
        }

        states.ShouldBe(["decline", "take", "decline"]);
        // One that says it is here for each, one for each decision.
        (await SubjectsAsync(caller)).Count.ShouldBe(7);
        await caller.SettleAsync($$"""{"kind": "applicant", "job": {{job}}, "name": "Dora", "mail": "dora@example.test"}""");
        (await SubjectsAsync(caller)).Count.ShouldBe(8);
    }

    [Fact]
    public async Task The_status_board_tells_of_what_goes_down_and_comes_back_and_answers_as_JSON()
    {
        var caller = await BringAsync("status", ("ops", "\"ops@acme.test\""));
        var pid = (await caller.SettleAsync("""{"kind": "service", "name": "Shop", "address": "https://shop.acme.test/"}""")).GetProperty("pid").GetInt64();

        foreach (var state in new[] { "up", "down", "up" })
        {
            await caller.SettleAsync($$"""{"state": "{{state}}"}""", $"?pid={pid}");
        }

        (await SubjectsAsync(caller)).ShouldBe(["Shop is down", "Shop is up"], ignoreOrder: true);
        (await caller.GetAsync("/api/endpoints")).GetProperty("endpoints")[0].GetProperty("path").GetString().ShouldBe("/api/v1/board/states");
        (await caller.GetAsync("/api/rules")).ToString().ShouldContain("* * * * *");
    }

    /// <summary>What docs/from-nebrios.md shows at its end.</summary>
    [Fact]
    public async Task The_app_on_the_page_about_NebriOS_comes_in_and_does_what_the_page_says()
    {
        var blocks = Example().Matches(File.ReadAllText(Path.Combine(Repository.Root, "docs", "from-nebrios.md"))).Select(block => block.Groups[1].Value).ToList();
        blocks.Count.ShouldBe(3);
        var caller = await way.CallerAsync();
        await TestApp.ImportAsync(caller.Http, TestApp.Zip(("app/" + blocks[0].Split('\n')[0].TrimStart('#', ' '), blocks[0])));

        var pid = (await caller.SettleAsync(blocks[1])).GetProperty("pid").GetInt64();

        JsonElement.DeepEquals(await caller.ProcessAsync(pid), JsonDocument.Parse(blocks[2]).RootElement).ShouldBeTrue();
    }

    [GeneratedRegex("```(?:python|json)\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    private async Task<TestCaller> BringAsync(string sample, params (string Key, string Value)[] shared)
    {
        var caller = await way.CallerAsync();
        await TestApp.ImportAsync(caller.Http, AppSample.All.Single(one => one.Name == sample).Zip());
        foreach (var (key, value) in shared)
        {
            (await caller.PutAsync($"/api/shared/{key}", value)).IsSuccessStatusCode.ShouldBeTrue();
            await Patience.UntilAsync("it is set", Patience.Long, async () => (await caller.SharedAsync()).TryGetProperty(key, out _));
        }

        return caller;
    }

    private static async Task<IReadOnlyList<JsonElement>> ProcessesAsync(TestCaller caller, string kind) =>
        [.. (await caller.GetAsync($"/api/processes?kind={kind}")).GetProperty("processes").EnumerateArray()];

    private static async Task<IReadOnlyList<string>> SubjectsAsync(TestCaller caller) =>
        [.. (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().Select(mail => mail.GetProperty("subject").GetString()!.Split(" (PID:")[0])];
}
