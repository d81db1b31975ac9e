using System.Text.Json;
using Eddy.Processes;
using Eddy.Pump;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Schedules;

/// <summary>
/// Sees to schedules of rules that are due: wakes a rule for its processes, a chunk in one transaction with how far it has come. So a crash anywhere, or a COMMIT whose answer was lost, leaves
/// either all of that or nothing. The next chunk waits until the line has taken the one before, so that events pass between them.
/// </summary>
public sealed class RuleTicker(NpgsqlDataSource source, ProcessFinder processes, SchedulesOptions options, TimeProvider time, ILogger<RuleTicker> log) : ITicker
{
    private static readonly Dictionary<long, IReadOnlyDictionary<string, string>> NoneTouched = [];

    /// <summary>The longest that it may take to find a chunk of processes: others wait for it.</summary>
    private static readonly TimeSpan Search = TimeSpan.FromSeconds(10);

    public async Task<DateTimeOffset?> NextAsync(CancellationToken cancel)
    {
        await using var next = source.CreateCommand("select next_tick()");
        return await next.ExecuteScalarAsync(cancel) is DateTime at ? new DateTimeOffset(at) : null;
    }

    public async Task<int> TickAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var connection = await source.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (await TakeAsync(connection, now, cancel) is not { } due)
        {
            return 0;
        }

        var turn = due.Decide(now);
        if (turn.Tick is { } tick && !due.IsWaiting)
        {
            if (await FindAsync(due, tick, cancel) is { } pids)
            {
                await WakeAsync(connection, due, tick, pids, now, cancel);
                turn = pids.Count < options.Wakings ? turn.End(pids.Count) : turn with { Tick = tick with { Pid = pids[^1], Count = tick.Count + pids.Count } };
            }
            else
            {
                turn = turn with { Tick = null, Ended = new EndedTick(tick.Due, EndedTick.Failed, "Its processes could not be found in time; narrow them by kind in schedule_where.", tick.Count) };
            }
        }

        await NoteAsync(connection, due, turn, now, cancel);
        // Both endings are good, but a commit that is cut off tells nobody which one it was.
        await transaction.CommitAsync(CancellationToken.None);
        return 1;
    }

    private static async Task<DueTick?> TakeAsync(NpgsqlConnection connection, DateTimeOffset now, CancellationToken cancel)
    {
        await using var take = new NpgsqlCommand(
            "select tenant_id, rule, cron, time_zone, asked, next_at, tick_due, tick_pid, tick_last, tick_count, missed, is_off, is_waiting, last_pid from take_tick($1)", connection)
        {
            Parameters = { new() { Value = now } },
        };
        await using var row = await take.ExecuteReaderAsync(cancel);
        return !await row.ReadAsync(cancel) ? null : new DueTick(
            new TenantId(row.GetGuid(0)), row.GetString(1), row.GetString(2), row.GetString(3), await row.IsDBNullAsync(4, cancel) ? null : row.GetString(4),
            await row.IsDBNullAsync(5, cancel) ? null : row.GetFieldValue<DateTimeOffset>(5),
            await row.IsDBNullAsync(6, cancel) ? null : new Tick(row.GetFieldValue<DateTimeOffset>(6), row.GetInt64(7), row.GetInt64(8), row.GetInt64(9)),
            row.GetInt32(10), row.GetBoolean(11), row.GetBoolean(12), row.GetInt64(13));
    }

    /// <summary>The next processes; null where these can not be found.</summary>
    private async Task<List<long>?> FindAsync(DueTick due, Tick tick, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Search);
        try
        {
            return await processes.PidsAsync(due.Tenant, QuestionOf(due, tick), NoneTouched, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return null;
        }
        catch (PostgresException refusal) when (!refusal.IsTransient && refusal.SqlState[..2] is not ("57" or "08" or "40" or "53"))
        {
            log.LogError(refusal, "The processes of {Rule} of {Tenant} can not be found", due.Rule, due.Tenant);
            return null;
        }
    }

    private ProcessQuestion QuestionOf(DueTick due, Tick tick)
    {
        IReadOnlyList<ProcessClause> where = [];
        if (due.Asked is { } asked)
        {
            using var json = JsonDocument.Parse(asked);
            where = ProcessQuestion.Read(json.RootElement).Where;
        }

        var rest = new ProcessClause(false, [new("PROCESS_ID", Comparison.Greater, [$"{tick.Pid}"]), new("PROCESS_ID", Comparison.LessOrEqual, [$"{tick.Last}"])]);
        return new ProcessQuestion([.. where, rest], [], 0, options.Wakings, false);
    }

    private static async Task WakeAsync(NpgsqlConnection connection, DueTick due, Tick tick, List<long> pids, DateTimeOffset now, CancellationToken cancel)
    {
        if (pids.Count == 0)
        {
            return;
        }

        var actor = DueTick.ActorOf(due.Rule);
        var arrivals = pids.ConvertAll(_ => Guid.CreateVersion7(now));
        // Debounce and throttle are for events.
        var wakings = pids.Select((pid, i) => new StoredWaking(due.Rule, pid, 0, 0, tick.Due.UtcDateTime, 1, [], arrivals[i], actor, false, null, Due: true).Write()).ToArray();
        await using var wake = new NpgsqlCommand("select wake_by_schedule($1, $2, $3, $4, $5, $6)", connection)
        {
            Parameters =
            {
                new() { Value = due.Tenant.Value }, new() { Value = pids.ToArray() }, new() { Value = arrivals.ToArray() }, new() { Value = wakings },
                new() { Value = actor }, new() { Value = now },
            },
        };
        await wake.ExecuteNonQueryAsync(cancel);
    }

    private async Task NoteAsync(NpgsqlConnection connection, DueTick due, TickTurn turn, DateTimeOffset now, CancellationToken cancel)
    {
        var look = turn.Tick is null ? turn.Next : now + options.Pause;
        await using var note = new NpgsqlCommand("select note_tick($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)", connection)
        {
            Parameters =
            {
                new() { Value = due.Tenant.Value }, new() { Value = due.Rule },
                Moment(look), Moment(turn.Next), Moment(turn.Tick?.Due), Number(turn.Tick?.Pid), Number(turn.Tick?.Last), Number(turn.Tick?.Count),
                Moment(turn.Ended?.Due), new() { Value = now }, Text(turn.Ended?.Outcome), Text(turn.Ended?.Reason), Number(turn.Ended?.Count), new() { Value = turn.Missed },
            },
        };
        await note.ExecuteNonQueryAsync(cancel);

        static NpgsqlParameter Moment(DateTimeOffset? at) => new() { Value = (object?)at?.UtcDateTime ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.TimestampTz };
        static NpgsqlParameter Number(long? number) => new() { Value = (object?)number ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint };
        static NpgsqlParameter Text(string? text) => new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };
    }
}
