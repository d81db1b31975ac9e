using System.Text.Json;
using Eddy.Mail;
using Eddy.Mail.Delivery;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Mail;

/// <summary>An outbox on a database of its own, with couriers that a test starts and a clock that it turns.</summary>
internal sealed class TestOutbox(TestDatabase database, SmtpOptions options)
{
    private static readonly DkimKeys NoKeys = DkimKeys.Read([], out _)!;

    private int _run;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TurnedClock Clock { get; } = new();

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

    /// <summary>A courier, until it is disposed of.</summary>
    public IAsyncDisposable StartCourier(DkimKeys? keys = null)
    {
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var courier = new Courier(
            database.App, new OutboxQueue(database.App, options, Clock), options, keys ?? NoKeys, ActivatorUtilities.CreateInstance<DeliveryMeters>(services), Clock, NullLogger<Courier>.Instance);
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
