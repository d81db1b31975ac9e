using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Npgsql;

namespace Eddy.Upkeep;

/// <summary>What has to be done now and then so that things go on: partitions of the log made ahead, and what is only kept for a while cleared away.</summary>
public sealed class Housekeeper(NpgsqlDataSource source, InboxOptions inbox, TimeProvider time, ILogger<Housekeeper> log)
{
    /// <summary>How long the answer of an idempotency key is kept.</summary>
    public static readonly TimeSpan IdempotencyKept = TimeSpan.FromHours(48);

    /// <summary>How long it is remembered when a throttled rule ran: longer than any time that a throttle may have.</summary>
    public static readonly TimeSpan StreamsKept = TimeSpan.FromDays(400);

    /// <summary>How long it is remembered which messages were taken out of mailboxes, should one lie there again.</summary>
    public static readonly TimeSpan TakenKept = TimeSpan.FromDays(90);

    /// <summary>How long it is remembered to whom a mail went out: as long as one is tried, so that no try counts twice.</summary>
    public static readonly TimeSpan HandedKept = DeliveryTurn.Patience + TimeSpan.FromHours(1);

    /// <summary>How long requests of API scripts are on record, one by one.</summary>
    public static readonly TimeSpan CallsKept = TimeSpan.FromDays(30);

    public async Task TidyAsync(CancellationToken cancel)
    {
        await MakePartitionsAsync(cancel);
        var keys = await PruneAsync("select prune_idempotency($1)", IdempotencyKept, cancel);
        var streams = await PruneAsync("select prune_streams($1)", StreamsKept, cancel);
        await PruneAsync("select prune_taken($1)", TakenKept, cancel);
        await PruneAsync("select prune_handed($1)", HandedKept, cancel);
        await PruneAsync("select prune_calls($1)", CallsKept, cancel);
        var messages = await PruneAsync("select prune_inbox($1)", inbox.Kept, cancel);
        await PruneAsync("select prune_uploads($1)", inbox.Kept, cancel);
        log.LogInformation("Upkeep is done; {Keys} idempotency keys and {Streams} streams of throttled rules were forgotten, {Messages} messages deleted", keys, streams, messages);
    }

    private async Task<int> PruneAsync(string some, TimeSpan kept, CancellationToken cancel)
    {
        var total = 0;
        int pruned;
        do
        {
            await using var prune = source.CreateCommand(some);
            prune.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime - kept });
            pruned = (int)(await prune.ExecuteScalarAsync(cancel))!;
            total += pruned;
        }
        while (pruned > 0);
        return total;
    }

    public async Task MakePartitionsAsync(CancellationToken cancel)
    {
        await using var make = source.CreateCommand("select make_partitions($1)");
        make.Parameters.Add(new() { Value = time.GetUtcNow().UtcDateTime });
        await make.ExecuteNonQueryAsync(cancel);
    }
}
