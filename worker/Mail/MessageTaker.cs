using System.Globalization;
using System.Net.Sockets;
using System.Security.Cryptography;
using Eddy.Kvps;
using Eddy.Mail.Inbox;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Mail;

/// <summary>
/// Takes one message: whose it is, what becomes of it, and all of that in one transaction, with the arrival that it becomes. A message is known by its bytes, so however often it is fetched, by
/// whatever number and by whichever worker, it is taken once.
/// </summary>
public sealed class MessageTaker(NpgsqlDataSource source, InboxPolicyStore policies, InboxFactStore facts, UnsubscribedStore unsubscribed, InboxOptions options, MailOptions mail, SignatureKeys keys, InboxMeters meters, TimeProvider time, ILogger<MessageTaker> log)
{
    private const string Unreadable = "unreadable";

    private readonly MessageSettings _settings = options.Settings;

    // Into a mailbox of a tenant's own mail comes past the operator's server, and with it whatever a stranger writes in that server's name.
    private readonly MessageSettings _ownSettings = options.Settings with { AuthenticationServers = [] };
    private readonly string _site = (mail.Site ?? "").TrimEnd('/');

    /// <summary>The most bytes that are looked at of a message: one more than it may have.</summary>
    public int MostBytes => _settings.MostBytes + 1;

    /// <returns>Whether it goes to the folder of those that were rejected.</returns>
    public async Task<bool> TakeAsync(FetchedMessage message, MessageOwner whose, CancellationToken cancel)
    {
        try
        {
            return await TakeAsync(await DecideAsync(message, whose, cancel), message, cancel);
        }
        catch (Exception fault) when (!IsPassing(fault))
        {
            // Whatever a stranger's bytes do to it: one that can not be taken must not hold up the others.
            log.LogError(fault, "Message {Uid} of mailbox {Mailbox} can not be stored", message.Uid, message.Mailbox);
            return await TakeAsync(Taken.Nobodys("It can not be stored; the worker's log says more."), message, cancel);
        }
    }

    private async Task<Taken> DecideAsync(FetchedMessage message, MessageOwner whose, CancellationToken cancel)
    {
        var reading = await MessageReader.ReadAsync(message.Raw, whose is MessageOwner.Tenant ? _ownSettings : _settings, keys, cancel);
        var read = (reading as MessageReading.Read)?.Mail;
        var head = (reading as MessageReading.Refused)?.Head;
        var deliveredTo = read?.DeliveredTo ?? head?.DeliveredTo;
        if (whose is not MessageOwner.Tenant(var tenant, var slug))
        {
            var (found, fault) = await TenantOfAsync(((MessageOwner.ByAddress)whose).Addresses, deliveredTo, cancel);
            if (found is null)
            {
                return Taken.Nobodys(fault!);
            }

            (tenant, slug) = found;
        }

        if (read is null)
        {
            var why = ((MessageReading.Refused)reading).Why;
            return new Taken(tenant, head!.MessageId, head.From, deliveredTo, head.Subject ?? "", "", null, "unknown", MailVerdicts.Unknown, null,
                new InboxDecision.Refused(why, Unreadable, [why], null, "What can not be read is not answered."), []);
        }

        // A mailbox of the tenant's own has no secret and no signature.
        var addresses = (whose as MessageOwner.ByAddress)?.Addresses;
        var address = addresses?.Read(deliveredTo);
        var signed = addresses?.SignedPid(tenant, address);
        var policy = await policies.ReadAsync(tenant, cancel);
        var known = (await facts.ReadAsync(tenant, read, address, signed, cancel)) with { Unsubscribes = addresses?.Unsubscribing(tenant, address, read) };
        if (known.Unsubscribes is { } receiver)
        {
            // Said twice, it counts once: a crash before the message is taken does no harm.
            await unsubscribed.AddAsync(tenant, receiver, time.GetUtcNow(), cancel);
        }

        var attachments = read.Attachments.Select(one => (Id: Guid.CreateVersion7(time.GetUtcNow()), one)).ToList();
        var decision = InboxJudge.Decide(read, policy, known, attachments.ConvertAll(one => $"{_site}/t/{slug}/attachments/{one.Id}"));
        return new Taken(
            tenant, read.MessageId, read.From, deliveredTo, read.Subject, read.Text, read.Date, read.Kind.ToString().ToLowerInvariant(), read.Verdicts, read.FromDomain, decision,
            decision is InboxDecision.Accepted ? attachments : []);
    }

    private async Task<(MessageOwner.Tenant? Whose, string? Fault)> TenantOfAsync(InboxAddresses addresses, string? deliveredTo, CancellationToken cancel)
    {
        if (addresses.Read(deliveredTo) is not { } address)
        {
            return (null, deliveredTo is null
                ? $"It does not say to whom it was delivered: it has no {string.Join(" or ", _settings.DeliveryHeaders)}, which the receiving server writes (Mail:Inbox:DeliveryHeaders)."
                : $"{deliveredTo} is the address of no inbox.");
        }

        return await TenantAsync(address.Slug, cancel) is { } tenant ? (new MessageOwner.Tenant(tenant, address.Slug), null) : (null, $"{deliveredTo} is the inbox of no tenant.");
    }

    private async Task<TenantId?> TenantAsync(string slug, CancellationToken cancel)
    {
        await using var find = source.CreateCommand("select tenant_of_inbox($1)");
        find.Parameters.Add(new() { Value = slug });
        return await find.ExecuteScalarAsync(cancel) is Guid id ? new TenantId(id) : null;
    }

