using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Eddy.Access;
using Eddy.Mail.Inbox;
using Eddy.Postgres;
using Eddy.Tests.Browser;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>A message is tried over HTTP: what it would become, and why, and nothing is stored.</summary>
public sealed class MailPreviewTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_members_message_would_begin_a_process_and_leaves_nothing()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var member = await TestBrowser.AddPersonAsync(tenant, "viewer");
        await OpenAsync(tenant, InboxPolicy.Default with { Secrets = ["abc"] });

        var answer = await TryAsync(tenant, $"From: {member}\r\nSubject: Room 7\r\n\r\nHello\r\n-- \r\ntemperature := 95\r\n", "?vouched=true");

        answer.GetProperty("outcome").GetString().ShouldBe("accepted");
        answer.GetProperty("kind").GetString().ShouldBe("ordinary");
        answer.GetProperty("pid").ValueKind.ShouldBe(JsonValueKind.Null);
        answer.GetProperty("actor").GetString().ShouldBe(member);
        answer.GetProperty("kvps").EnumerateArray().Single(kvp => kvp.GetProperty("key").GetString() == "mail_text").GetProperty("value").GetString().ShouldBe("Hello");
        answer.GetProperty("why").EnumerateArray().Select(why => why.GetString()).ShouldContain($"{member} belongs to the tenant.");
        (await tenant.Client(shared.Web).GetAsync("/api/processes", Cancel).JsonAsync()).GetProperty("processes").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Members_of_one_tenant_are_strangers_to_another_and_its_secret_opens_nothing_there()
    {
        var (own, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        var member = await TestBrowser.AddPersonAsync(own, "owner");
        await OpenAsync(own, new InboxPolicy { Opening = InboxOpening.Secret, Secrets = ["ownsecret"] });
        await OpenAsync(other, new InboxPolicy { Opening = InboxOpening.Secret, Secrets = ["othersecret"] });
        var message = $"From: {member}\r\nSubject: x\r\n\r\nx := 1\r\n";

        (await TryAsync(other, message, "?vouched=true")).GetProperty("code").GetString().ShouldBe("not_allowed");
        (await TryAsync(other, message, $"?to={Uri.EscapeDataString($"{other.Slug}+ownsecret@inbox.invalid")}")).GetProperty("code").GetString().ShouldBe("not_allowed");
        (await TryAsync(other, message, $"?to={Uri.EscapeDataString($"{own.Slug}+othersecret@inbox.invalid")}")).GetProperty("code").GetString().ShouldBe("not_allowed");
        (await TryAsync(other, "From: a@b.test\r\n\r\nhello", $"?to={Uri.EscapeDataString($"{other.Slug}+othersecret@inbox.invalid")}")).GetProperty("outcome").GetString().ShouldBe("accepted");
    }

    [Fact]
    public async Task An_answer_to_a_mail_of_the_tenants_own_finds_its_process_and_nobody_elses()
    {
        var (own, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        var id = $"{Guid.NewGuid()}@in.example.com";
        await own.PrepareAsync(
            $"with made as (insert into processes (tenant_id, pid, created_at) values ($1, 15, now())) insert into outbox (tenant_id, id, run, pid, at, receivers, subject, text, message_id) values ($1, 1001, 1, 15, now(), '{{bob@shop.test}}', 'x', 'x', '{id}')");
        await other.PrepareAsync("insert into processes (tenant_id, pid, created_at) values ($1, 15, now())");
        await OpenAsync(own, new InboxPolicy { Opening = InboxOpening.Anyone });
        await OpenAsync(other, new InboxPolicy { Opening = InboxOpening.Anyone });
        var answer = $"From: bob@shop.test\r\nIn-Reply-To: <{id}>\r\n\r\nYes.\r\n";

        (await TryAsync(own, answer)).GetProperty("pid").GetInt64().ShouldBe(15);
        (await TryAsync(other, answer)).GetProperty("pid").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task What_is_no_message_is_told_in_a_sentence()
    {
        var tenant = await TestTenant.MakeAsync(database);

        var answer = await TryAsync(tenant, "no headers here");

        answer.GetProperty("code").GetString().ShouldBe("unreadable");
        answer.GetProperty("why")[0].GetString().ShouldStartWith("It is no message");
        (await PostAsync(tenant, "").ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Fact]
    public async Task A_policy_is_kept_as_it_was_said_and_what_can_not_be_listed_is_not()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var policies = Policies();
        (await policies.ReadAsync(tenant.Id, Cancel)).ShouldBe(InboxPolicy.Default);

        (await policies.SaveAsync(tenant.Id, new InboxPolicy { Listed = ["no address"] }, "ann@acme.test", Cancel)).ShouldNotBeNull().ShouldContain("'no address' is neither an address");
        await OpenAsync(tenant, new InboxPolicy { Opening = InboxOpening.Listed, Listed = ["Shop.test", "*.shop.test", "bob@else.test"], Secrets = ["s"], TakesAnswers = false, AnswersRefused = true });

        var kept = await policies.ReadAsync(tenant.Id, Cancel);
        kept.Opening.ShouldBe(InboxOpening.Listed);
        kept.Listed.ShouldBe(["*.shop.test", "bob@else.test", "shop.test"]);
        kept.Secrets.ShouldBe(["s"]);
        (kept.TakesAnswers, kept.AnswersRefused).ShouldBe((false, true));
        (await new AccessStore(new EddyDbs(database.App), TimeProvider.System).AuditAsync(tenant.Id, null, 10, Cancel)).Items.ShouldHaveSingleItem().Action.ShouldBe("set-inbox");
    }

    private InboxPolicyStore Policies() => new(new EddyDbs(database.App), new AccessStore(new EddyDbs(database.App), TimeProvider.System), TimeProvider.System);

    private async Task OpenAsync(TestTenant tenant, InboxPolicy policy) => (await Policies().SaveAsync(tenant.Id, policy, "ann@acme.test", Cancel)).ShouldBeNull();

    private Task<JsonElement> TryAsync(TestTenant tenant, string message, string query = "") => PostAsync(tenant, message, query).JsonAsync();

    private Task<HttpResponseMessage> PostAsync(TestTenant tenant, string message, string query = "") =>
        tenant.Client(shared.Web).PostAsync("/api/mail/preview" + query, new ByteArrayContent(System.Text.Encoding.UTF8.GetBytes(message)) { Headers = { ContentType = new MediaTypeHeaderValue("message/rfc822") } }, Cancel);
}
