using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.People;

namespace Eddy.Mail;

/// <summary>Hands one mail of the outbox over to the mail server, for those who may have it now, and writes down what came of it.</summary>
public sealed class Handover(OutboxQueue queue, DeliveryMeters meters, TimeProvider time, ILogger<Handover> log)
{
    /// <param name="mail">Taken out of the outbox by this worker.</param>
    public async Task SendAsync(Relay relay, DueMail mail, CancellationToken cancel)
    {
        DeliveryTry tried;
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

        var turn = DeliveryTurn.Of(mail, tried, time.GetUtcNow());
        // What has been done is written down, though it be told to stop.
        if (!await queue.NoteAsync(mail, turn, CancellationToken.None))
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

    private async Task<DeliveryTry> TryAsync(Relay relay, DueMail mail, CancellationToken cancel)
    {
        var kept = await KeepBackAsync(mail, cancel);
        if (kept.Receivers.Count == 0)
        {
            return kept.Tried with { IsTried = false };
        }

        try
        {
            return kept.Tried.And(await relay.TryAsync(mail, kept.Receivers, cancel));
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            // Ours, most likely: one mail that can not be written must not hold up the others.
            log.LogError(fault, "Mail {Id} of tenant {Tenant} could not be tried", mail.Id, mail.Tenant);
            return kept.Tried.And(DeliveryTry.Again("It could not be written as a mail; the worker's log says more."));
        }
    }

    /// <summary>Who may have it now, and what is to be said of the others.</summary>
    private async Task<(IReadOnlyList<string> Receivers, DeliveryTry Tried)> KeepBackAsync(DueMail mail, CancellationToken cancel)
    {
        // The platform's own mails wait for nobody's storm.
        if (mail.Tenant == PlatformTenant.Id)
        {
            return (mail.Left, DeliveryTry.Nothing);
        }

        var limits = StormLimits.Out;
        var (receivers, refused) = (new List<string>(), new Dictionary<string, string>());
        StormHold? held = null;
        foreach (var (receiver, limit, until) in await queue.AdmitAsync(mail, mail.Left, limits, cancel))
        {
            if (limit is null)
            {
                receivers.Add(receiver);
            }
            else if (StormHold.Of(limit.Value, limits, mail, receiver, until) is var hold && limit == StormLimit.Process)
            {
                refused[receiver] = hold.ToString();
            }
            else if (held is null || hold.Until < held.Until)
            {
                held = hold;
            }
        }

        return (receivers, DeliveryTry.Nothing with { Refused = refused, Held = held });
    }
}
