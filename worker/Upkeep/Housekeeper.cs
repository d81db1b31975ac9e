using Npgsql;

namespace Eddy.Upkeep;

/// <summary>What has to be done now and then so that things go on: partitions of the log made ahead, and what is only kept for a while cleared away.</summary>
public sealed class Housekeeper(NpgsqlDataSource source, TimeProvider time, ILogger<Housekeeper> log)
{
    /// <summary>How long the answer of an idempotency key is kept.</summary>
    public static readonly TimeSpan IdempotencyKept = TimeSpan.FromHours(48);

    public async Task TidyAsync(CancellationToken cancel)
    {
        await MakePartitionsAsync(cancel);
        var total = 0;
        int pruned;
        do
        {
            await using var prune = source.CreateCommand("select prune_idempotency($1)");
            prune.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime - IdempotencyKept });
            pruned = (int)(await prune.ExecuteScalarAsync(cancel))!;
            total += pruned;
        }
        while (pruned > 0);
        log.LogInformation("Upkeep is done; {Pruned} idempotency keys were forgotten", total);
    }

    public async Task MakePartitionsAsync(CancellationToken cancel)
    {
        await using var make = source.CreateCommand("select make_partitions($1)");
        make.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        await make.ExecuteNonQueryAsync(cancel);
    }
}
