using System.Net;
using System.Text;
using System.Text.Json;
using Npgsql;

namespace Eddy.Tests.Mail;

/// <summary>Mails and cards from the rule to the API.</summary>
public sealed class MailWayTests(TestWay way) : IClassFixture<TestWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_is_in_the_outbox_with_the_values_of_the_end_of_its_run()
    {
        var caller = await CallerAsync("""
            class hot(Rule):
                listens_to = ["temperature"]

                def action(self):
                    shared.limit = 90
                    send_email("ops@acme.test, jörg@müller.example", "It is **{{temperature}}** in {{room}}: {{alert}} over {{shared.limit}}, says {{last_actor}}.{{gone}}", subject="{{alert}} in {{room}}")
                    self.alert = "Too hot"
                    del self.gone

            class later(Rule):
                listens_to = ["alert"]

                def action(self):
                    self.alert = "changed later"
                    self.room = "elsewhere"
            """);

        var answer = await caller.SettleAsync("""{"temperature": 95, "room": "attic", "gone": "x"}""");

        var pid = answer.GetProperty("pid").GetInt64();
        var listed = (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem();
        listed.GetProperty("id").GetInt64().ShouldBe(1001);
        listed.GetProperty("run").GetInt64().ShouldBe(1);
        listed.GetProperty("pid").GetInt64().ShouldBe(pid);
        listed.GetProperty("to").ToString().ShouldBe("""["ops@acme.test","jörg@müller.example"]""");
        listed.GetProperty("subject").GetString().ShouldBe($"Too hot in attic (PID:{pid})");
        listed.GetProperty("state").GetString().ShouldBe("waiting");
        var mail = await caller.GetAsync("/api/outbox/1001");
        mail.GetProperty("text").GetString().ShouldBe("It is **95** in attic: Too hot over 90, says key:test.");
        mail.GetProperty("html").GetString().ShouldBe("<p>It is <strong>95</strong> in attic: Too hot over 90, says key:test.</p>");
        mail.GetProperty("attached").ValueKind.ShouldBe(JsonValueKind.Null);
        var run = await caller.GetAsync("/api/runs/1");
        run.GetProperty("effects").GetProperty("mails")[0].GetProperty("id").GetInt64().ShouldBe(1001);
        run.GetProperty("effects").GetProperty("cards").GetArrayLength().ShouldBe(0);
        (await caller.GetAsync("/api/runs/2")).GetProperty("effects").ValueKind.ShouldBe(JsonValueKind.Null);
    }

    [Fact]
    public async Task A_mail_that_waits_is_cancelled_and_tried_again_by_its_tenant_alone()
    {
        var caller = await CallerAsync("""
            class tell(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("a@b.test", "m")
            """);
        await caller.SettleAsync("""{"go": 1}""");
        var other = await TestTenant.MakeAsync(way.Database);
        using var stranger = other.Client(way.Web);
        using var reader = caller.Tenant.Client(way.Web, await caller.Tenant.AddKeyAsync("reader", "read"));

        (await stranger.DeleteAsync("/api/outbox/1001", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await stranger.PostAsync("/api/outbox/1001/retry", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);
        (await reader.DeleteAsync("/api/outbox/1001", Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await caller.GetAsync("/api/outbox/1001")).GetProperty("state").GetString().ShouldBe("waiting");

        (await caller.Http.DeleteAsync("/api/outbox/1001", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        var cancelled = await caller.GetAsync("/api/outbox/1001");
        cancelled.GetProperty("state").GetString().ShouldBe("cancelled");
        cancelled.GetProperty("endedAt").ValueKind.ShouldBe(JsonValueKind.String);
        var refusal = await caller.Http.DeleteAsync("/api/outbox/1001", Cancel).JsonAsync(HttpStatusCode.UnprocessableEntity);
        refusal.GetProperty("detail").GetString().ShouldBe("It does not wait any more; it is cancelled.");

        (await caller.Http.PostAsync("/api/outbox/1001/retry", null, Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await caller.GetAsync("/api/outbox/1001")).GetProperty("state").GetString().ShouldBe("waiting");
    }

    [Fact]
    public async Task A_mail_about_another_process_prints_that_one_and_has_its_number()
    {
        var caller = await CallerAsync("""
            class tell(Rule):
                listens_to = ["about"]

                def action(self):
                    made = Process.objects.create(name="made")
                    send_email("a@b.test", "{{name}} {{added}}", pid=self.about)
                    send_email("a@b.test", "{{name}}", pid=made)
                    other = Process.objects.get(PROCESS_ID=self.about)
                    other.added = "now"
                    other.save()
                    load_card("c", pid=other)
                    self.made = made

            class fails(Rule):
                listens_to = ["unknown"]

                def action(self):
                    send_email("a@b.test", "m", pid=self.unknown)
            """);
        var other = (await caller.SettleAsync("""{"name": "other"}""")).GetProperty("pid").GetInt64();

        var made = (await caller.SettleAsync($$"""{"about": {{other}}}""")).GetProperty("kvps").GetProperty("made").GetProperty("$process").GetInt64();
        var failed = await caller.SettleAsync("""{"unknown": 999999}""");

        var mails = (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ToList();
        mails.Select(mail => (mail.GetProperty("pid").GetInt64(), mail.GetProperty("subject").GetString())).ShouldBe([(made, $"made (PID:{made})"), (other, $"other now (PID:{other})")]);
        (await caller.GetAsync($"/api/outbox?pid={other}")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem();
        (await caller.GetAsync("/api/outbox?run=1")).GetProperty("mails").GetArrayLength().ShouldBe(2);
        (await caller.GetAsync("/api/outbox?run=2")).GetProperty("mails").GetArrayLength().ShouldBe(0);
        (await caller.GetAsync($"/api/cards?pid={other}")).GetProperty("cards")[0].GetProperty("name").GetString().ShouldBe("c");
        failed.GetProperty("runs")[0].GetProperty("error").GetProperty("message").GetString().ShouldBe("there is no process 999999");
    }

    [Fact]
    public async Task A_card_is_for_the_last_actor_or_whom_the_rule_names_until_it_is_closed()
    {
        var caller = await CallerAsync("""
            class show(Rule):
                listens_to = ["go"]

                def action(self):
                    load_card("first")
                    load_card("second", user="anna@acme.test")

            class chosen(Rule):
                listens_to = ["chosen"]

                def action(self):
                    self.last_actor = self.chosen
                    load_card("third")
            """);

        var pid = (await caller.SettleAsync("""{"go": 1}""")).GetProperty("pid").GetInt64();
        await caller.SettleAsync("""{"chosen": "anna@acme.test"}""");

        var cards = (await caller.GetAsync("/api/cards")).GetProperty("cards").EnumerateArray().ToList();
        cards.Select(card => $"{card.GetProperty("id")} {card.GetProperty("name").GetString()} {card.GetProperty("user").GetString()} {card.GetProperty("state").GetString()}")
            .ShouldBe(["2001 third anna@acme.test waiting", "1002 second anna@acme.test waiting", "1001 first key:test waiting"]);
        Names(await caller.GetAsync("/api/cards?user=anna@acme.test")).ShouldBe(["third", "second"]);
        Names(await caller.GetAsync($"/api/cards?user=anna@acme.test&pid={pid}")).ShouldBe(["second"]);

        (await caller.Http.DeleteAsync("/api/cards/1002", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        (await caller.Http.DeleteAsync("/api/cards/1002", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        Names(await caller.GetAsync("/api/cards")).ShouldBe(["third", "first"]);
        var effects = (await caller.GetAsync("/api/runs/1")).GetProperty("effects");
        Names(effects).ShouldBe(["first", "second"]);
        effects.GetProperty("cards")[1].GetProperty("state").GetString().ShouldBe("closed");
        // Whom a card is for changes no right and no record.
        (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().ShouldAllBe(one => one.GetProperty("actor").GetString() == "key:test");
    }

    [Fact]
    public async Task A_run_that_fails_or_says_no_tells_nobody()
    {
        var caller = await CallerAsync("""
            class fails(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("a@b.test", "m")
                    load_card("c")
                    raise ValueError("no")

            class says_no(Rule):
                listens_to = ["go"]

                def check(self):
                    send_email("a@b.test", "m")

            class is_killed(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("a@b.test", "m")
                    import os
                    os._exit(1)

            class works(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("a@b.test", "works")
            """);

        await caller.SettleAsync("""{"go": 1}""");

        (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem().GetProperty("subject").GetString()!.ShouldStartWith("works ");
        (await caller.GetAsync("/api/cards")).GetProperty("cards").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task The_KVPs_go_along_that_every_receiver_may_read()
    {
        var caller = await CallerAsync("""
            class tell(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("Anna@acme.test", "m")
                    send_email("anna@acme.test", "m", attach_variables=False)
                    send_email("anna@acme.test, stranger@acme.test", "m")
                    send_email("unconfirmed@acme.test", "m")
                    send_email("elsewhere@acme.test", "m")
                    send_email("bob@acme.test", "m")
                    send_email("anna@acme.test, bob@acme.test", "m")
                    send_email("Customer@müller.test", "m")
                    send_email("bob@acme.test, customer@müller.test", "m")
                    self.done = [1.5, "x"]
                    self.kind = "order"
            """);
        await MemberAsync(caller.Tenant, "anna@acme.test", confirmed: true, "owner");
        await MemberAsync(caller.Tenant, "bob@acme.test", confirmed: true);
        await MemberAsync(caller.Tenant, "unconfirmed@acme.test", confirmed: false, "owner");
        await MemberAsync((await way.CallerAsync()).Tenant, "elsewhere@acme.test", confirmed: true, "owner");
        await caller.PutAsync("/api/access/groups/customers", """{"members": ["customer@müller.test"]}""");
        foreach (var entry in (string[])[
            """{"group": "registered", "may": ["read"], "keys": ["done", "kind"], "kind": "order"}""", """{"group": "registered", "may": ["read"], "keys": ["go"], "kind": "invoice"}""",
            """{"group": "registered", "may": ["set"], "keys": ["go"]}""", """{"group": "customers", "may": ["read"], "keys": ["g*", "kind"]}"""])
        {
            (await caller.Http.PostAsync("/api/access/entries", new StringContent(entry, Encoding.UTF8, "application/json"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Created);
        }

        await caller.SettleAsync("""{"go": 1}""");

        var attached = new List<string>();
        for (var id = 1001; id <= 1009; id++)
        {
            attached.Add((await caller.GetAsync($"/api/outbox/{id}")).GetProperty("attached").GetRawText());
        }

        attached.ShouldBe([
            """{"done":[1.5,"x"],"go":1,"kind":"order"}""", "null", "null", "null", "null", """{"done":[1.5,"x"],"kind":"order"}""", """{"done":[1.5,"x"],"kind":"order"}""", """{"go":1,"kind":"order"}""", """{"kind":"order"}"""]);
    }

    [Fact]
    public async Task Another_tenant_sees_none_of_it_and_closes_none()
    {
        var owner = await CallerAsync("""
            class tell(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("a@b.test", "gold {{go}}")
                    load_card("gold")
            """);
        var stranger = await way.CallerAsync();
        await owner.SettleAsync("""{"go": 1}""");
        await stranger.SettleAsync("""{"go": 1}""");

        (await stranger.Http.GetAsync("/api/outbox/1001", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await stranger.Http.DeleteAsync("/api/cards/1002", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        foreach (var path in new[] { "/api/outbox", "/api/outbox?run=1", "/api/outbox?pid=1", "/api/cards", "/api/cards?user=key:test" })
        {
            (await stranger.GetAsync(path)).ToString().ShouldNotContain("gold");
        }

        (await owner.GetAsync("/api/outbox/1001")).GetProperty("text").GetString().ShouldBe("gold 1");
        Names(await owner.GetAsync("/api/cards")).ShouldBe(["gold"]);
        foreach (var table in new[] { "outbox", "cards" })
        {
            (await CountAsync(table, owner.Tenant.Id.ToString())).ShouldBe(1, table);
            (await CountAsync(table, stranger.Tenant.Id.ToString())).ShouldBe(0, table);
            (await CountAsync(table, null)).ShouldBe(0, table);
        }

        foreach (var statement in new[] { "delete from outbox", "update outbox set text = 'x'", "insert into outbox (tenant_id) values (gen_random_uuid())", "update cards set for_user = 'x'", "delete from cards" })
        {
            await using var connection = await way.Database.App.OpenConnectionAsync(Cancel);
            await using var command = new NpgsqlCommand(statement, connection);
            (await Should.ThrowAsync<PostgresException>(() => command.ExecuteNonQueryAsync(Cancel))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
        }
    }

    [Fact]
    public async Task Hostile_values_are_text_in_text_and_html_and_one_line_in_the_subject()
    {
        const string Value = "{{secret}} <script>alert(1)</script> [x](javascript:alert(1)) **b**\r\nBcc: evil@evil.test\n\nEnd";
        var caller = await CallerAsync("""
            class tell(Rule):
                listens_to = ["value"]

                def action(self):
                    send_email("a@b.test", "See: {{value}}", subject="About {{value}}")
            """);

        await caller.SettleAsync($$"""{"value": {{JsonSerializer.Serialize(Value)}}, "secret": "gold"}""");

        var mail = await caller.GetAsync("/api/outbox/1001");
        mail.GetProperty("text").GetString().ShouldBe("See: " + Value);
        mail.GetProperty("html").GetString().ShouldBe(
            "<p>See: {{secret}} &lt;script&gt;alert(1)&lt;/script&gt; [x](javascript:alert(1)) **b**<br>Bcc: evil@evil.test<br><br>End</p>");
        mail.GetProperty("subject").GetString().ShouldBe("About {{secret}} <script>alert(1)</script> [x](javascript:alert(1)) **b** Bcc: evil@evil.test End (PID:1)");
    }

    [Fact]
    public async Task A_mail_that_its_values_make_too_long_is_cut_and_the_rest_of_the_turn_goes_on()
    {
        var caller = await CallerAsync("""
            class tell(Rule):
                listens_to = ["go"]

                def action(self):
                    self.long = "x" * 200_000
                    for i in range(100):
                        send_email("a@b.test", "{{long}}" * 100, subject=f"Mail {i}")

            class after(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("a@b.test", "short {{go}}")
            """);

        await caller.SettleAsync("""{"go": 1}""");

        var first = await caller.GetAsync("/api/outbox/1001");
        first.GetProperty("text").GetString()!.Length.ShouldBe((256 << 10) + "\n… cut here: the mail is longer than one may be\n".Length);
        first.GetProperty("html").ValueKind.ShouldBe(JsonValueKind.Null);
        (await caller.GetAsync("/api/outbox?run=1")).GetProperty("mails").GetArrayLength().ShouldBe(100);
        (await caller.GetAsync("/api/outbox/1100")).GetProperty("text").GetString().ShouldBe("\n… cut here: the mail is longer than one may be\n");
        (await caller.GetAsync("/api/outbox/2001")).GetProperty("subject").GetString().ShouldNotBeNull();
    }

    [Fact]
    public async Task The_outbox_is_read_page_by_page_newest_first()
    {
        var caller = await CallerAsync("""
            class tell(Rule):
                listens_to = ["go"]

                def action(self):
                    for i in range(3):
                        send_email("a@b.test", "m")
                        load_card("c")
            """);
        await caller.SettleAsync("""{"go": 1}""");
        await caller.SettleAsync("""{"go": 2}""");

        foreach (var (path, list, expected) in new[]
        {
            ("/api/outbox?limit=2", "mails", "2005 2003 2001 1005 1003 1001"),
            ("/api/outbox?limit=2&run=1", "mails", "1005 1003 1001"),
            ("/api/cards?limit=4", "cards", "2006 2004 2002 1006 1004 1002"),
        })
        {
            var seen = new List<long>();
            for (var address = path; address.Length > 0;)
            {
                using var page = await caller.Http.GetAsync(address, Cancel);
                var json = await Task.FromResult(page).JsonAsync();
                seen.AddRange(json.GetProperty(list).EnumerateArray().Select(one => one.GetProperty("id").GetInt64()));
                address = json.GetProperty("next").ValueKind == JsonValueKind.Null ? "" : page.Headers.GetValues("Link").Single().Split('<', '>')[1];
            }

            string.Join(' ', seen).ShouldBe(expected, path);
        }

        foreach (var wrong in new[] { "/api/outbox?limit=0", "/api/outbox?cursor=x", "/api/outbox?run=0", "/api/cards?limit=501", "/api/cards?user=%00" })
        {
            (await caller.Http.GetAsync(wrong, Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request", wrong);
        }
    }

    private Task<TestCaller> CallerAsync(string rules) => way.CallerAsync(("scripts/tell.py", rules));

    private static IEnumerable<string> Names(JsonElement answer) => answer.GetProperty("cards").EnumerateArray().Select(card => card.GetProperty("name").GetString()!);

    private static async Task MemberAsync(TestTenant tenant, string address, bool confirmed, string role = "viewer")
    {
        await tenant.PrepareAsync($"""
            with person as (
              insert into people (id, email, normalized_email, email_confirmed, phone_number_confirmed, two_factor_enabled, lockout_enabled, access_failed_count)
              values (gen_random_uuid(), '{address}', '{address.ToUpperInvariant()}', {confirmed}, false, false, false, 0) returning id)
            insert into members (tenant_id, person_id, role) select $1, id, '{role}' from person
            """);
    }

    private async Task<long> CountAsync(string table, string? tenant)
    {
        await using var connection = await way.Database.App.OpenConnectionAsync(Cancel);
        if (tenant is not null)
        {
            await using var name = new NpgsqlCommand($"select set_config('app.tenant_id', '{tenant}', false)", connection);
            await name.ExecuteNonQueryAsync(Cancel);
        }

        await using var count = new NpgsqlCommand($"select count(*) from {table}", connection);
        return (long)(await count.ExecuteScalarAsync(Cancel))!;
    }
}
