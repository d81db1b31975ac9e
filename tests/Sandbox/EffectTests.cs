using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>What a cell tells of mails and cards.</summary>
public sealed class EffectTests(CellFixture cells)
{
    [Theory]
    [InlineData("send_email('ops@acme.test', 'Hello')", "mail 7 to ops@acme.test: Hello, attached")]
    [InlineData("send_email(['a@b.test', ' c@d.test,a@b.test, '], 'Hello', 'About {{x}}', attach_variables=False)", "mail 7 to a@b.test c@d.test: Hello about About {{x}}")]
    [InlineData("send_email(to=('jörg@müller.example',), message='é\\n\\u0001\"', pid=self)", "mail 7 to jörg@müller.example: é\n\u0001\", attached")]
    [InlineData("send_email('a@b.test', '', pid='7')", "mail 7 to a@b.test: , attached")]
    [InlineData("load_card('welcome')", "card 7 welcome")]
    [InlineData("load_card('welcome', self.PROCESS_ID, 'anna@acme.test')", "card 7 welcome for anna@acme.test")]
    [InlineData("load_card(name='a-b_1', user='anna')", "card 7 a-b_1 for anna")]
    [InlineData("self.last_actor = 'anna'; self.last_actor = 'bob'; load_card('x'); self.seen = self.last_actor", "actor bob; card 7 x")]
    [InlineData("load_card('x'); send_email('a@b.test', 'm'); load_card('y')", "card 7 x; mail 7 to a@b.test: m, attached; card 7 y")]
    public async Task A_run_tells_of_them_in_its_order(string action, string told)
    {
        var run = await OneRunAsync(action);

        run.Error.ShouldBeNull();
        Said(run).ShouldBe(told);
    }