    private async Task<bool> TakeAsync(Taken taken, FetchedMessage message, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        var accepted = taken.Decision as InboxDecision.Accepted;
        var refused = taken.Decision as InboxDecision.Refused;
        var answer = refused?.AnswerTo is { } to
            ? (To: to, Subject: "Not taken: " + taken.Subject, Text: $"Your mail to {taken.DeliveredTo} was not taken.\n\nIts subject: {taken.Subject}\n\n{refused.Reason}")
            : ((string To, string Subject, string Text)?)null;
        await using var take = source.CreateCommand(
            $"select is_new, is_rejected from take_message({string.Join(',', Enumerable.Range(1, 34).Select(number => string.Create(CultureInfo.InvariantCulture, $"${number}")))})");
        Add(message.Mailbox, NpgsqlDbType.Text);
        Add(SHA256.HashData(message.Raw), NpgsqlDbType.Bytea);
        Add((long)message.Validity, NpgsqlDbType.Bigint);
        Add((long)message.Uid, NpgsqlDbType.Bigint);
        Add(now, NpgsqlDbType.TimestampTz);
        Add(accepted is null, NpgsqlDbType.Boolean);
        Add(taken.Fault, NpgsqlDbType.Text);
        Add(taken.Tenant?.Value, NpgsqlDbType.Uuid);
        Add(Guid.CreateVersion7(now), NpgsqlDbType.Uuid);
        Add(taken.MessageId, NpgsqlDbType.Text);
        Add(taken.From, NpgsqlDbType.Text);
        Add(taken.DeliveredTo, NpgsqlDbType.Text);
        Add(taken.Subject, NpgsqlDbType.Text);
        Add(taken.Text, NpgsqlDbType.Text);
        Add(taken.SentAt?.ToUniversalTime(), NpgsqlDbType.TimestampTz);
        Add(taken.Kind, NpgsqlDbType.Text);
        Add(message.Raw.Length, NpgsqlDbType.Integer);
        Add(taken.Verdicts.Spf.Result, NpgsqlDbType.Text);
        Add(taken.Verdicts.DkimResult(taken.FromDomain), NpgsqlDbType.Text);
        Add(taken.Verdicts.Dmarc.Result, NpgsqlDbType.Text);
        Add(taken.Decision?.Why.ToArray() ?? [], NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(refused?.Code, NpgsqlDbType.Text);
        Add(refused?.Reason, NpgsqlDbType.Text);
        Add(accepted?.Pid, NpgsqlDbType.Bigint);
        Add(accepted is null ? null : Guid.CreateVersion7(now), NpgsqlDbType.Uuid);
        Add(accepted is null ? null : ChangeList.Write(accepted.Changes), NpgsqlDbType.Text);
        Add(accepted?.Actor, NpgsqlDbType.Text);
        Add(answer?.To, NpgsqlDbType.Text);
        Add(answer?.Subject, NpgsqlDbType.Text);
        Add(answer?.Text, NpgsqlDbType.Text);
        Add(taken.Attachments.Select(one => one.Id).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Uuid);
        Add(taken.Attachments.Select(one => one.File.Name).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(taken.Attachments.Select(one => one.File.Type).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        Add(taken.Attachments.Select(one => one.File.Content).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Bytea);
        await using var rows = await take.ExecuteReaderAsync(cancel);
        await rows.ReadAsync(cancel);
        if (rows.GetBoolean(0))
        {
            meters.Taken(taken.Fault is not null ? "nobodys" : accepted is null ? "refused" : "accepted");
            if (taken.Fault is not null)
            {
                log.LogInformation("Message {Uid} of mailbox {Mailbox} is nobody's: {Why}", message.Uid, message.Mailbox, taken.Fault);
            }
        }

        return rows.GetBoolean(1);

        void Add(object? value, NpgsqlDbType type) => take.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
    }

    /// <summary>The database is going, or too busy, or the worker stops: nothing of the message is to blame.</summary>
    private static bool IsPassing(Exception fault) => fault is PostgresException refusal
        ? refusal.IsTransient || refusal.SqlState[..2] is "57" or "08" or "40" or "53"
        : fault is NpgsqlException or TimeoutException or IOException or SocketException or OperationCanceledException or ObjectDisposedException;

    /// <summary>What becomes of a message.</summary>
    /// <param name="Fault">Why it is nobody's; null where it is a tenant's.</param>
    private sealed record Taken(
        TenantId? Tenant, string? MessageId, string? From, string? DeliveredTo, string Subject, string Text, DateTimeOffset? SentAt, string Kind, MailVerdicts Verdicts, string? FromDomain,
        InboxDecision? Decision, IReadOnlyList<(Guid Id, IncomingAttachment File)> Attachments, string? Fault = null)
    {
        public static Taken Nobodys(string why) => new(null, null, null, null, "", "", null, "unknown", MailVerdicts.Unknown, null, null, [], why);
    }
}

/// <summary>A message as it lies in a mailbox.</summary>
/// <param name="Mailbox">What the mailbox is called here.</param>
/// <param name="Validity">By which numbers of its messages are told apart.</param>
public sealed record FetchedMessage(string Mailbox, uint Validity, uint Uid, byte[] Raw);

/// <summary>Whose the messages of a mailbox are.</summary>
public abstract record MessageOwner
{
    private MessageOwner()
    {
    }

    /// <summary>Each is the tenant's to whose address it was delivered.</summary>
    public sealed record ByAddress(InboxAddresses Addresses) : MessageOwner;

    /// <summary>All are one tenant's, whoever they were for.</summary>
    public sealed record Tenant(TenantId Id, string Slug) : MessageOwner;
}
