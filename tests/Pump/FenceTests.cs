using Npgsql;
using NpgsqlTypes;

namespace Eddy.Tests.Pump;

/// <summary>The fence before every commit of a slice.</summary>
public sealed class FenceTests(TestDatabase database)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Only_the_holder_of_a_lease_commits_under_its_epoch_and_each_slice_once()
    {
        await using var own = await database.OfItsOwnAsync();
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        var (epoch, slice) = (await ClaimAsync(own, first, "1 minute"))[7];

        (await CommitAsync(own, first, epoch, slice + 1)).ShouldBeNull();
        (await CommitAsync(own, first, epoch, slice + 1)).ShouldBe("ED001", "the same slice again");
        (await CommitAsync(own, first, epoch, slice + 3)).ShouldBe("ED001", "a slice that is not the next");
        (await CommitAsync(own, second, epoch, slice + 2)).ShouldBe("ED001", "somebody else");
        (await ClaimAsync(own, second, "1 minute")).Keys.ShouldNotContain((short)7, "the lease is good");

        // It runs out, and is the second's; the first comes back.
        await using (var expire = own.Superuser.CreateCommand("update leases set expires_at = now() - interval '1 second'; "))
        {
            await expire.ExecuteNonQueryAsync(Cancel);
        }

        await using (var gone = own.Superuser.CreateCommand("delete from workers where worker <> $1"))
        {
            gone.Parameters.Add(new() { Value = second });
            await gone.ExecuteNonQueryAsync(Cancel);
        }

        var (next, _) = (await ClaimAsync(own, second, "1 minute"))[7];
        next.ShouldBe(epoch + 1);
        (await CommitAsync(own, first, epoch, slice + 2)).ShouldBe("ED001", "its epoch is over");
        (await CommitAsync(own, first, next, slice + 2)).ShouldBe("ED001", "it is not the first's");
        (await CommitAsync(own, second, next, slice + 2)).ShouldBeNull();
    }

    [Fact]
    public async Task Nobody_takes_a_shard_while_its_holder_commits()
    {
        await using var own = await database.OfItsOwnAsync();
        var (first, second) = (Guid.NewGuid(), Guid.NewGuid());
        var (epoch, slice) = (await ClaimAsync(own, first, "1 millisecond"))[7];
        await using var connection = await own.App.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await FenceAsync(connection, first, epoch, slice + 1);

        var claimed = await ClaimAsync(own, second, "1 minute");

        claimed.Keys.ShouldNotContain((short)7);
        claimed.Keys.ShouldContain((short)8);
        await transaction.CommitAsync(Cancel);
        (await ClaimAsync(own, second, "1 minute"))[7].ShouldBe((epoch + 1, slice + 1));
    }

    private static async Task<Dictionary<short, (long Epoch, long Slice)>> ClaimAsync(TestDatabase database, Guid worker, string lease)
    {
        await using var claim = database.App.CreateCommand($"select shard, epoch, slice from claim_shards($1, interval '{lease}')");
        claim.Parameters.Add(new() { Value = worker });
        await using var rows = await claim.ExecuteReaderAsync(Cancel);
        var shards = new Dictionary<short, (long, long)>();
        while (await rows.ReadAsync(Cancel))
        {
            shards[rows.GetInt16(0)] = (rows.GetInt64(1), rows.GetInt64(2));
        }

        return shards;
    }

    /// <summary>Null where it went through, else the reason's code.</summary>
    private static async Task<string?> CommitAsync(TestDatabase database, Guid worker, long epoch, long slice)
    {
        await using var connection = await database.App.OpenConnectionAsync(Cancel);
        try
        {
            await FenceAsync(connection, worker, epoch, slice);
            return null;
        }
        catch (PostgresException refusal)
        {
            return refusal.SqlState;
        }
    }

    private static async Task FenceAsync(NpgsqlConnection connection, Guid worker, long epoch, long slice)
    {
        await using var fence = new NpgsqlCommand("select fence_slice($1, array[7]::smallint[], array[$2], array[$3], '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}')", connection);
        fence.Parameters.Add(new() { Value = worker });
        fence.Parameters.Add(new() { Value = epoch, NpgsqlDbType = NpgsqlDbType.Bigint });
        fence.Parameters.Add(new() { Value = slice, NpgsqlDbType = NpgsqlDbType.Bigint });
        await fence.ExecuteNonQueryAsync(Cancel);
    }
}
