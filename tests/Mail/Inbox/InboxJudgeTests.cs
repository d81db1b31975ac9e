using Eddy.Access;
using Eddy.Kvps;
using Eddy.Mail.Inbox;
using Eddy.Tests.Access;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>What becomes of a message, and why.</summary>
public sealed class InboxJudgeTests
{
    private static readonly Actor.OfMember Ann = new(Guid.NewGuid(), "editor", "ann@acme.test", IsProven: true);

    private static readonly InboxFacts Facts = new()
    {
        Address = new InboxAddress("acme", null, null, null),
        SignedPid = null,
        Rules = new AccessRules(1, [], [AccessGen.Lets(1, "registered", "set", "*"), AccessGen.Lets(2, "public", "set", "wish")]),
        Member = Ann,
        OwnMails = new Dictionary<string, long> { ["out-15@in.example.com"] = 15 },
        Processes = new Dictionary<long, string?> { [15] = null, [16] = "secret" },
    };

    private static readonly InboxFacts Stranger = Facts with { Member = null };

    [Fact]
    public async Task A_members_mail_begins_a_process_with_what_its_text_sets()
    {
        var accepted = await AcceptedAsync(TestMessages.Of("temperature := 95\nroom := \"7\"\nBest, Ann"), InboxPolicy.Default, Facts);

        accepted.Pid.ShouldBeNull();
        accepted.Actor.ShouldBe("ann@acme.test");
        accepted.Kind.ShouldBe(MailKind.Ordinary);
        accepted.Changes.ShouldBe([
            new("mail_from", "\"ann@acme.test\""), new("mail_to", "\"acme@in.example.com\""), new("mail_subject", "\"Hello\""), new("mail_text", "\"temperature := 95\\nroom := \\\"7\\\"\\nBest, Ann\""),
            new("mail_message_id", "\"m1@acme.test\""), new("mail_date", "{\"$datetime\":\"2026-11-24T10:00:00+01:00\"}"), new("mail_spf", "\"none\""), new("mail_dkim", "\"none\""), new("mail_dmarc", "\"pass\""),
            new("mail_vouched", "true"), new("temperature", "95"), new("room", "\"7\""),
        ]);
        accepted.Why.ShouldBe([
            "It is an ordinary message: no header says that a program sent it.", "acme.test vouches for it: DMARC passes, says mx.in.example.com.", "It names no process, so it would begin one.",
            "ann@acme.test belongs to the tenant.", "Its text sets temperature, room.",
        ]);
        accepted.AnswerTo.ShouldBe("ann@acme.test");
    }

    [Fact]
    public async Task What_tells_of_the_mail_itself_can_not_be_set_by_its_text()
    {
        var accepted = await AcceptedAsync(TestMessages.Of("mail_dmarc := pass\nmail_from := boss@acme.test\nroom := 7"), InboxPolicy.Default, Facts);

        accepted.Changes.Count(change => change.Key == "mail_from").ShouldBe(1);
        Value(accepted, "mail_from").ShouldBe("\"ann@acme.test\"");
        accepted.Why.ShouldContain(why => why.Contains("can not set mail_dmarc, mail_from"));
    }

    [Fact]
    public async Task A_members_address_that_nobody_vouches_for_is_refused_and_not_answered()
    {
        var refused = await RefusedAsync(TestMessages.Of("x := 1", isVouched: false), InboxPolicy.Default with { AnswersRefused = true }, Facts);

        refused.Code.ShouldBe("not_allowed");
        refused.Reason.ShouldContain("ann@acme.test may write here, but nobody vouches");
        refused.AnswerTo.ShouldBeNull();
        refused.AnswerWhy.ShouldContain("forged");
    }

