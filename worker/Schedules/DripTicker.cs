using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Schedules;

/// <summary>
/// Sees to drips that are due, a chunk in one transaction: it takes them (SKIP LOCKED, so that each has one worker), appends their arrivals, and moves them on. So a crash anywhere, or a
/// COMMIT whose answer was lost, leaves either all of that or nothing, and the next look goes by what there is.
/// </summary>
public sealed class DripTicker(NpgsqlDataSource source, SchedulesOptions options, DripMeters meters, TimeProvider time, ILogger<DripTicker> log) : ITicker
{
    /// <summary>The door by which this worker's arrivals come in; each try is a flush of its own.</summary>
    private readonly Guid _door = Guid.CreateVersion7();

    private long _flush;
    private int _size = options.Chunk;

    public async Task<DateTimeOffset?> NextAsync(CancellationToken cancel)
    {
        await using var next = source.CreateCommand("select next_drip()");
        return await next.ExecuteScalarAsync(cancel) is DateTime at ? new DateTimeOffset(at) : null;
    }

    public async Task<int> TickAsync(CancellationToken cancel)
    {
        while (true)
        {
            var size = _size;
            try
            {
                var count = await TickAsync(size, cancel);
                _size = Math.Min(options.Chunk, size * 2);
                return count;
            }
            catch (PostgresException refusal) when (size > 1 && !IsPassing(refusal))
            {
                // One of them is to blame: smaller and smaller chunks find it, and the others get through.
                log.LogError(refusal, "Some of {Size} drips can not be taken in", size);
                _size = size / 2;
            }
        }
    }

    private async Task<int> TickAsync(int size, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var due = await TakeAsync(connection, now, size, cancel);
        if (due.Count == 0)
        {
            return 0;
        }

        var full = await FullAsync(connection, due, cancel);
        var turns = due.ConvertAll(drip => drip.Decide(now, full.Contains(drip.Tenant)));
        await transaction.SaveAsync("taken", cancel);
        try
        {
            await NoteAsync(connection, turns, await AppendAsync(connection, turns, now, cancel), now, cancel);
        }
        catch (PostgresException refusal) when (size == 1 && !IsPassing(refusal))
        {
            log.LogError(refusal, "A drip of {Tenant} can not be taken in", due[0].Tenant);
            await transaction.RollbackAsync("taken", cancel);
            turns = [turns[0] with { Outcome = DripTurn.Failed, Reason = "It could not be stored. It is tried again when it is due next.", Changes = null, Missed = due[0].Missed + 1 }];
            await NoteAsync(connection, turns, [], now, cancel);
        }

        // Both endings are good, but a commit that is cut off tells nobody which one it was.
        await transaction.CommitAsync(CancellationToken.None);
        meters.Noted(turns, now);
        return turns.Count;
    }

    private static async Task<List<DueDrip>> TakeAsync(NpgsqlConnection connection, DateTimeOffset now, int size, CancellationToken cancel)
    {
        await using var take = new NpgsqlCommand("select tenant_id, name, cron, time_zone, changes, due, missed from take_due($1, $2)", connection)
        {
            Parameters = { new() { Value = now }, new() { Value = size } },
        };
        await using var rows = await take.ExecuteReaderAsync(cancel);
        var due = new List<DueDrip>();
        while (await rows.ReadAsync(cancel))
        {
            due.Add(new DueDrip(
                new TenantId(rows.GetGuid(0)), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetString(4), rows.GetFieldValue<DateTimeOffset>(5), rows.GetInt32(6)));
        }

        return due;
    }

    /// <summary>The tenants of these drips with as many arrivals waiting as may.</summary>
    private async Task<HashSet<TenantId>> FullAsync(NpgsqlConnection connection, List<DueDrip> due, CancellationToken cancel)
    {
        await using var read = new NpgsqlCommand("select tenant_id from backlogs($1, $2) where tenant_id is not null", connection)
        {
            Parameters = { new() { Value = due.Select(drip => drip.Tenant.Shard).Distinct().ToArray() }, new() { Value = options.TenantBacklog - 1 } },
        };
        await using var rows = await read.ExecuteReaderAsync(cancel);
        var full = new HashSet<TenantId>();
        while (await rows.ReadAsync(cancel))
        {
            full.Add(new TenantId(rows.GetGuid(0)));
        }

        return full;
    }

