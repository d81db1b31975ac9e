using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Eddy.Tests.Secrets;

/// <summary>A web, a worker and real cells with a master key.</summary>
public sealed class KeeperWay(TestDatabase database) : IAsyncLifetime
{
    private TestWorker? _worker;

    public TestDatabase Database { get; private set; } = null!;

    public TestWeb Web { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        var keys = "Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one"));
        Database = await database.OfItsOwnAsync();
        Web = await TestWeb.StartAsync(Database, keys);
        _worker = await TestWorker.StartAsync(Database, keys);
    }

    public async Task<TestCaller> CallerAsync(string rule)
    {
        var tenant = await TestTenant.MakeAsync(Database);
        var caller = new TestCaller(tenant, tenant.Client(Web));
        await caller.SaveAsync("scripts/a.py", rule);
        return caller;
    }

    public async ValueTask DisposeAsync()
    {
        if (_worker is not null)
        {
            await _worker.DisposeAsync();
        }

        await Web.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>Secrets from the API to a rule in its cell.</summary>
public sealed class SecretWayTests(KeeperWay way) : IClassFixture<KeeperWay>
{
    private const string Value = "whsec_0123456789abcdef";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_rule_has_the_placeholder_and_signs_with_the_value()
    {
        var caller = await way.CallerAsync("""
            class a(Rule):
                listens_to = ["data"]

                def check(self):
                    return verify(secrets.HOOK, self.data, self.signature)

                def action(self):
                    self.placeholder = secrets.HOOK
                    self.answer = sign("HOOK", self.data.encode(), "sha512")
                    print("signed with", secrets.HOOK)
            """);
        await SetAsync(caller, "HOOK", Value);
        var right = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Value), "däta"u8));

        var settled = await caller.SettleAsync($$"""{"data": "däta", "signature": "sha256={{right}}"}""");
        var wrong = await caller.SettleAsync($$"""{"data": "data", "signature": "sha256={{right}}"}""");

        var kvps = settled.GetProperty("kvps");
        kvps.GetProperty("placeholder").GetString()!.ShouldMatch("^eddysecret_[0-9a-f]{32}$");
        kvps.GetProperty("answer").GetString().ShouldBe(Convert.ToHexStringLower(HMACSHA512.HashData(Encoding.UTF8.GetBytes(Value), "däta"u8)));
        wrong.GetProperty("kvps").TryGetProperty("answer", out _).ShouldBeFalse();
        $"{await caller.GetAsync("/api/runs")}{await caller.GetAsync("/api/events")}{settled}".ShouldNotContain(Value);
        (await caller.GetAsync("/api/secrets")).GetProperty("secrets")[0].GetProperty("lastUsedAt").ValueKind.ShouldBe(System.Text.Json.JsonValueKind.String);
    }

    [Fact]
    public async Task A_rule_that_names_a_secret_that_is_not_there_fails_with_a_sentence_and_works_once_it_is_set_and_not_when_it_is_deleted()
    {
        var caller = await way.CallerAsync("""
            class a(Rule):
                listens_to = ["n"]

                def action(self):
                    self.answer = sign(secrets.LATER, "x")
            """);

        (await OfRunAsync("1")).ToString().ShouldContain("there is no secret 'LATER'");
        await SetAsync(caller, "LATER", Value);
        var signed = (await caller.SettleAsync("""{"n": 2}""")).GetProperty("kvps").GetProperty("answer").GetString();
        await SetAsync(caller, "LATER", Value + "2");
        var again = (await caller.SettleAsync("""{"n": 3}""")).GetProperty("kvps").GetProperty("answer").GetString();
        (await caller.Http.DeleteAsync("/api/secrets/LATER", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        signed.ShouldBe(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Value), "x"u8)));
        again.ShouldBe(Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Value + "2"), "x"u8)));
        (await OfRunAsync("4")).ToString().ShouldContain("there is no secret 'LATER'");

        async Task<System.Text.Json.JsonElement> OfRunAsync(string n)
        {
            var run = (await caller.SettleAsync($$"""{"n": {{n}}}""")).GetProperty("runs")[0];
            return await caller.GetAsync($"/api/runs/{run.GetProperty("id")}");
        }
    }

    [Fact]
    public async Task A_placeholder_of_another_tenant_signs_nothing()
    {
        const string Rule = """
            class a(Rule):
                listens_to = ["given"]

                def action(self):
                    self.mine = secrets.KEY
                    try:
                        self.answer = sign(self.given, "x")
                    except ValueError as error:
                        self.refused = str(error)
            """;
        var (owner, thief) = (await way.CallerAsync(Rule), await way.CallerAsync(Rule));
        await SetAsync(owner, "KEY", Value);
        await SetAsync(thief, "KEY", "of the thief's own");
        var mine = (await owner.SettleAsync("""{"given": "KEY"}""")).GetProperty("kvps");

        var stolen = (await thief.SettleAsync($$"""{"given": "{{mine.GetProperty("mine").GetString()}}"}""")).GetProperty("kvps");

        mine.GetProperty("answer").GetString().ShouldNotBeNullOrEmpty();
        stolen.TryGetProperty("answer", out _).ShouldBeFalse();
        stolen.GetProperty("refused").GetString()!.ShouldContain("there is none called");
        stolen.GetProperty("mine").GetString().ShouldNotBe(mine.GetProperty("mine").GetString());
    }

    private static async Task SetAsync(TestCaller caller, string name, string value)
    {
        using var answer = await caller.PutAsync($"/api/secrets/{name}", $$"""{"value": "{{value}}", "hosts": ["api.example.com"]}""");
        answer.IsSuccessStatusCode.ShouldBeTrue(await answer.Content.ReadAsStringAsync(Cancel));
    }
}