    [Theory]
    [InlineData(InboxOpening.Members, false, false, false)]
    [InlineData(InboxOpening.Members, true, true, false)]
    [InlineData(InboxOpening.Listed, true, false, true)]
    [InlineData(InboxOpening.Listed, false, true, false)]
    [InlineData(InboxOpening.Secret, false, false, false)]
    [InlineData(InboxOpening.Secret, true, false, true)]
    [InlineData(InboxOpening.Secret, false, true, true)]
    [InlineData(InboxOpening.Anyone, false, false, true)]
    public async Task Each_opening_lets_in_whom_those_before_it_do(InboxOpening opening, bool isListed, bool hasSecret, bool isTaken)
    {
        var policy = new InboxPolicy { Opening = opening, Listed = isListed ? ["*.shop.test", "shop.test"] : ["acme.test"], Secrets = ["abcdefgh234567"] };
        var facts = Stranger with { Address = new InboxAddress("acme", hasSecret ? "abcdefgh234567" : "abcdefgh234568", null, null) };

        var decision = await DecideAsync(TestMessages.Of("hello", from: "bob@shop.test"), policy, facts);

        (decision is InboxDecision.Accepted).ShouldBe(isTaken, string.Join(' ', decision.Why));
        if (decision is InboxDecision.Refused refused)
        {
            refused.Code.ShouldBe("not_allowed");
        }
    }

    [Fact]
    public async Task A_listed_sender_is_not_believed_unvouched() =>
        (await RefusedAsync(TestMessages.Of("hello", from: "bob@shop.test", isVouched: false), new InboxPolicy { Opening = InboxOpening.Listed, Listed = ["bob@shop.test"] }, Stranger)).Reason.ShouldContain("nobody vouches");

    [Fact]
    public async Task Whoever_is_not_proven_acts_as_nobody_and_is_told_so()
    {
        var accepted = await AcceptedAsync(TestMessages.Of("wish := tea", isVouched: false), new InboxPolicy { Opening = InboxOpening.Anyone }, Facts);

        accepted.Actor.ShouldBe("unproven:ann@acme.test");
        Value(accepted, "mail_vouched").ShouldBe("false");
        Value(accepted, "wish").ShouldBe("\"tea\"");
    }

    [Fact]
    public async Task A_key_that_the_sender_may_not_set_refuses_the_whole_message()
    {
        var refused = await RefusedAsync(TestMessages.Of("wish := tea\nprice := 0", from: "bob@shop.test"), new InboxPolicy { Opening = InboxOpening.Anyone, AnswersRefused = true }, Stranger);

        refused.Code.ShouldBe("key_not_allowed");
        refused.Reason.ShouldContain("bob@shop.test may not set price");
        refused.AnswerTo.ShouldBe("bob@shop.test");
    }

    [Fact]
    public async Task A_value_that_is_none_refuses_the_message_with_its_line()
    {
        var refused = await RefusedAsync(TestMessages.Of("Hello,\nroom := {\"a\": 1, \"a\": 2}"), InboxPolicy.Default, Facts);

        refused.Code.ShouldBe("line");
        refused.Reason.ShouldStartWith("Line 2 (room):");
    }

    [Fact]
    public async Task A_signed_reply_address_names_the_process_and_lets_in_who_answers()
    {
        var facts = Stranger with { Address = new InboxAddress("acme", null, 15, "sig"), SignedPid = 15 };

        var accepted = await AcceptedAsync(TestMessages.Of("thanks", from: "bob@shop.test", isVouched: false), InboxPolicy.Default, facts);

        accepted.Pid.ShouldBe(15);
        accepted.Why.ShouldContain("It names process 15 by the signed reply address.");
        (await RefusedAsync(TestMessages.Of("thanks", from: "bob@shop.test"), InboxPolicy.Default with { TakesAnswers = false }, facts)).Code.ShouldBe("not_allowed");
    }

    [Fact]
    public async Task A_reply_address_that_is_not_signed_counts_for_nothing()
    {
        var accepted = await AcceptedAsync(TestMessages.Of("x := 1"), InboxPolicy.Default, Facts with { Address = new InboxAddress("acme", null, 15, "forged") });

        accepted.Pid.ShouldBeNull();
        accepted.Why.ShouldContain("The address names process 15, but we have not signed it: it counts for nothing.");
    }

