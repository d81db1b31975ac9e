using System.Globalization;
using Eddy.Cards;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.People;

namespace Eddy.Mail;

/// <summary>
/// Hands one mail of the outbox over to the mail server, for those who may have it now, and writes down what came of it. Where it is several messages (<see cref="Parcel"/>), who has theirs is written down
/// before the next goes out: a crash has one of them sent again, not all.
/// </summary>
public sealed class Handover(OutboxQueue queue, ReceiverStore receivers, UnsubscribeLinks links, CardLinks cards, DeliveryMeters meters, TimeProvider time, ILogger<Handover> log)
{
    /// <param name="mail">Taken out of the outbox by this worker.</param>
    public async Task SendAsync(Relay relay, DueMail mail, CancellationToken cancel)
    {
        DeliveryTry? tried;
        try
        {
            tried = await TryAsync(relay, mail, cancel);
        }
        catch (OperationCanceledException) when (cancel.IsCancellationRequested)
        {
            // To be told to stop is no failure of the mail's.
            await queue.LeaveAsync(mail, CancellationToken.None);
            throw;
        }

        var turn = tried is null ? null : DeliveryTurn.Of(mail, tried, time.GetUtcNow());
        // What has been done is written down, though it be told to stop.
        if (turn is null || !await queue.NoteAsync(mail, turn, CancellationToken.None))
        {
            log.LogWarning("Mail {Id} of tenant {Tenant} took longer than its lease; another worker has it", mail.Id, mail.Tenant);
            return;
        }

        meters.Noted(turn);
        if (turn.Error is not null)
        {
            log.LogInformation("Mail {Id} of tenant {Tenant} is {State} after try {Try}: {Error}", mail.Id, mail.Tenant, turn.State, mail.Tries, turn.Error);
        }
    }

    /// <returns>Null where the mail is another worker's by now.</returns>
    private async Task<DeliveryTry?> TryAsync(Relay relay, DueMail mail, CancellationToken cancel)
    {
        var (parcels, tried) = await PackAsync(mail, cancel);
        if (parcels.Count == 0)
        {
            return tried with { IsTried = false };
        }

        for (var i = 0; i < parcels.Count && !tried.IsAway; i++)
        {
            if (i > 0 && !await queue.NoteHandedAsync(mail, tried, CancellationToken.None))
            {
                return null;
            }

            tried = tried.And(await TryAsync(relay, mail, parcels[i], cancel));
        }

        return tried;
    }

    private async Task<DeliveryTry> TryAsync(Relay relay, DueMail mail, Parcel parcel, CancellationToken cancel)
    {
        try
        {
            return await relay.TryAsync(mail.Tenant == PlatformTenant.Id ? mail : Filled(mail, parcel), parcel, cancel);
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // Ours, most likely: one mail that can not be written must not hold up the others.
            log.LogError(fault, "Mail {Id} of tenant {Tenant} could not be tried", mail.Id, mail.Tenant);
            return DeliveryTry.Again("It could not be written as a mail; the worker's log says more.");
        }
    }

    /// <summary>The mail with the addresses of its cards as these receivers have them.</summary>
    private DueMail Filled(DueMail mail, Parcel parcel)
    {
        return mail with { Subject = Fill(mail.Subject), Text = Fill(mail.Text), Html = mail.Html is null ? null : Fill(mail.Html) };

        string Fill(string text) => cards.Fill(mail.Tenant, mail.Slug, mail.Id, mail.At, text, parcel.Stranger);
    }

    /// <summary>The messages that go out now, and what is to be said of those who get none.</summary>
    private async Task<(IReadOnlyList<Parcel> Parcels, DeliveryTry Tried)> PackAsync(DueMail mail, CancellationToken cancel)
    {
        // The platform's own mails are for one person each, who has asked for it, and wait for nobody's storm.
        if (mail.Tenant == PlatformTenant.Id)
        {
            return ([new Parcel(mail.Receivers, mail.Left, null)], DeliveryTry.Nothing);
        }

        var standing = await receivers.StandingAsync(mail.Tenant, mail.Left, cancel);
        var refused = mail.Left.Where(one => standing[one].UnsubscribedAt is not null).Distinct().ToDictionary(one => one, one => Unsubscribed(mail, one, standing[one].UnsubscribedAt!.Value));
        var (admitted, held) = await AdmitAsync(mail, [.. mail.Left.Where(one => !refused.ContainsKey(one))], refused, cancel);
        var members = standing.Where(one => one.Value.IsMember).Select(one => one.Key).ToHashSet(StringComparer.Ordinal);
        return (Parcel.Of(mail, admitted, members, receiver => links.For(mail.Tenant, mail.Slug, receiver)), DeliveryTry.Nothing with { Refused = refused, Held = held });
    }

    /// <summary>For whom an hour's limits leave room. Who is refused by one comes to the others who are.</summary>
    private async Task<(IReadOnlyList<string> Admitted, StormHold? Held)> AdmitAsync(DueMail mail, IReadOnlyList<string> asked, Dictionary<string, string> refused, CancellationToken cancel)
    {
        var (limits, admitted) = (StormLimits.Out, new List<string>());
        StormHold? held = null;
        foreach (var (receiver, limit, until) in await queue.AdmitAsync(mail, asked, limits, cancel))
        {
            if (limit is null)
            {
                admitted.Add(receiver);
            }
            else if (StormHold.Of(limit.Value, limits, mail, receiver, until) is var hold && limit == StormLimit.Circle)
            {
                refused[receiver] = hold.ToString();
            }
            else if (held is null || hold.Until < held.Until)
            {
                held = hold;
            }
        }

        return (admitted, held);
    }

    private static string Unsubscribed(DueMail mail, string receiver, DateTimeOffset at) =>
        $"{receiver} has unsubscribed on {TimeZoneInfo.ConvertTime(at, mail.Zone).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}; owners and editors can lift that in the outbox.";
}
