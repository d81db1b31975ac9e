using Eddy.Egress;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>Attacks by a run beside the line, which may ask the host for calls: whatever it tells, there is an end to it, and one outcome.</summary>
[Trait("Category", "Long")]
public sealed class BesideAttackTests(ShortCells cells) : IClassFixture<ShortCells>
{
    private const string Rule = """
        import itertools, json, os, struct, time
        from attempt import frame, own
        def tell(*steps): os.write(3, frame(f"[{own('Line').number},{','.join(steps)}]"))
        def ask(*words): os.write(3, frame(json.dumps(words)))
        class go(Rule):
            listens_to = ["go"]
            def action(self):
                {0}
        class other(Rule):
            listens_to = ["other"]

        """;

    /// <summary>What a run does, by name, and how the host takes it: <c>lie</c>, a limit, or <c>ran</c> where it harms nobody else.</summary>
    public static TheoryData<string, string, string> Attacks => new()
    {
        { "that it leaves the line", "tell('[6,0,15]'); time.sleep(1)", "lie" },
        { "that it leaves the line, and the end", "tell('[6,0,15]', '5'); time.sleep(1)", "lie" },
        { "an arrival", "tell('0'); time.sleep(1)", "lie" },
        { "a stop", "tell('4'); time.sleep(1)", "lie" },
        { "the end, and nothing else", "tell('5'); time.sleep(1)", "lie" },
        { "the run of another rule", "tell('[3,1,15,1,0,0]'); time.sleep(1)", "lie" },
        { "the run of another process", "tell('[3,0,16,1,0,0]'); time.sleep(1)", "lie" },
        { "what it read, for ever", "while True: tell('[7]')", "CpuTime|WallTime" },
        { "that it read one KVP twice", "tell('[7,15,\"a\",15,\"a\"]'); time.sleep(1)", "lie" },
        { "that it read what is no key", "tell('[7,15,5]'); time.sleep(1)", "lie" },
        { "that it read very much", "tell('[7' + ''.join(',15,\"%d\"' % i for i in range(200_000)) + ']'); time.sleep(1)", "lie" },
        { "its outcome without what it read", "tell('[3,0,15,1,0,0]', '5'); time.sleep(1)", "ran" },
        { "cascades of its own", "tell('[3,0,15,1,0,0,[\"other\",1],0,0,0]', '[3,1,15,1,0,0]'); time.sleep(1)", "ran" },
        { "a call that is none", "ask('call'); time.sleep(1)", "lie" },
        { "a call of numbers", "ask('call', 1, 2, [], None); time.sleep(1)", "lie" },
        { "a call with half a header", "ask('call', 'GET', 'http://a/', ['x'], None); time.sleep(1)", "WallTime|ran|CpuTime" },
        { "a call with headers that are none", "ask('call', 'GET', 'http://a/', 'x', None); time.sleep(1)", "lie" },
        { "a call with half a character", "os.write(3, frame('[\"call\",\"GET\",\"http://\\\\ud800/\",[],null]')); time.sleep(1)", "lie" },
        { "a call whose time is text", "ask('call', 'GET', 'http://a/', [], 'x'); time.sleep(1)", "lie" },
        { "a call whose time is beyond time", "os.write(3, frame('[\"call\",\"GET\",\"http://a/\",[],1e308]')); time.sleep(1)", "lie|ran|CpuTime|WallTime" },
        { "a call whose time is below zero", "ask('call', 'GET', 'http://a/', [], -1); time.sleep(1)", "lie|ran|CpuTime|WallTime" },
        { "an ask that there is not", "ask('open', '/etc/passwd', ''); time.sleep(1)", "lie" },
        { "a signature where there are no secrets", "ask('sign', 'x', 'sha256'); time.sleep(1)", "lie" },
        { "a part that is no text", "ask('part', 5); time.sleep(1)", "lie" },
        { "a part that is no base64", "ask('part', '!'); time.sleep(1)", "lie" },
        { "parts for ever", "while True: ask('part', 'A' * 65536)", "lie|CpuTime" },
        { "parts of nothing for ever", "while True: ask('part', '')", "CpuTime|WallTime" },
        { "answers taken for other questions", "ask('call', 'GET', 'http://a/', [], None); ask('call', 'GET', 'http://a/', [], None)", "ran" },
        { "calls and no ear for their answers", "while True: ask('call', 'GET', 'http://a/', [], None)", "WallTime|CpuTime" },
        { "an answer to oneself", "own('Line').receive = lambda: ['answered', 200, 'OK', []]; self.x = 1", "ran" },
        { "the channel closed", "os.close(3); time.sleep(3600)", "Died" },
        { "the end of the cell", "os._exit(0)", "Died" },
    };

    [Theory, MemberData(nameof(Attacks))]
    public async Task There_is_an_end_to_whatever_it_tells(string name, string action, string expected)
    {
        var sandbox = cells.Sandbox;
        var tenant = new TestTenant(
            sandbox, ("scripts/rule.py", Rule.Replace("{0}", action, StringComparison.Ordinal)), ("libraries/attempt.py", Attempt.Source("attempt")));
        var run = new OwedRun(
            "scripts/rule.py:go", 15, [new SetEvent(1, 15, "go", "1", null)], TestTenant.Now, "post", new Cascade(Guid.NewGuid(), "key:sensors", 0), 1, []);
        var state = new Dictionary<long, IReadOnlyDictionary<string, string>> { [0] = new Dictionary<string, string>(), [15] = new Dictionary<string, string> { ["go"] = "1" } };

        var ended = await sandbox.RunBesideAsync(
            tenant.Tree, new BesideRun(run, TestTenant.Now, state), (_, _) => Task.FromResult(new CallAnswer(200, "OK", [], new byte[100_000], null)), TestContext.Current.CancellationToken);

        var got = ended.Ended.ShouldNotBeNull(name);
        (got.Rule, got.Pid).ShouldBe(("scripts/rule.py:go", 15));
        got.Changes.ShouldAllBe(change => change.Pid == 15 || change.Pid == 0);
        var outcome = got.Outcome == RunOutcome.Ran ? "ran" : got.Error!.Message.Contains("telling what can not be", StringComparison.Ordinal) ? "lie" : got.Error.Kind;
        expected.Split('|').ShouldContain(outcome, $"{name}: {got.Error}");

        // Beside it, the tenant's line goes on.
        (await tenant.OneRunAsync(3, ("other", "1"))).Outcome.ShouldBe(RunOutcome.Ran);
    }
}
