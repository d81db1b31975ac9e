using System.Net;
using System.Text.Json;
using Eddy.Tests.Secrets;

namespace Eddy.Tests.Mail;

/// <summary>Mailboxes that tenants add.</summary>
[Trait("Category", "Long")]
public sealed class OwnMailboxTests(TestDatabase database, MailServers servers)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mailbox_is_opened_before_it_is_saved_and_its_messages_become_events_of_its_tenant()
    {
        await servers.StartAsync();
        var domain = servers.MakeDomain("own");
        await using var own = await database.OfItsOwnAsync();
        string[] settings = [$"Egress:Allow:0=127.0.0.1:{servers.Imap}", $"Egress:TrustedRoots={servers.Roots}", "Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one")), "Mail:Inbox:Look=00:00:01", "Mail:Inbox:DeliveryHeaders:0=Envelope-To", $"Mail:Inbox:AuthenticationServers:0={MailServers.Name}"];
        await using var web = await TestWeb.StartAsync(own, settings);
        await using var worker = await TestWorker.StartAsync(own, settings);
        var (tenant, other) = (await TestInbox.OpenAsync(own, "anyone"), await TestInbox.OpenAsync(own, "anyone"));
        using var http = tenant.Client(web);
        using var stranger = other.Client(web);
        var caller = new TestCaller(tenant, http);
        (await SecretAsync("IMAP", MailServers.Password, $"127.0.0.1:{servers.Imap}", $"127.0.0.2:{servers.Imap}")).ShouldBe(HttpStatusCode.NoContent);
        (await SecretAsync("WRONG", "not the password", $"127.0.0.1:{servers.Imap}")).ShouldBe(HttpStatusCode.NoContent);
        (await SecretAsync("ELSEWHERE", MailServers.Password, "api.example.com")).ShouldBe(HttpStatusCode.NoContent);
        servers.Put(domain, TestInbox.Message(domain, "anybody", "hello"));

        (await SaveAsync(http, secret: "WRONG")).GetProperty("detail").GetString()!.ShouldContain("does not let");
        (await SaveAsync(http, secret: "ELSEWHERE")).GetProperty("detail").GetString()!.ShouldContain("It was tried, and can not be read.");
        (await SaveAsync(http, secret: "NONE")).GetProperty("detail").GetString()!.ShouldContain("It was tried, and can not be read.");
        (await SaveAsync(http, host: "127.0.0.2", secret: "IMAP")).GetProperty("detail").GetString()!.ShouldContain("is not called");
        // Another's secret is no secret of this one's.
        (await SaveAsync(stranger, secret: "IMAP")).GetProperty("detail").GetString()!.ShouldContain("It was tried, and can not be read.");
        (await SaveAsync(http, secret: "IMAP")).GetProperty("name").GetString().ShouldBe("support");

        var log = new TestLog(own);
        await Patience.UntilAsync("it is taken", Patience.Long, async () => await log.CountAsync(tenant.Id, "inbox_messages") == 1);
        (await log.CountAsync(other.Id, "inbox_messages")).ShouldBe(0);
        await Patience.UntilAsync("it is applied", Patience.Long, async () => await log.CountAsync(tenant.Id, "arrivals") == 0);
        (await log.TextsAsync(tenant.Id, "select value #>> '{}' from kvps where tenant_id = $1 and key = 'mail_subject'")).ShouldBe(["hello"]);
        (await stranger.GetAsync("/api/mailboxes", Cancel).JsonAsync()).GetProperty("mailboxes").GetArrayLength().ShouldBe(0);
        (await stranger.DeleteAsync("/api/mailboxes/support", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await caller.GetAsync("/api/mailboxes")).GetProperty("mailboxes")[0].GetProperty("secret").GetString().ShouldBe("IMAP");
        (await http.DeleteAsync("/api/mailboxes/support", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        async Task<HttpStatusCode> SecretAsync(string name, string value, params string[] hosts)
        {
            using var answer = await caller.PutAsync($"/api/secrets/{name}", JsonSerializer.Serialize(new { value, hosts }));
            return answer.StatusCode is HttpStatusCode.OK or HttpStatusCode.Created ? HttpStatusCode.NoContent : answer.StatusCode;
        }

        async Task<JsonElement> SaveAsync(HttpClient by, string secret, string host = "127.0.0.1")
        {
            using var answer = await by.PutAsync("/api/mailboxes/support", new StringContent(JsonSerializer.Serialize(new { host, port = servers.Imap, user = domain, secret }), System.Text.Encoding.UTF8, "application/json"), Cancel);
            return JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement;
        }
    }
}
