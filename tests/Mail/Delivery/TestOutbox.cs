using System.Text.Json;
using Eddy.Access;
using Eddy.Cards;
using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Postgres;
using Eddy.Secrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using NpgsqlTypes;

namespace Eddy.Tests.Mail;

/// <summary>An outbox on a database of its own, with couriers that a test starts and a clock that it turns.</summary>
internal sealed class TestOutbox(TestDatabase database, SmtpOptions options, MasterKeys? masters = null)
{
    public const string Site = "https://eddy.test";

    private static readonly DkimKeys NoKeys = DkimKeys.Read([], out _)!;

    private int _run;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TurnedClock Clock { get; } = new();

    /// <summary>Where answers come in; null where they do not.</summary>
    public string? InboxDomain { get; init; }

    public OutboxQueue Queue => new(database.App, options, Clock);

    /// <summary>Mails that wait, as runs leave them.</summary>
    public async Task<long> PutAsync(TestTenant tenant, string[] receivers, string subject = "Hello", long pid = 15, string? html = null)
    {
        var run = Interlocked.Increment(ref _run);
        await using var put = database.Superuser.CreateCommand("insert into outbox (tenant_id, id, run, pid, at, receivers, subject, text, html) values ($1, $2, $3, $4, $5, $6, $7, 'Hello.', $8)");
        foreach (var value in new object?[] { tenant.Id.Value, (run * 1000L) + 1, (long)run, pid, Clock.GetUtcNow(), receivers, subject, html })
        {
            put.Parameters.Add(new() { Value = value ?? DBNull.Value });
        }

        await put.ExecuteNonQueryAsync(Cancel);
        return (run * 1000L) + 1;
    }

    /// <summary>A mail of the platform's own.</summary>
    public async Task PutPlatformAsync(string receiver, string subject)
    {
        await using var put = database.App.CreateCommand("select send_platform_mail($1, $2, $3, 'Hello.')");
        foreach (var value in new object[] { Clock.GetUtcNow(), receiver, subject })
        {
            put.Parameters.Add(new() { Value = value });
        }

        await put.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>So many mails went out now.</summary>
    public async Task HandAsync(TestTenant tenant, int count, long pid, string? receiver = null)
    {
        await using var hand = database.Superuser.CreateCommand(
            "insert into handed_mails (tenant_id, mail, receiver, pid, at) select $1, -n - 1000000 * $3, coalesce($4, n || '@other.example'), $3, $5 from generate_series(1, $2) n");
        foreach (var (value, type) in new (object?, NpgsqlDbType)[]
        {
            (tenant.Id.Value, NpgsqlDbType.Uuid), (count, NpgsqlDbType.Integer), (pid, NpgsqlDbType.Bigint), (receiver, NpgsqlDbType.Text), (Clock.GetUtcNow(), NpgsqlDbType.TimestampTz),
        })
        {
            hand.Parameters.Add(new() { Value = value ?? DBNull.Value, NpgsqlDbType = type });
        }

        await hand.ExecuteNonQueryAsync(Cancel);
    }

    /// <summary>A courier, until it is disposed of.</summary>
    public IAsyncDisposable StartCourier(DkimKeys? keys = null)
    {
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var dbs = new EddyDbs(database.App);
        var inbox = new InboxOptions { Domain = InboxDomain };
        var addresses = new InboxAddresses(inbox, masters ?? MasterKeys.None);
        var links = new UnsubscribeLinks(masters ?? MasterKeys.None, new MailOptions { Site = Site, Inbox = inbox }, addresses);
        var handover = new Handover(Queue, new ReceiverStore(dbs, new AccessStore(dbs, Clock)), links, new CardLinks(masters ?? MasterKeys.None, new CardSite(null, Site)), ActivatorUtilities.CreateInstance<DeliveryMeters>(services), Clock, NullLogger<Handover>.Instance);
        var courier = new Courier(database.App, Queue, handover, options, inbox, addresses, keys ?? NoKeys, Clock, NullLogger<Courier>.Instance);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        return new Running(courier.RunAsync(stop.Token), stop);
    }

    public async Task<(string State, int Tries, string? Error, string? MessageId, Dictionary<string, string> Refused)> LookAsync(TestTenant tenant, long id)
    {
        await using var look = database.Superuser.CreateCommand("select state, tries, error, message_id, refused::text from outbox where tenant_id = $1 and id = $2");
        look.Parameters.Add(new() { Value = tenant.Id.Value });
        look.Parameters.Add(new() { Value = id });
        await using var rows = await look.ExecuteReaderAsync(Cancel);
        (await rows.ReadAsync(Cancel)).ShouldBeTrue();
        return (rows.GetString(0), rows.GetInt32(1), rows.IsDBNull(2) ? null : rows.GetString(2), rows.IsDBNull(3) ? null : rows.GetString(3), JsonSerializer.Deserialize<Dictionary<string, string>>(rows.GetString(4))!);
    }

    public Task UntilAsync(TestTenant tenant, long id, string what, Func<string, int, bool> isSo) => Patience.UntilAsync(what, Patience.Long, async () =>
    {
        var (state, tries, _, _, _) = await LookAsync(tenant, id);
        return isSo(state, tries);
    });

    /// <summary>It was tried so often, and what came of the last try is written down: only then may the clock be turned.</summary>
    public Task UntilTriedAsync(TestTenant tenant, long id, int times) => Patience.UntilAsync($"mail {id} was tried {times} times", Patience.Long, async () =>
        await new OutboxStore(new EddyDbs(database.App)).ReadAsync(tenant.Id, id, Cancel) is { IsUnderWay: false } mail && mail.Tries == times);

    private sealed class Running(Task work, CancellationTokenSource stop) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await work;
            stop.Dispose();
        }
    }
}

/// <summary>The machine's clock, put forward by a test.</summary>
internal sealed class TurnedClock : TimeProvider
{
    private long _ahead;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Volatile.Read(ref _ahead));

    public void Turn(TimeSpan by) => Interlocked.Add(ref _ahead, by.Ticks);
}