    [Fact]
    public async Task An_answer_to_a_mail_of_ours_finds_its_process()
    {
        var accepted = await AcceptedAsync(TestMessages.Of("x := 1", "References: <other@acme.test> <out-15@in.example.com>"), InboxPolicy.Default, Facts);

        accepted.Pid.ShouldBe(15);
        accepted.Why.ShouldContain("It answers a mail that we sent for process 15.");
    }

    [Theory]
    [InlineData(true, true, "Re: x (PID:15)", 15L)]
    [InlineData(true, true, "Re: (PID:16) x (pid: 15)", 15L)]
    [InlineData(true, true, "Re: x (PID:99)", null)]
    [InlineData(false, true, "Re: x (PID:15)", null)]
    [InlineData(true, false, "Re: x (PID:15)", null)]
    public async Task A_number_in_the_subject_counts_for_vouched_members_alone(bool isMember, bool isVouched, string subject, long? pid)
    {
        var accepted = await AcceptedAsync(TestMessages.Of("hello", subject: subject, isVouched: isVouched), new InboxPolicy { Opening = InboxOpening.Anyone }, isMember ? Facts : Stranger);

        accepted.Pid.ShouldBe(pid);
        accepted.Why.ShouldContain(why => why.Contains("Its subject says (PID:"));
    }

    [Fact]
    public async Task What_a_sender_may_set_is_judged_where_it_would_be_set()
    {
        var facts = Facts with { Rules = new AccessRules(1, [], [AccessGen.Lets(1, "registered", "set", "room", "order")]) };

        (await RefusedAsync(TestMessages.Of("room := 7", subject: "(PID:16)"), InboxPolicy.Default, facts)).Code.ShouldBe("key_not_allowed");
    }

    [Theory]
    [InlineData("bounce-postfix", "mail_bounce", "\"bob@shop.test\"")]
    [InlineData("bounce-gmail", "mail_bounce", "\"bob@shop.test\"")]
    [InlineData("auto-replied", "mail_auto_reply", "\"ann@acme.test\"")]
    public async Task What_programs_answer_sets_keys_of_its_own_on_the_process_of_our_mail(string name, string key, string value)
    {
        var accepted = (await DecideAsync(TestMessages.Bytes(name), InboxPolicy.Default, Stranger)).ShouldBeOfType<InboxDecision.Accepted>();

        accepted.Pid.ShouldBe(15);
        accepted.AnswerTo.ShouldBeNull();
        Value(accepted, key).ShouldBe(value);
        accepted.Changes.ShouldAllBe(change => change.Key == key || change.Key.StartsWith(key + "_"));
    }

    [Fact]
    public async Task A_bounce_says_what_failed()
    {
        var accepted = (await DecideAsync(TestMessages.Bytes("bounce-postfix"), InboxPolicy.Default, Stranger)).ShouldBeOfType<InboxDecision.Accepted>();

        Value(accepted, "mail_bounce_status").ShouldBe("\"5.1.1\"");
        Value(accepted, "mail_bounce_permanent").ShouldBe("true");
        Value(accepted, "mail_bounce_original").ShouldBe("\"out-15@in.example.com\"");
        accepted.Actor.ShouldBe("mailer-daemon@mx.other.test");
    }

    [Theory]
    [InlineData("bounce-delayed", "bounce")]
    [InlineData("bounce-says-nothing", "bounce")]
    [InlineData("auto-gmail-vacation", "auto_reply")]
    [InlineData("ours", "loop")]
    [InlineData("from-twice", "no_sender")]
    public async Task What_is_about_nothing_of_ours_sets_nothing_and_is_not_answered(string name, string code)
    {
        var refused = await RefusedAsync(TestMessages.Bytes(name), new InboxPolicy { Opening = InboxOpening.Anyone, AnswersRefused = true }, Facts);

        refused.Code.ShouldBe(code);
        refused.AnswerTo.ShouldBeNull();
        refused.Why[^1].ShouldBe(refused.Reason);
    }