    [Theory]
    [InlineData("send_email('', 'm')", "ValueError", "send_email has no address to send to")]
    [InlineData("send_email(self.nobody, 'm')", "TypeError", "not NoneType; there is nobody to send to")]
    [InlineData("send_email([], 'm')", "ValueError", "send_email has no address to send to")]
    [InlineData("send_email(['a@b.test', 5], 'm')", "TypeError", "an address of send_email is text, not int")]
    [InlineData("send_email('ops', 'm')", "ValueError", "'ops' is no mail address")]
    [InlineData("send_email('a@b.test\\r\\nBcc: c@d.test', 'm')", "ValueError", "'a@b.test\\r\\nBcc: c@d.test' is no mail address")]
    [InlineData("send_email('a@b.test\\n', 'm')", "ValueError", "is no mail address")]
    [InlineData("send_email([f'a{i}@b.test' for i in range(51)], 'm')", "ValueError", "a mail has at most 50 receivers, and this one has 51")]
    [InlineData("send_email('a@b.test', None)", "TypeError", "the message of send_email is text, not NoneType")]
    [InlineData("send_email('a@b.test', 'x' * 262145)", "ValueError", "the message of send_email has 262145 bytes, and 262144 is the limit")]
    [InlineData("send_email('a@b.test', '\\ud800')", "ValueError", "the message of send_email: text can not have half characters")]
    [InlineData("send_email('a@b.test', 'm', 'a\\r\\nBcc: c@d.test')", "ValueError", "the subject of send_email has a line break or a control character in it")]
    [InlineData("send_email('a@b.test', 'm', 5)", "TypeError", "the subject of send_email is text, not int")]
    [InlineData("send_email('a@b.test', 'm', 'x' * 1001)", "ValueError", "the subject of send_email has 1001 bytes, and 1000 is the limit")]
    [InlineData("send_email('a@b.test', 'm', pid=1.5)", "TypeError", "a process is named by its number, not by 1.5")]
    [InlineData("send_email('a@b.test', 'm', attach_variables='no')", "TypeError", "attach_variables of send_email is True or False, not str")]
    [InlineData("send_email('a@b.test')", "TypeError", "missing 1 required positional argument: 'message'")]
    [InlineData("[send_email('a@b.test', 'm') for _ in range(101)]", "ValueError", "a run sends at most 100 mails and cards")]
    [InlineData("[send_email('a@b.test', 'x' * 200_000) for _ in range(6)]", "ValueError", "the mails and cards of a run have at most 1048576 bytes")]
    [InlineData("load_card('../etc')", "ValueError", "'../etc' is no name of a card")]
    [InlineData("load_card('')", "ValueError", "is no name of a card")]
    [InlineData("load_card(None)", "TypeError", "load_card takes the name of a card, not NoneType")]
    [InlineData("load_card('x', user='a\\nb')", "ValueError", "the user of load_card has a line break")]
    [InlineData("load_card('x', user='')", "ValueError", "the user of load_card is empty")]
    [InlineData("self.last_actor = None", "TypeError", "last_actor is text, not NoneType")]
    public async Task What_can_not_be_sent_raises_in_the_line_that_sends_it_and_nothing_is_told(string action, string kind, string message)
    {
        var run = await OneRunAsync(action, before: "load_card('before')");

        run.Outcome.ShouldBe(RunOutcome.Failed);
        run.Error!.Kind.ShouldBe(kind);
        run.Error.Message.ShouldContain(message);
        run.Error.Line.ShouldBe(5);
        run.Effects.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_check_tells_goes_out_only_if_it_says_yes()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class x(Rule):
                listens_to = ["go"]

                def check(self):
                    load_card("from_check")
                    return self.go

                def action(self):
                    load_card("from_action")
            """);

        Said(await tenant.OneRunAsync(7, ("go", "true"))).ShouldBe("card 7 from_check; card 7 from_action");
        Said(await tenant.OneRunAsync(7, ("go", "false"))).ShouldBe("");
        Said(await tenant.OneRunAsync(7, ("go", "true"))).ShouldBe("card 7 from_check; card 7 from_action");
    }

    [Fact]
    public async Task A_run_that_fails_tells_nobody_and_neither_does_the_next_for_it()
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, """
            class x(Rule):
                listens_to = ["go"]

                def action(self):
                    load_card("x")
                    self.last_actor = "anna"
                    if self.go == "fail":
                        raise ValueError("no")
                    if self.go == "limit":
                        self.much = "x" * 300_000

            class y(Rule):
                listens_to = ["go"]

                def action(self):
                    self.who = self.last_actor
            """);

        foreach (var how in new[] { "\"fail\"", "\"limit\"" })
        {
            var runs = (await tenant.PostAsync(7, ("go", how))).Steps.OfType<RunEnded>().ToList();

            runs.Select(run => run.Outcome).ShouldBe([RunOutcome.Failed, RunOutcome.Ran]);
            runs.ShouldAllBe(run => run.Effects.Count == 0);
            tenant.Kvp(7, "who").ShouldBe("\"key:sensors\"");
        }
    }

    [Fact]
    public async Task While_files_load_nobody_is_told_anything()
    {
        foreach (var (call, told) in new[] { ("send_email('a@b.test', 'm')", "no mail can be sent while files load, only in a run"), ("load_card('x')", "no card can be shown while files load, only in a run") })
        {
            var error = (await TestTenant.WithRule(await cells.Sandbox, $"x = 1\n{call}\n").LoadAsync()).Errors.ShouldHaveSingleItem();

            error.Message.ShouldContain(told);
            error.Line.ShouldBe(2);
        }
    }

    [Fact]
    public async Task Only_self_takes_another_actor()
    {
        var run = await OneRunAsync("Process.objects.create(n=1).last_actor = 'anna'");

        // There are no other processes in a sandbox without a database; what matters is that nobody was chosen.
        run.Outcome.ShouldBe(RunOutcome.Failed);
        run.Effects.ShouldBeEmpty();
    }

    private async Task<RunEnded> OneRunAsync(string action, string before = "pass")
    {
        var tenant = TestTenant.WithRule(await cells.Sandbox, $"""
            class x(Rule):
                listens_to = ["go"]
                def action(self):
                    {before}
                    {action}
            """);
        return await tenant.OneRunAsync(7, ("go", "1"));
    }

    private static string Said(RunEnded run) => string.Join("; ", run.Effects.Select(effect => effect switch
    {
        MailSent mail => $"mail {mail.Pid} to {string.Join(' ', mail.To)}: {mail.Message}{(mail.Subject is null ? "" : $" about {mail.Subject}")}{(mail.Attach ? ", attached" : "")}",
        CardLoaded card => $"card {card.Pid} {card.Name}{(card.User is null ? "" : $" for {card.User}")}",
        ActorChosen chosen => $"actor {chosen.Actor}",
        _ => effect.ToString(),
    }));
}
