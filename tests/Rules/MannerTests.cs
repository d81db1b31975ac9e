using System.Text.Json;
using Eddy.Tests.Access;
using Eddy.Tests.Secrets;

namespace Eddy.Tests.Rules;

/// <summary>Scripts in the manner of the platform before, which lie in <c>manner/</c>, loaded as they are and run.</summary>
public sealed class MannerTests(TestDatabase database) : IAsyncLifetime
{
    private TestDatabase _own = null!;
    private TestWeb _web = null!;
    private TestSite _site = null!;
    private TestWorker _worker = null!;

    public async ValueTask InitializeAsync()
    {
        var keys = "Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one"));
        _own = await database.OfItsOwnAsync();
        _web = await TestWeb.StartAsync(_own, keys);
        _site = await TestSite.StartAsync();
        _worker = await TestWorker.StartAsync(_own, keys, _site.Allowed);
    }

    [Fact, Trait("Category", "Long")]
    public async Task A_webhook_app_keeps_what_came_in_models()
    {
        var caller = await CallerAsync("scripts/webhook.py");
        using (await caller.PutAsync("/api/shared/webhook_on", "true"))
        {
        }

        var first = await SettleAsync(caller, """{"payload": {"repository": "eddy", "running": true}, "name": "Ada"}""");
        await SettleAsync(caller, """{"payload": {"repository": "eddy", "running": false}, "name": "Grace"}""");
        var lacking = await caller.SettleAsync("""{"payload": {"repository": "eddy"}, "first": "Ada"}""");

        first.GetProperty("kvps").GetProperty("seen").GetBoolean().ShouldBeTrue();
        var service = (await caller.GetAsync("/api/processes?kind=service")).GetProperty("processes").EnumerateArray().ShouldHaveSingleItem().GetProperty("kvps");
        (service.GetProperty("name").GetString(), service.GetProperty("hits").GetInt32()).ShouldBe(("eddy", 2));
        var statuses = (await caller.GetAsync("/api/processes?kind=status")).GetProperty("processes").EnumerateArray().Select(one => one.GetProperty("kvps")).ToList();
        statuses.Select(one => one.GetProperty("running").GetBoolean()).Order().ShouldBe([false, true]);
        statuses.Single(one => one.GetProperty("running").GetBoolean()).TryGetProperty("checked_at", out _).ShouldBeTrue();
        (await caller.GetAsync("/api/cards")).GetProperty("cards").EnumerateArray().ShouldHaveSingleItem().GetProperty("name").GetString().ShouldBe("welcome");
        (await caller.GetAsync("/api/outbox")).GetProperty("mails").GetArrayLength().ShouldBe(2);
        lacking.GetProperty("kvps").TryGetProperty("seen", out _).ShouldBeFalse();
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact, Trait("Category", "Long")]
    public async Task An_SMS_app_sends_and_tries_again_by_a_drip()
    {
        var caller = await CallerAsync("scripts/sms.py");
        using (await caller.PutAsync("/api/secrets/SMS", JsonSerializer.Serialize(new { value = "0123456789abcdef", hosts = new[] { new Uri(_site.Address).Authority } })))
        {
        }

        foreach (var (key, value) in new[] { ("sms_url", $"\"{_site.Address}/none\""), ("sms_sid", "\"AC1\"") })
        {
            using var _ = await caller.PutAsync("/api/shared/" + key, value);
        }

        var pid = (await SettleAsync(caller, """{"sms_text": "Hello", "to": "+49123"}""")).GetProperty("pid").GetInt64();
        var failed = await caller.ProcessAsync(pid);
        (failed.GetProperty("sms_sent").GetBoolean(), failed.GetProperty("sms_tries").GetInt32(), failed.TryGetProperty("sms_retry_at", out _)).ShouldBe((false, 1, true));

        using (await caller.PutAsync("/api/shared/sms_url", $"\"{_site.Address}/echo\""))
        {
        }

        // What the drip puts in is what a person would.
        using (var drip = await caller.PutAsync("/api/drips/again", JsonSerializer.Serialize(new { cron = "0 0 1 1 *", kvps = "sms_text := Again\nto := +49124" })))
        {
            drip.IsSuccessStatusCode.ShouldBeTrue(await drip.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        }

        (await caller.Http.PostAsync("/api/drips/again/run", null, TestContext.Current.CancellationToken)).IsSuccessStatusCode.ShouldBeTrue();
        await SettleAsync(caller, """{"sms_retry": 1}""", $"?pid={pid}");

        var sent = await caller.ProcessAsync(pid);
        (sent.GetProperty("sms_sent").GetBoolean(), sent.GetProperty("sms_tries").GetInt32()).ShouldBe((true, 2));
        await Patience.UntilAsync("the drip's own is sent, too", Patience.Long, async () =>
            (await caller.GetAsync("/api/processes?key.sms_text=Again")).GetProperty("processes").EnumerateArray().Any(one => one.GetProperty("kvps").TryGetProperty("sms_sent", out var is_) && is_.GetBoolean()));
        (await caller.GetAsync("/api/rules/schedules")).GetProperty("schedules").EnumerateArray().ShouldHaveSingleItem().GetProperty("rule").GetString().ShouldBe("scripts/sms.py:retry_sms");
    }

    [Fact, Trait("Category", "Long")]
    public async Task An_authentication_library_guards_actions_with_a_decorator()
    {
        var caller = await CallerAsync("libraries/authentication.py", "scripts/login.py");

        var signed = await SettleAsync(caller, """{"sign_up": true, "username": "ada", "password": "secret"}""");
        var wrong = await SettleAsync(caller, """{"login": true, "username": "ada", "password": "guess"}""");
        var right = await SettleAsync(caller, """{"login": true, "username": "ada", "password": "secret"}""");

        signed.GetProperty("kvps").TryGetProperty("password", out _).ShouldBeFalse();
        wrong.GetProperty("kvps").GetProperty("logged_in").GetBoolean().ShouldBeFalse();
        (right.GetProperty("kvps").GetProperty("welcome").GetString(), right.GetProperty("kvps").GetProperty("account").GetInt64())
            .ShouldBe(("Hello ada", signed.GetProperty("kvps").GetProperty("account").GetInt64()));
        for (var i = 0; i < 3; i++)
        {
            await SettleAsync(caller, """{"login": true, "username": "ada", "password": "guess"}""");
        }

        var locked = await SettleAsync(caller, """{"login": true, "username": "ada", "password": "secret"}""");
        locked.GetProperty("kvps").GetProperty("logged_in").GetBoolean().ShouldBeFalse();
        (await caller.GetAsync("/api/cards")).GetProperty("cards").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Departments_and_employees_are_parent_and_child()
    {
        var caller = await CallerAsync("scripts/departments.py");
        var department = (await SettleAsync(caller, """{"kind": "department", "position": "engineer"}""")).GetProperty("pid").GetInt64();
        var employee = (await caller.GetAsync("/api/processes?kind=employee")).GetProperty("processes").EnumerateArray().ShouldHaveSingleItem().GetProperty("pid").GetInt64();
        (await caller.ProcessAsync(department)).GetProperty("open").GetInt32().ShouldBe(1);

        await SettleAsync(caller, """{"hired": true, "name": "Ada"}""", $"?pid={employee}");
        await SettleAsync(caller, """{"closed": true}""", $"?pid={department}");

        var kvps = await caller.ProcessAsync(department);
        (kvps.GetProperty("head_count").GetInt32(), kvps.GetProperty("names").ToString()).ShouldBe((1, """["Ada"]"""));
        var ada = await caller.ProcessAsync(employee);
        (ada.GetProperty("badge").GetString(), ada.GetProperty("closed").GetBoolean()).ShouldBe(($"B-{employee}", true));
        await new TestLog(_own).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _site.DisposeAsync();
        await _web.DisposeAsync();
        await _own.DisposeAsync();
    }

    private async Task<TestCaller> CallerAsync(params string[] paths)
    {
        var tenant = await TestTenant.MakeAsync(_own);
        // A person, for mail goes to the last actor.
        var caller = await tenant.AsAsync(_web, $"{tenant.Slug}@acme.test", "owner");
        foreach (var path in paths)
        {
            var saved = await caller.SaveAsync(path, await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "Rules", "manner", path), TestContext.Current.CancellationToken));
            saved.GetProperty("findings").GetArrayLength().ShouldBe(0, saved.ToString());
        }

        return caller;
    }

    private static async Task<JsonElement> SettleAsync(TestCaller caller, string body, string query = "")
    {
        var answer = await caller.SettleAsync(body, query);
        answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.ToString()).ShouldBeEmpty();
        return answer;
    }
}
