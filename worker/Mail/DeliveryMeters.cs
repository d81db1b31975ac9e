using System.Diagnostics.Metrics;
using Eddy.Mail.Delivery;

namespace Eddy.Mail;

/// <summary>What the couriers count.</summary>
public sealed class DeliveryMeters
{
    private readonly Counter<long> _tries;

    public DeliveryMeters(IMeterFactory meters) =>
        _tries = meters.Create("Eddy.Mail").CreateCounter<long>("eddy_mail_tries", description: "Tries to deliver a mail, by what it was afterwards; waiting: it is tried again.");

    public void Noted(DeliveryTurn turn) => _tries.Add(1, new KeyValuePair<string, object?>("state", turn.State));
}
