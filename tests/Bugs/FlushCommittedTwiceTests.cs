using Npgsql;

namespace Eddy.Tests.Bugs;

/// <summary>
/// A door that lost the answer to a flush asked whether it was committed, and sent it again if not; a backend that nobody listened to any more could still commit the first one after that.
/// </summary>
public sealed class FlushCommittedTwiceTests(TestDatabase database)
{
    private const string Append = """
        select append_arrivals($1, $2, now(), null, array[$4]::smallint[], array[$3]::uuid[], array[gen_random_uuid()], array[1]::bigint[], array[1]::bigint[], array[true],
          array['[["n",1]]'], array['key:test'], array['post'], array[null]::text[], array[null]::text[], array[0], '{}', '{}', '{}', '{}')
        """;

    [Fact]
    public async Task A_flush_that_comes_after_its_repetition_is_refused()
    {
        await using var own = await database.OfItsOwnAsync();
        var tenant = await TestTenant.MakeAsync(own);
        var door = Guid.NewGuid();

        // The first one has begun, and is not committed when it is sent again.
        await using var lost = await own.App.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await lost.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await FlushAsync(lost, 1);
        var again = Task.Run(async () =>
        {
            await using var connection = await own.App.OpenConnectionAsync(TestContext.Current.CancellationToken);
            await FlushAsync(connection, 1);
        }, TestContext.Current.CancellationToken);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        (await Should.ThrowAsync<PostgresException>(again)).SqlState.ShouldBe("ED003");

        // The first one has not even begun when the second is committed.
        await using var other = await own.App.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await FlushAsync(other, 2);
        (await Should.ThrowAsync<PostgresException>(() => FlushAsync(other, 2))).SqlState.ShouldBe("ED003");

        (await new TestLog(own).CountAsync(tenant.Id, "arrivals")).ShouldBe(2);

        async Task FlushAsync(NpgsqlConnection connection, long number)
        {
            await using var append = new NpgsqlCommand(Append, connection);
            append.Parameters.Add(new() { Value = door });
            append.Parameters.Add(new() { Value = number });
            append.Parameters.Add(new() { Value = tenant.Id.Value });
            append.Parameters.Add(new() { Value = tenant.Id.Shard });
            await append.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }
}