    /// <summary>Hands in those that run, as a door does; the process and the arrival of each.</summary>
    private async Task<Dictionary<DueDrip, (long Pid, Guid Arrival)>> AppendAsync(NpgsqlConnection connection, List<DripTurn> turns, DateTimeOffset now, CancellationToken cancel)
    {
        var run = turns.FindAll(turn => turn.Changes is not null);
        var made = new Dictionary<DueDrip, (long Pid, Guid Arrival)>(run.Count, ReferenceEqualityComparer.Instance);
        if (run.Count == 0)
        {
            return made;
        }

        var pids = await DrawAsync(connection, run, cancel);
        foreach (var turn in run)
        {
            var tenant = turn.Drip.Tenant;
            made[turn.Drip] = (pids[tenant]++, Guid.CreateVersion7(now));
        }

        var numbers = run.ConvertAll(turn => made[turn.Drip].Pid).ToArray();
        await using var append = new NpgsqlCommand(
            "select append_arrivals($1, $2, $3, $4, $5, $6, $7, $8, $8, $9, $10, $11, $12, $13, $13, $14, '{}', '{}', '{}', '{}')", connection)
        {
            Parameters =
            {
                new() { Value = _door }, new() { Value = ++_flush }, new() { Value = now }, new() { Value = string.Join(',', run.Select(turn => turn.Drip.Tenant.Shard).Distinct()) },
                new() { Value = run.ConvertAll(turn => turn.Drip.Tenant.Shard).ToArray() },
                new() { Value = run.ConvertAll(turn => turn.Drip.Tenant.Value).ToArray() },
                new() { Value = run.ConvertAll(turn => made[turn.Drip].Arrival).ToArray() },
                new() { Value = numbers },
                new() { Value = Enumerable.Repeat(true, run.Count).ToArray() },
                new() { Value = run.ConvertAll(turn => turn.Changes!).ToArray() },
                new() { Value = run.ConvertAll(turn => Drip.Actor(turn.Drip.Name)).ToArray() },
                new() { Value = Enumerable.Repeat(Drip.Source, run.Count).ToArray() },
                // Nobody waits for them, and no trace leads to them.
                new() { Value = new string?[run.Count], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                new() { Value = new int[run.Count] },
            },
        };
        await append.ExecuteNonQueryAsync(cancel);
        return made;
    }

    private static async Task<Dictionary<TenantId, long>> DrawAsync(NpgsqlConnection connection, List<DripTurn> run, CancellationToken cancel)
    {
        var counts = run.CountBy(turn => turn.Drip.Tenant).ToList();
        await using var draw = new NpgsqlCommand("select tenant_id, first from draw_pids($1, $2)", connection)
        {
            Parameters = { new() { Value = counts.ConvertAll(tenant => tenant.Key.Value).ToArray() }, new() { Value = counts.ConvertAll(tenant => tenant.Value).ToArray() } },
        };
        await using var rows = await draw.ExecuteReaderAsync(cancel);
        var first = new Dictionary<TenantId, long>(counts.Count);
        while (await rows.ReadAsync(cancel))
        {
            first[new TenantId(rows.GetGuid(0))] = rows.GetInt64(1);
        }

        return first;
    }

    private static async Task NoteAsync(NpgsqlConnection connection, List<DripTurn> turns, Dictionary<DueDrip, (long Pid, Guid Arrival)> made, DateTimeOffset now, CancellationToken cancel)
    {
        await using var note = new NpgsqlCommand("select note_due($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)", connection)
        {
            Parameters =
            {
                new() { Value = turns.ConvertAll(turn => turn.Drip.Tenant.Value).ToArray() },
                new() { Value = turns.ConvertAll(turn => turn.Drip.Name).ToArray() },
                new() { Value = turns.ConvertAll(turn => turn.Drip.Due.UtcDateTime).ToArray() },
                new() { Value = turns.ConvertAll(turn => turn.Next?.UtcDateTime).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz },
                new() { Value = now },
                new() { Value = turns.ConvertAll(turn => turn.Outcome).ToArray() },
                new() { Value = turns.ConvertAll(turn => turn.Reason).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text },
                new() { Value = turns.ConvertAll(turn => made.TryGetValue(turn.Drip, out var one) ? one.Pid : (long?)null).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                new() { Value = turns.ConvertAll(turn => made.TryGetValue(turn.Drip, out var one) ? one.Arrival : (Guid?)null).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Uuid },
                new() { Value = turns.ConvertAll(turn => turn.Missed).ToArray() },
            },
        };
        await note.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>The database is going, or too busy: nothing of what was asked for is to blame.</summary>
    private static bool IsPassing(PostgresException fault) => fault.IsTransient || fault.SqlState[..2] is "57" or "08" or "40" or "53";
}
