namespace Eddy.Tests.Mail;

/// <summary>However often a run is done, what it tells is told once.</summary>
public sealed class MailOnceTests(TestDatabase database)
{
    [Fact]
    public async Task A_run_that_is_done_again_beside_the_line_sends_its_mail_once()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        await using var site = await TestSite.StartAsync();
        await using var worker = await TestWorker.StartAsync(own, site.Held);
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/ask.py", """
            class ask(Rule):
                listens_to = ["go"]

                def action(self):
                    send_email("a@b.test", "{{factor}} {{unread}} {{answer}}")
                    load_card("c")
                    before = self.factor
                    http.get("SITE/hold")
                    self.answer = before
                    if self.go == "fail":
                        raise ValueError("no")
            """.Replace("SITE", site.Address, StringComparison.Ordinal));
        var pid = (await caller.SendAsync("""{"go": 1, "factor": 2, "unread": "old"}""")).GetProperty("pid").GetInt64();
        await Patience.UntilAsync("the call is out", () => site.Waiting == 1);
        await caller.SettleAsync("""{"factor": 5}""", $"?pid={pid}");
        (await caller.GetAsync("/api/outbox")).GetProperty("mails").GetArrayLength().ShouldBe(0);
        site.LetGo(1000);

        await Patience.UntilAsync("it has landed", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty("answer", out _));
        await caller.SettleAsync("""{"go": "fail"}""");

        var mail = (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem();
        // As the KVPs are where it takes its place in the log.
        (await caller.GetAsync($"/api/outbox/{mail.GetProperty("id")}")).GetProperty("text").GetString().ShouldBe("5 old 5");
        (await caller.GetAsync("/api/cards")).GetProperty("cards").EnumerateArray().ShouldHaveSingleItem();
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact]
    public async Task Whom_a_rule_chooses_sees_the_cards_of_the_whole_cascade_in_however_many_slices_and_beside_the_line()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        await using var site = await TestSite.StartAsync();
        await using var worker = await TestWorker.StartAsync(own, site.Allowed, "Pump:Runs=1");
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/a.py", """
            class first(Rule):
                listens_to = ["go"]

                def action(self):
                    load_card("before")

            class second(Rule):
                listens_to = ["go"]

                def action(self):
                    self.last_actor = "anna@acme.test"
                    self.chosen = True

            class third(Rule):
                listens_to = ["chosen"]

                def action(self):
                    self.said = self.last_actor
                    load_card("after")
                    send_email("a@b.test", "by {{last_actor}}")

            class fourth(Rule):
                listens_to = ["said"]

                def action(self):
                    http.get("SITE/echo")
                    self.heard = self.last_actor
                    load_card("beside")

            class fifth(Rule):
                listens_to = ["heard"]

                def action(self):
                    load_card("landed")

            class other(Rule):
                listens_to = ["other"]

                def action(self):
                    load_card("other")
            """.Replace("SITE", site.Address, StringComparison.Ordinal));

        var answer = await caller.SettleAsync("""{"go": 1}""");
        await caller.SettleAsync("""{"other": 1}""");

        var cards = (await caller.GetAsync("/api/cards")).GetProperty("cards").EnumerateArray().Select(card => $"{card.GetProperty("name").GetString()} {card.GetProperty("user").GetString()}");
        cards.Reverse().ShouldBe(["before key:test", "after anna@acme.test", "beside anna@acme.test", "landed anna@acme.test", "other key:test"]);
        answer.GetProperty("kvps").GetProperty("said").GetString().ShouldBe("anna@acme.test");
        answer.GetProperty("kvps").GetProperty("heard").GetString().ShouldBe("anna@acme.test");
        (await caller.GetAsync("/api/outbox")).GetProperty("mails")[0].GetProperty("subject").GetString()!.ShouldStartWith("by anna@acme.test ");
        // Rights and the record stay with who caused it.
        (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().ShouldAllBe(one => one.GetProperty("actor").GetString() == "key:test");
        await new TestLog(own).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact, Trait("Category", "Long")]
    public async Task However_a_worker_is_killed_each_event_has_its_mail_once()
    {
        const int Events = 60;
        await using var site = await TestSite.StartAsync();
        await using var product = await TestProduct.StartAsync("Pump__Runs=4", site.Allowed.Replace(":0=", "__0=", StringComparison.Ordinal).Replace("Egress:Allow", "Egress__Allow", StringComparison.Ordinal));
        var tenant = await TestTenant.MakeAsync(product.Database);
        using var http = tenant.Client(product.Address);
        var caller = new TestCaller(tenant, http);
        await caller.SaveAsync("scripts/tell.py", """
            class tell(Rule):
                listens_to = ["n"]

                def action(self):
                    send_email("a@b.test", "m", subject=f"line {self.n}")
                    load_card("c", user=f"line {self.n}")
                    self.next = self.n

            class beside(Rule):
                listens_to = ["next"]

                def action(self):
                    http.get("SITE/echo")
                    send_email("a@b.test", "m", subject=f"beside {self.n}")
            """.Replace("SITE", site.Address, StringComparison.Ordinal));

        for (var n = 1; n <= Events; n++)
        {
            await caller.SendAsync($$"""{"n": {{n}}}""");
            if (n % 15 == 0)
            {
                product.Kill(n == 30 ? "cell" : "worker");
            }
        }

        var log = new TestLog(product.Database);
        await Patience.UntilAsync("all is settled", TimeSpan.FromSeconds(60), async () => await log.CountAsync(tenant.Id, "arrivals") + await log.CountAsync(tenant.Id, "wakings") == 0);

        (await Subjects("subject", "outbox")).ShouldBe(Enumerable.Range(1, Events).SelectMany(n => new[] { $"line {n}", $"beside {n}" }).Order(StringComparer.Ordinal));
        (await Subjects("for_user", "cards")).ShouldBe(Enumerable.Range(1, Events).Select(n => $"line {n}").Order(StringComparer.Ordinal));
        await log.ShouldBeSoundAsync(tenant.Id);

        async Task<List<string>> Subjects(string column, string table)
        {
            await using var read = product.Database.Superuser.CreateCommand($"select {column} from {table} where tenant_id = $1");
            read.Parameters.Add(new() { Value = tenant.Id.Value });
            await using var rows = await read.ExecuteReaderAsync(TestContext.Current.CancellationToken);
            var found = new List<string>();
            while (await rows.ReadAsync(TestContext.Current.CancellationToken))
            {
                found.Add(rows.GetString(0).Split(" (")[0]);
            }

            return [.. found.Order(StringComparer.Ordinal)];
        }
    }
}