    [Theory]
    [InlineData("list", "mail_list", "\"rules.lists.example.com\"")]
    [InlineData("generated-alarm", "mail_generated", "\"ann@acme.test\"")]
    public async Task What_comes_by_a_list_or_from_a_program_wakes_no_rule_that_answers_letters(string name, string key, string value)
    {
        var accepted = await AcceptedAsync(TestMessages.Bytes(name), InboxPolicy.Default, Facts);

        Value(accepted, key).ShouldBe(value);
        Value(accepted, key + "_text").ShouldBe("\"I am away.\"");
        accepted.Changes.ShouldAllBe(change => change.Key == key || change.Key.StartsWith(key + "_"));
        accepted.AnswerTo.ShouldBeNull();
    }

    [Fact]
    public async Task A_storm_is_cut_before_anything_is_set()
    {
        var refused = await RefusedAsync(TestMessages.Of("x := 1", subject: "(PID:15)"), InboxPolicy.Default with { AnswersRefused = true }, Facts with { InProcess = new Dictionary<long, int> { [15] = 60 } });

        refused.Code.ShouldBe("storm");
        refused.Reason.ShouldContain("process 15");
        refused.AnswerTo.ShouldBeNull();
    }

    [Theory]
    [InlineData("X-Auto-Response-Suppress: All")]
    [InlineData("Auto-Submitted: auto-generated")]
    [InlineData("List-Id: <a.b>")]
    public async Task Who_wants_no_answer_gets_none(string header)
    {
        var refused = await RefusedAsync(TestMessages.Of("x", header, from: "bob@shop.test"), InboxPolicy.Default with { AnswersRefused = true }, Stranger);

        refused.AnswerTo.ShouldBeNull();
    }

    [Fact]
    public async Task Attachments_become_links()
    {
        var mail = await TestMessages.ReadAsync("nested-multiparts");

        var accepted = InboxJudge.Decide(mail, InboxPolicy.Default, Facts, ["https://eddy.test/a/1", "https://eddy.test/a/2"]).ShouldBeOfType<InboxDecision.Accepted>();

        Value(accepted, "mail_attachment_2").ShouldBe("\"https://eddy.test/a/2\"");
        var list = Value(accepted, "mail_attachments");
        KvpValue.TryCanonical(System.Text.Encoding.UTF8.GetBytes(list), out var canonical, out _).ShouldBeTrue();
        canonical.ShouldBe(list);
        list.ShouldContain("\"name\":\"report.pdf\"");
    }

    [Fact]
    public async Task The_secret_and_the_signature_of_an_address_are_in_no_KVP()
    {
        var facts = Facts with { Address = new InboxAddress("acme", "topsecret", null, null) };

        var accepted = await AcceptedAsync(TestMessages.Of("x := 1", deliveredTo: "acme+topsecret@in.example.com"), InboxPolicy.Default, facts);

        accepted.Changes.ShouldAllBe(change => !change.Value!.Contains("topsecret"));
    }

    [Fact]
    public async Task A_text_that_is_longer_than_a_value_is_cut()
    {
        var accepted = await AcceptedAsync(TestMessages.Of(new string('あ', 150_000)), InboxPolicy.Default, Facts);

        Value(accepted, "mail_text").ShouldEndWith("[… cut]\"");
        accepted.Changes.ShouldAllBe(change => System.Text.Encoding.UTF8.GetByteCount(change.Value!) <= KvpValue.MaxBytes);
    }

    private static string Value(InboxDecision.Accepted accepted, string key) => accepted.Changes.Single(change => change.Key == key).Value!;

    private static async Task<InboxDecision> DecideAsync(byte[] raw, InboxPolicy policy, InboxFacts facts) => InboxJudge.Decide(await TestMessages.ReadAsync(raw), policy, facts, []);

    private static async Task<InboxDecision.Accepted> AcceptedAsync(byte[] raw, InboxPolicy policy, InboxFacts facts)
    {
        var decision = await DecideAsync(raw, policy, facts);
        return decision.ShouldBeOfType<InboxDecision.Accepted>(string.Join(' ', decision.Why));
    }

    private static async Task<InboxDecision.Refused> RefusedAsync(byte[] raw, InboxPolicy policy, InboxFacts facts) => (await DecideAsync(raw, policy, facts)).ShouldBeOfType<InboxDecision.Refused>();
}
