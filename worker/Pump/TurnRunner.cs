using System.Text.Json;
using Eddy.Files;
using Eddy.Sandbox;
using Eddy.Schedules;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Pump;

/// <summary>Takes a tenant's turn: reads its files if they have changed, and runs the slice in its cell. Many turns are under way at once.</summary>
public sealed class TurnRunner(RuleSandbox sandbox, TreeReader trees, EffectWriter effects, NpgsqlDataSource source, PumpOptions options, TimeProvider time)
{
    /// <summary>So many rules of a tenant may have a schedule.</summary>
    private const int MostSchedules = 1000;

    private readonly CellHolds _cells = new(sandbox);

    /// <summary>Sets the turn's transcript, or its fault where nothing could be run. Does not throw.</summary>
    public async Task RunAsync(Turn turn, CancellationToken cancel)
    {
        try
        {
            var line = turn.Line;
            var tree = line.Tree;
            if (tree is null)
            {
                (tree, line.Off, line.Held) = await trees.ReadAsync(line.Tenant, line.TimeZone, cancel);
                line.Tree = tree;
            }

            turn.TreeVersion = tree.Version;
            using var cell = await _cells.TakeAsync(line, cancel);
            if (line.Wakes is not { } wakes || wakes.Version != tree.Version)
            {
                var loaded = await sandbox.LoadAsync(tree, line.State(0), cancel);
                line.HasCell = true;
                line.Wakes = (tree.Version, loaded.WakeKeys);
                await NoteAsync(tree, loaded, cancel);
            }

            if (turn.Owed is null && turn.Landings.Count == 0 && !turn.Arrivals.Any(arrival => line.MayWake(arrival.Set)))
            {
                turn.Transcript = WakesNobody(turn.Arrivals.Count);
                Unknow(turn);
                return;
            }

            line.HasCell = true;
            turn.Transcript = await RunAsync(turn, tree, cancel);
            turn.Cpu = sandbox.TakeCpu(line.Tenant);
        }
        catch (Exception fault) when (fault is SandboxUnavailable or NpgsqlException or TimeoutException or OperationCanceledException)
        {
            turn.Fault = fault;
        }
        catch (Exception fault)
        {
            // A fault of ours: what the cell knows may be wrong.
            sandbox.Drop(turn.Line.Tenant);
            turn.Fault = fault;
        }
    }

    private async Task<Transcript> RunAsync(Turn turn, CellTree tree, CancellationToken cancel)
    {
        var transcript = await sandbox.RunAsync(tree, SliceOf(turn), cancel);
        try
        {
            turn.Written = await effects.WriteAsync(turn, transcript, cancel);
        }
        catch
        {
            // The cell has gone on, and nothing of that will be in force.
            sandbox.Drop(turn.Line.Tenant);
            throw;
        }

        return transcript;
    }

    /// <summary>What arrivals come to that no rule listens to. No cell is asked.</summary>
    public static Transcript WakesNobody(int arrivals) => new([.. Enumerable.Range(0, arrivals).Select(index => new ArrivalApplied(index))], arrivals, []);

    /// <summary>Processes that change without the tenant's cell: what it remembers of them is out of date.</summary>
    public void Unknow(Turn turn)
    {
        if (turn.Line.HasCell)
        {
            sandbox.Forget(turn.Line.Tenant, turn.Arrivals.Select(arrival => arrival.Set.Pid));
        }
    }

    public void Drop(Turn turn) => sandbox.Drop(turn.Line.Tenant);

    private Slice SliceOf(Turn turn)
    {
        var line = turn.Line;
        var state = new Dictionary<long, IReadOnlyDictionary<string, string>> { [0] = line.State(0) };
        foreach (var arrival in turn.Arrivals)
        {
            state[arrival.Set.Pid] = line.State(arrival.Set.Pid);
            state[arrival.Set.WakePid] = line.State(arrival.Set.WakePid);
        }

        foreach (var change in turn.Landings.SelectMany(landing => landing.Landing.Ended?.Changes ?? []))
        {
            state[change.Pid] = line.State(change.Pid);
        }

        foreach (var run in (turn.Owed?.Runs ?? []).Concat(turn.Landings.Select(landing => landing.Flight.Run)))
        {
            state[run.Pid] = line.State(run.Pid);
        }

        return new Slice(
            line.Position, new DateTimeOffset(turn.At), turn.Owed?.Runs ?? [], [.. turn.Arrivals.Select(arrival => arrival.Set)], state, options.Runs, options.SliceTime)
        {
            Landings = [.. turn.Landings.Select(landing => landing.Landing)],
            Off = line.Off,
            Held = line.Held.Keys,
            Away = [.. line.Flights.Except(turn.Landings.Select(landing => landing.Flight)).Select(flight => (flight.Run.Rule, flight.Run.Pid)).Distinct()],
        };
    }

    private async Task NoteAsync(CellTree tree, LoadedTree loaded, CancellationToken cancel)
    {
        var zone = TimeZoneInfo.TryFindSystemTimeZoneById(tree.TimeZone, out var found) ? found : TimeZoneInfo.Utc;
        var scheduled = loaded.Rules.Where(rule => rule.Schedule is not null).ToList();
        var errors = loaded.Errors;
        if (scheduled.Count > MostSchedules)
        {
            var first = scheduled[MostSchedules].Id;
            errors = [.. errors, new LoadError(first[..first.LastIndexOf(':')], null, null, $"The rules of a tenant have {MostSchedules:N0} schedules at the most, together. That of {first}, and those after it, are left out.", null)];
            scheduled.RemoveRange(MostSchedules, scheduled.Count - MostSchedules);
        }

        await using var note = source.CreateCommand("select note_tree($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)");
        note.Parameters.Add(new() { Value = tree.Tenant.Value });
        note.Parameters.Add(new() { Value = tree.Version });
        note.Parameters.Add(new() { Value = loaded.WakeKeys.ToArray() });
        note.Parameters.Add(new() { Value = errors.Count == 0 ? DBNull.Value : JsonSerializer.Serialize(errors, JsonSerializerOptions.Web), NpgsqlDbType = NpgsqlDbType.Text });
        note.Parameters.Add(new() { Value = loaded.Logs.Count == 0 ? DBNull.Value : JsonSerializer.Serialize(loaded.Logs, JsonSerializerOptions.Web), NpgsqlDbType = NpgsqlDbType.Text });
        note.Parameters.Add(new() { Value = scheduled.ConvertAll(rule => rule.Id).ToArray() });
        note.Parameters.Add(new() { Value = scheduled.ConvertAll(rule => rule.Schedule!).ToArray() });
        note.Parameters.Add(new() { Value = scheduled.ConvertAll(rule => rule.ScheduleWhere).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text });
        note.Parameters.Add(new() { Value = scheduled.ConvertAll(rule => NextOf(rule, zone)).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.TimestampTz });
        note.Parameters.Add(new() { Value = zone.Id });
        await note.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>When it is due next; the cell's word was checked.</summary>
    private DateTime? NextOf(LoadedRule rule, TimeZoneInfo zone) => Cadence.TryParse(rule.Schedule!, out var cadence, out _) ? cadence.NextAfter(zone, time.GetUtcNow())?.UtcDateTime : null;
}
