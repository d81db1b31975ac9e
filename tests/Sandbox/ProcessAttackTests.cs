using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Sandbox;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Sandbox;

/// <summary>
/// Attacks by what a run may ask of processes, by frames of its own making: whatever it asks, there is an end to it, it sees no other tenant's, and what it changes is its own
/// tenant's, where the host knows it.
/// </summary>
[Trait("Category", "Long")]
public sealed class ProcessAttackTests(TestDatabase database, ProcessAttackTests.Cells cells) : IClassFixture<ProcessAttackTests.Cells>, IAsyncLifetime
{
    private const string Rule = """
        import json, os, time
        from attempt import frame, own
        def tell(*steps): os.write(3, frame(f"[{own('Line').number},{','.join(steps)}]"))
        def ask(text):
            os.write(3, frame(text))
            return own("Line").receive()
        def find(where="[]", more="", so_far="[]"): return ask('["find",{"where":' + where + more + '},' + so_far + ']')
        class go(Rule):
            listens_to = ["go"]
            def action(self):
                FOREIGN = {foreign}
                self.got = {0}
        class other(Rule):
            listens_to = ["other"]

        """;

    private const string Foreign = "what is another tenant's";

    private Eddy.Tests.TestTenant _attacker = null!;
    private Eddy.Tests.TestTenant _other = null!;

    /// <summary>What a run does, by name, and how the host takes it: <c>lie</c>, a limit, the error of the run, or <c>let</c> where it gains nothing.</summary>
    public static TheoryData<string, string, string> Attacks => new()
    {
        { "another tenant's process", "str(ask(f'[\"read\",{FOREIGN}]'))", "let" },
        { "another tenant's process by a query", "str(find(f'[[false,[[\"PROCESS_ID\",\"eq\",{FOREIGN}]]]]'))", "let" },
        { "every process there is", "str(find())", "let" },
        { "what stands below another tenant's", "str(ask(f'[\"below\",{FOREIGN},[]]'))", "let" },
        { "a change of another tenant's process", "tell(f'[3,0,15,1,0,0,0,0,0,0,[{FOREIGN},[\"x\",1]]]') or time.sleep(2)", "lie" },
        { "a change of a process that nobody told it of", "tell('[3,0,15,1,0,0,0,0,0,0,[987654,[\"x\",1]]]') or time.sleep(2)", "lie" },
        { "a change of process 0 as of another", "tell('[3,0,15,1,0,0,0,0,0,0,[0,[\"x\",1]]]') or time.sleep(2)", "lie" },
        { "a change of a process below zero", "tell('[3,0,15,1,0,0,0,0,0,0,[-5,[\"x\",1]]]') or time.sleep(2)", "lie" },
        { "one KVP twice, in two places", "tell('[3,0,15,1,0,0,[\"x\",1],0,0,0,[15,[\"x\",2]]]') or time.sleep(2)", "lie" },
        { "more changes than a run may have, over processes", "[Process.objects.create(n=n).pid for n in range(60)]", "ValueError" },
        { "a process larger than one may be", "setattr(Process.objects.create(n=1), 'x', 'x' * 70_000)", "ValueError" },
        { "SQL in a key", "str(find('[[false,[[\"x\\' or true --\",\"eq\",1]]]]'))", "let" },
        { "SQL in a value", "str(find('[[false,[[\"x\",\"eq\",\"\\') or true --\"]]]]'))", "let" },
        { "SQL in an order", "str(find('[]', ',\"order\":[[\"x\\' ; drop table kvps --\",true]]'))", "let" },
        { "a key that is none", "find('[[false,[[\"\",\"eq\",1]]]]')", "lie" },
        { "a key with a NUL", "find('[[false,[[\"\\\\u0000\",\"eq\",1]]]]')", "lie" },
        { "a comparison that there is not", "find('[[false,[[\"x\",\"regex\",\".*\"]]]]')", "lie" },
        { "a value that is none", "find('[[false,[[\"x\",\"eq\",\"\\\\ud800\"]]]]')", "lie" },
        { "a number that is no process", "find('[[false,[[\"PROCESS_ID\",\"eq\",\"x\"]]]]')", "lie" },
        { "a number too long", "find('[[false,[[\"x\",\"eq\",' + '9' * 5000 + ']]]]')", "lie" },
        { "a hundred conditions and one", "find('[[false,[' + ','.join(['[\"x\",\"eq\",1]'] * 101) + ']]]')", "lie" },
        { "a thousand values and one", "find('[[false,[[\"x\",\"in\",[' + ','.join(['1'] * 1001) + ']]]]]')", "lie" },
        { "eleven orders", "find('[]', ',\"order\":[' + ','.join(['[\"x\",true]'] * 11) + ']')", "lie" },
        { "a limit below zero", "find('[]', ',\"limit\":-1')", "lie" },
        { "a limit beyond limits", "find('[]', ',\"limit\":1001')", "lie" },
        { "an offset beyond all", "str(find('[]', ',\"offset\":99999999'))", "let" },
        { "a question without a where", "ask('[\"find\",{},[]]')", "lie" },
        { "a question that is none", "ask('[\"find\",5,[]]')", "lie" },
        { "a question without its changes", "ask('[\"find\",{\"where\":[]}]')", "lie" },
        { "changes of what it does not know", "find(so_far='[987654,[\"x\",1]]')", "lie" },
        { "a read of what is no number", "ask('[\"read\",\"x\"]')", "lie" },
        { "a read beyond all numbers", "ask('[\"read\",' + '9' * 30 + ']')", "lie" },
        { "a read below zero", "str(ask('[\"read\",-1]'))", "let" },
        { "a billion numbers", "ask('[\"pids\",1000000000]')[2]", "let" },
        { "numbers without end", "[ask('[\"pids\",64]') and None for _ in range(10_001)]", "let|CpuTime|WallTime|ValueError|MemoryError" },
        { "questions without end", "[find() and None for _ in range(10_001)]", "let|CpuTime|WallTime" },
        { "questions and no ear for their answers", "[os.write(3, frame('[\"find\",{\"where\":[]},[]]')) and None for _ in range(100_000)]", "CpuTime|WallTime|lie|let" },
        { "a question after its end", "tell('[3,0,15,1,0,0]') or str(find())", "let" },
        { "a process of its own invention", "own('Line').state.update({987654: {'x': '1'}}) or own('Line')._met().add(987654) or own('Line').bag(987654).set('x', 2)", "lie" },
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        (_attacker, _other) = (await Eddy.Tests.TestTenant.MakeAsync(database), await Eddy.Tests.TestTenant.MakeAsync(database));
        foreach (var (tenant, pid, value) in new[] { (_attacker, 15L, "1"), (_other, 700_001L, $"\"{Foreign}\"") })
        {
            await using var batch = database.Superuser.CreateBatch();
            batch.BatchCommands.Add(new("insert into processes (tenant_id, pid, created_at) values ($1, $2, now())") { Parameters = { new() { Value = tenant.Id.Value }, new() { Value = pid } } });
            batch.BatchCommands.Add(new("insert into kvps (tenant_id, pid, key, value, position) values ($1, $2, 'go', $3::jsonb, 1)") { Parameters = { new() { Value = tenant.Id.Value }, new() { Value = pid }, new() { Value = value } } });
            await batch.ExecuteNonQueryAsync(Ct);
        }
    }

