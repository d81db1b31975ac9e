using System.Diagnostics.Metrics;
using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Schedules;
using Eddy.Tenants;
using Eddy.Tests.Egress;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Schedules;

/// <summary>Drips of a database of its own, by a clock that the test turns, and whoever sees to them.</summary>
internal sealed class TestDrips : IAsyncDisposable
{
    private readonly IMeterFactory _meters = new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>();

    private TestDrips(TestDatabase database, DateTimeOffset began)
    {
        Database = database;
        Clock = new HandClock { Began = began };
        Store = new DripStore(new EddyDbs(database.App), Clock);
    }

    public TestDatabase Database { get; }

    public HandClock Clock { get; }

    public DripStore Store { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="began">Far from now, so that the clock of a real worker leaves these drips alone.</param>
    public static async Task<TestDrips> MakeAsync(TestDatabase database, string began = "2040-05-01T10:00:00Z") =>
        new(await database.OfItsOwnAsync(), DateTimeOffset.Parse(began, System.Globalization.CultureInfo.InvariantCulture));

    public DripTicker Ticker(SchedulesOptions? options = null) =>
        new(Database.App, options ?? new SchedulesOptions(), new DripMeters(_meters), Clock, NullLogger<DripTicker>.Instance);

    public Clock Ticking(SchedulesOptions? options = null) =>
        new([Ticker(options)], options ?? new SchedulesOptions(), Clock, NullLogger<Clock>.Instance);

    public async Task<StoredDrip> SaveAsync(TestTenant tenant, string name, string cron, string kvps, string? zone = null, bool isOn = true)
    {
        Cadence.TryParse(cron, out var cadence, out var fault).ShouldBeTrue(fault?.Detail);
        KvpText.TryRead(kvps, out var changes, out _).ShouldBeTrue();
        return (await Store.SaveAsync(tenant.Id, name, new NewDrip(cadence!, zone, kvps, changes!, isOn), "key:test", WriteCondition.None, Cancel)).ShouldBeOfType<DripOutcome.Saved>().Drip;
    }

    public async Task<StoredDrip> FindAsync(TestTenant tenant, string name) => (await Store.FindAsync(tenant.Id, name, Cancel)).ShouldNotBeNull();

    /// <summary>What waits in the line, in its order: actor, source and KVPs.</summary>
    public async Task<IReadOnlyList<(string Actor, string Source, string Kvps)>> LineAsync(TenantId? tenant = null)
    {
        await using var read = Database.Superuser.CreateCommand("select actor, source, kvps from arrivals where $1::uuid is null or tenant_id = $1 order by id");
        read.Parameters.Add(new() { Value = (object?)tenant?.Value ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Uuid });
        await using var rows = await read.ExecuteReaderAsync(Cancel);
        var line = new List<(string, string, string)>();
        while (await rows.ReadAsync(Cancel))
        {
            line.Add((rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        }

        return line;
    }

    public static async Task<int> TickAllAsync(DripTicker ticker)
    {
        var (total, count) = (0, 0);
        do
        {
            count = await ticker.TickAsync(Cancel);
            total += count;
        }
        while (count > 0);
        return total;
    }

    /// <summary>Makes drips of a tenant at once, all due at this moment and then once a year.</summary>
    public static Task FillAsync(TestTenant tenant, int count, string due) => tenant.PrepareAsync($$"""
        insert into schedules (tenant_id, kind, name, cron, kvps, changes, is_on, version, created_at, created_by, changed_at, changed_by, next_at)
        select $1, 'drip', 'd' || n, '0 0 1 1 *', 'dripped := ' || n, '[["dripped",' || n || ']]', true, 1, now(), 'key:test', now(), 'key:test', {{due}}
        from generate_series(1, {{count}}) n
        """);

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
