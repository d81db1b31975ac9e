using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Tenants;

namespace Eddy.Tests.Mail;

/// <summary>What becomes of a mail after a try.</summary>
public sealed class DeliveryTurnTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_mail_that_all_receivers_have_is_sent()
    {
        var turn = DeliveryTurn.Of(Mail("a@x.test", "b@x.test"), new DeliveryTry(["a@x.test", "b@x.test"], None, null), Now);

        turn.State.ShouldBe(MailState.Sent);
        (turn.NextAt, turn.Error).ShouldBe((null, null));
    }

    [Fact]
    public void Whoever_is_refused_for_good_is_not_tried_again_and_the_others_have_it()
    {
        var turn = DeliveryTurn.Of(Mail("a@x.test", "b@x.test"), new DeliveryTry(["a@x.test"], new Dictionary<string, string> { ["b@x.test"] = "no such user" }, null), Now);

        turn.State.ShouldBe(MailState.Partly);
        turn.Error.ShouldBe("no such user");
        DeliveryTurn.Of(Mail("b@x.test"), DeliveryTry.Never(["b@x.test"], "no such user"), Now).State.ShouldBe(MailState.Failed);
    }

    [Fact]
    public void Who_has_it_from_an_earlier_try_does_not_get_it_again()
    {
        var mail = Mail("a@x.test", "b@x.test", "c@x.test") with { Delivered = ["a@x.test"], Refused = new Dictionary<string, string> { ["b@x.test"] = "no" } };

        mail.Left.ShouldBe(["c@x.test"]);
        DeliveryTurn.Of(mail, DeliveryTry.Again("away"), Now).State.ShouldBe(MailState.Waiting);
        DeliveryTurn.Of(mail, new DeliveryTry(["c@x.test"], None, null), Now).Delivered.ShouldBe(["a@x.test", "c@x.test"]);
    }

    [Fact]
    public void A_server_that_is_away_is_tried_for_two_days_and_ever_more_rarely()
    {
        var (at, tries, pauses) = (Now, 0, new List<TimeSpan>());
        while (true)
        {
            var turn = DeliveryTurn.Of(Mail("a@x.test") with { Tries = ++tries, FirstAt = Now }, DeliveryTry.Again("It is away."), at);
            if (turn.NextAt is not { } next)
            {
                turn.State.ShouldBe(MailState.Failed);
                turn.Refused["a@x.test"].ShouldBe($"It was tried for two days, {tries} times. The last time: It is away.");
                break;
            }

            turn.Error.ShouldBe("It is away.");
            pauses.Add(next - at);
            at = next;
        }

        pauses[..4].ShouldBe([TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(8)]);
        pauses.ShouldBe(pauses.Order());
        pauses[^1].ShouldBe(TimeSpan.FromHours(4));
        (at - Now).ShouldBeInRange(TimeSpan.FromDays(2), TimeSpan.FromDays(2) + TimeSpan.FromHours(4));
        tries.ShouldBeInRange(15, 30);
    }

    [Fact]
    public void Who_is_held_back_by_an_hours_limit_waits_until_there_is_room_and_two_days_at_most()
    {
        var mail = Mail("a@x.test", "b@x.test");
        var hold = StormHold.Of(StormLimit.Receiver, StormLimits.Out, mail, "b@x.test", Now.AddMinutes(20));
        var turn = DeliveryTurn.Of(mail, new DeliveryTry(["a@x.test"], None, null) { Held = hold }, Now);

        (turn.State, turn.NextAt).ShouldBe((MailState.Waiting, Now.AddMinutes(20)));
        turn.Error.ShouldBe("Within an hour b@x.test was sent 60 mails, which is the limit. It waits, and goes on at 2026-11-28 12:21.");
        turn.Delivered.ShouldBe(["a@x.test"]);
        // While the server is away, that counts.
        DeliveryTurn.Of(mail, DeliveryTry.Again("It is away.") with { Held = hold }, Now).Error.ShouldBe("It is away.");
        var late = DeliveryTurn.Of(mail, DeliveryTry.Nothing with { Held = hold }, Now.AddDays(2));
        late.State.ShouldBe(MailState.Failed);
        late.Refused["b@x.test"].ShouldBe("It has waited for two days. Within an hour b@x.test was sent 60 mails, which is the limit.");
    }

    private static readonly Dictionary<string, string> None = [];

    private static DueMail Mail(params string[] receivers) => new(new TenantId(Guid.NewGuid()), 1001, Guid.NewGuid(), 15, Now, "m@eddy.test", 1, Now)
    {
        Slug = "acme", TenantName = "Acme", TimeZone = "UTC", Receivers = receivers, Subject = "s", Text = "t", Html = null, Attached = null,
    };
}