    [Theory, MemberData(nameof(Attacks))]
    public async Task There_is_an_end_to_whatever_it_asks(string name, string expression, string expected)
    {
        var rule = Rule.Replace("{0}", expression, StringComparison.Ordinal).Replace("{foreign}", "700001", StringComparison.Ordinal);
        var tenant = new TestTenant(cells.Sandbox, ("scripts/rule.py", rule), ("libraries/attempt.py", Attempt.Source("attempt")));
        tenant.Tree = tenant.Tree with { Tenant = _attacker.Id };

        var run = (await tenant.PostAsync(15, ("go", "1"))).Steps.OfType<RunEnded>().First();

        var outcome = run.Outcome == RunOutcome.Ran ? "let"
            : run.Error!.Message.Contains("telling what can not be", StringComparison.Ordinal) || run.Error.Message.Contains("It asked", StringComparison.Ordinal) ? "lie" : run.Error.Kind;
        expected.Split('|').ShouldContain(outcome, $"{name}: {run.Error}");
        run.Changes.ShouldAllBe(change => change.Pid != 700_001 && change.Pid != 987_654);
        string.Join('\n', run.Changes.Select(change => change.Value)).ShouldNotContain(Foreign);
        (await ForeignAsync()).ShouldBe($"\"{Foreign}\"");

        // The tenant's line goes on.
        (await tenant.OneRunAsync(3, ("other", "1"))).Outcome.ShouldBe(RunOutcome.Ran);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async Task<string> ForeignAsync()
    {
        await using var command = database.Superuser.CreateCommand("select value::text from kvps where tenant_id = $1 and pid = 700001");
        command.Parameters.Add(new() { Value = _other.Id.Value });
        return (string)(await command.ExecuteScalarAsync(Ct))!;
    }

    /// <summary>A sandbox whose runs may ask the database, with little time.</summary>
    public sealed class Cells(TestDatabase database) : IAsyncLifetime
    {
        public RuleSandbox Sandbox { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var options = CellFixture.Limits();
            options.WallTime = TimeSpan.FromSeconds(10);
            options.CpuTime = TimeSpan.FromSeconds(2);
            Sandbox = new RuleSandbox(options, TimeProvider.System, NullLogger<RuleSandbox>.Instance, null, new ProcessFinder(new EddyDbs(database.App)));
            await Sandbox.StartAsync(Ct);
        }

        public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
    }
}
