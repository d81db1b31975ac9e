using System.Data.Common;
using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Schedules;

/// <summary>
/// A tenant's drips as people write them. Savings of one tenant follow one another, and wait for a clock that has just taken the drip, so none is run by what it was before nor twice for one
/// time.
/// </summary>
public sealed class DripStore(EddyDbs dbs, TimeProvider time)
{
    private const string Columns = """
        s.name, s.cron, s.time_zone, coalesce(s.time_zone, t.time_zone), s.kvps, s.changes, s.is_on, s.version, s.created_at, s.created_by, s.changed_at, s.changed_by, s.next_at,
        s.last_due, s.last_at, s.last_outcome, s.last_reason, s.last_pid, s.last_arrival, s.missed
        """;

    private const string FindSql = $"select {Columns} from schedules s join tenants t on t.id = s.tenant_id where s.tenant_id = $1 and s.kind = 'drip' and s.name = $2";

    private const string ListSql = $"""
        select {Columns} from schedules s join tenants t on t.id = s.tenant_id where s.tenant_id = $1 and s.kind = 'drip' order by s.name collate "C"
        """;

    // The version goes up with the clock, so that a drip that is deleted and made again has none that it had before.
    private const string SaveSql = """
        insert into schedules as s (tenant_id, kind, name, cron, time_zone, kvps, changes, is_on, version, created_at, created_by, changed_at, changed_by, next_at)
        values ($1, 'drip', $2, $3, $4, $5, $6, $7, $8, $9, $10, $9, $10, $11)
        on conflict (tenant_id, kind, name) do update
        set cron = excluded.cron, time_zone = excluded.time_zone, kvps = excluded.kvps, changes = excluded.changes, is_on = excluded.is_on, version = greatest(excluded.version, s.version + 1),
          changed_at = excluded.changed_at, changed_by = excluded.changed_by, next_at = excluded.next_at
        """;

