using Npgsql;

namespace Eddy.Schedules;

/// <summary>Puts runs into the line that were put off by debounce, throttle or retry, and are due. One statement does all of it, so a crash leaves them as they were, or in the line.</summary>
public sealed class DeferredTicker(NpgsqlDataSource source, SchedulesOptions options, TimeProvider time) : ITicker
{
    public async Task<DateTimeOffset?> NextAsync(CancellationToken cancel)
    {
        await using var next = source.CreateCommand("select next_deferred()");
        return await next.ExecuteScalarAsync(cancel) is DateTime at ? new DateTimeOffset(at) : null;
    }

    public async Task<int> TickAsync(CancellationToken cancel)
    {
        await using var wake = source.CreateCommand("select wake_deferred($1, $2)");
        wake.Parameters.Add(new() { Value = time.GetUtcNow() });
        wake.Parameters.Add(new() { Value = options.Chunk });
        return (int)(await wake.ExecuteScalarAsync(cancel))!;
    }
}