    /// <summary>All drips by name.</summary>
    public async Task<IReadOnlyList<StoredDrip>> ListAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ListSql) { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var drips = new List<StoredDrip>();
        while (await rows.ReadAsync(cancel))
        {
            drips.Add(Read(rows));
        }

        return drips;
    }

    /// <summary>The drip of this name, or null.</summary>
    public async Task<StoredDrip?> FindAsync(TenantId tenant, string name, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(FindSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = name } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? Read(rows) : null;
    }

    /// <summary>
    /// Makes a drip or writes it anew. Where neither its times nor whether it is on change, when it is due next stays; else that is the first time after now, and after the last one that it was due.
    /// </summary>
    /// <param name="name">Checked by <see cref="Drip.NameFault"/>.</param>
    public async Task<DripOutcome> SaveAsync(TenantId tenant, string name, NewDrip drip, string author, WriteCondition condition, CancellationToken cancel)
    {
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var tenantZone = await LockAsync(connection, tenant, cancel);
        var before = await FindAsync(connection, tenant, name, isForUpdate: true, cancel);
        if (!condition.Holds(before?.Version))
        {
            return new DripOutcome.Changed(before?.Version);
        }

        if (before is null && await CountAsync(connection, tenant, cancel) >= Drip.MostDrips)
        {
            return new DripOutcome.TooMany();
        }

        var now = time.GetUtcNow();
        await using var save = new NpgsqlCommand(SaveSql, connection)
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = name }, new() { Value = drip.Cadence.Text }, new() { Value = (object?)drip.TimeZone ?? DBNull.Value },
                new() { Value = drip.Kvps }, new() { Value = ChangeList.Write(drip.Changes) }, new() { Value = drip.IsOn },
                new() { Value = (now - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond }, new() { Value = now }, new() { Value = author },
                new() { Value = (object?)NextAt(drip, TimeZoneInfo.FindSystemTimeZoneById(drip.TimeZone ?? tenantZone), before, now) ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
            },
        };
        await save.ExecuteNonQueryAsync(cancel);
        var saved = await FindAsync(connection, tenant, name, isForUpdate: false, cancel);
        await transaction.CommitAsync(cancel);
        return new DripOutcome.Saved(saved!, before is null);
    }

    /// <summary>Forgets a drip: it is due no more. What it has made stays. Null where there is none.</summary>
    public async Task<DripOutcome?> DeleteAsync(TenantId tenant, string name, WriteCondition condition, CancellationToken cancel)
    {
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await LockAsync(connection, tenant, cancel);
        if (await FindAsync(connection, tenant, name, isForUpdate: true, cancel) is not { } drip)
        {
            return null;
        }

        if (!condition.Holds(drip.Version))
        {
            return new DripOutcome.Changed(drip.Version);
        }

        await using var delete = new NpgsqlCommand("delete from schedules where tenant_id = $1 and kind = 'drip' and name = $2", connection)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = name } },
        };
        await delete.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new DripOutcome.Deleted();
    }

    /// <summary>After the tenant's time zone has changed: drips without one of their own are due by the new one.</summary>
    public async Task FollowZoneAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var zone = TimeZoneInfo.FindSystemTimeZoneById(await LockAsync(connection, tenant, cancel));
        var now = time.GetUtcNow();
        foreach (var drip in await ListAsync(tenant, cancel))
        {
            if (drip is not { TimeZone: null, NextAt: not null } || !Cadence.TryParse(drip.Cron, out var cadence, out _))
            {
                continue;
            }

            await using var follow = new NpgsqlCommand("update schedules set next_at = $3 where tenant_id = $1 and kind = 'drip' and name = $2 and is_on", connection)
            {
                Parameters =
                {
                    new() { Value = tenant.Value }, new() { Value = drip.Name },
                    new() { Value = (object?)cadence.NextAfter(zone, drip.Last?.Due > now ? drip.Last.Due : now)?.ToUniversalTime() ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
                },
            };
            await follow.ExecuteNonQueryAsync(cancel);
        }

        await transaction.CommitAsync(cancel);
    }

    private static DateTimeOffset? NextAt(NewDrip drip, TimeZoneInfo zone, StoredDrip? before, DateTimeOffset now)
    {
        if (!drip.IsOn)
        {
            return null;
        }

        if (before is { IsOn: true, NextAt: { } next } && before.Cron == drip.Cadence.Text && before.ZoneInForce == zone.Id)
        {
            return next;
        }

        // A worker's clock may be a little ahead of this one.
        return drip.Cadence.NextAfter(zone, before?.Last?.Due > now ? before.Last.Due : now)?.ToUniversalTime();
    }

    // The tenant's row stays locked until the transaction ends, as with files. Returns the tenant's time zone.
    private static async Task<string> LockAsync(NpgsqlConnection connection, TenantId tenant, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("select time_zone from tenants where id = $1 for update", connection) { Parameters = { new() { Value = tenant.Value } } };
        return (string)(await command.ExecuteScalarAsync(cancel))!;
    }

    private static async Task<StoredDrip?> FindAsync(NpgsqlConnection connection, TenantId tenant, string name, bool isForUpdate, CancellationToken cancel)
    {
        await using var find = new NpgsqlCommand(FindSql + (isForUpdate ? " for update of s" : ""), connection) { Parameters = { new() { Value = tenant.Value }, new() { Value = name } } };
        await using var rows = await find.ExecuteReaderAsync(cancel);
        return await rows.ReadAsync(cancel) ? Read(rows) : null;
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, TenantId tenant, CancellationToken cancel)
    {
        await using var count = new NpgsqlCommand("select count(*) from schedules where tenant_id = $1 and kind = 'drip'", connection) { Parameters = { new() { Value = tenant.Value } } };
        return (long)(await count.ExecuteScalarAsync(cancel))!;
    }

    private static StoredDrip Read(DbDataReader row) => new(
        row.GetString(0), row.GetString(1), Text(row, 2), row.GetString(3), row.GetString(4), row.GetString(5), row.GetBoolean(6), row.GetInt64(7),
        Moment(row, 8)!.Value, row.GetString(9), Moment(row, 10)!.Value, row.GetString(11), Moment(row, 12),
        row.IsDBNull(13) ? null : new LastDue(
            Moment(row, 13)!.Value, Moment(row, 14)!.Value, row.GetString(15), Text(row, 16), row.IsDBNull(17) ? null : row.GetInt64(17), row.IsDBNull(18) ? null : row.GetGuid(18)),
        row.GetInt32(19));

    private static string? Text(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset? Moment(DbDataReader row, int column) => row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);
}
