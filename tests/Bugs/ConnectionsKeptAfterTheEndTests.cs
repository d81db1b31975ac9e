using Eddy.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Eddy.Tests.Bugs;

/// <summary>
/// Who had ended kept connections, and one of them still listened: nobody read it, and PostgreSQL's backend, which could not get rid of its news, held up whoever waits for
/// all backends, and in the end the queue of the news.
/// </summary>
public sealed class ConnectionsKeptAfterTheEndTests(TestDatabase database)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_connection_that_has_listened_goes_back_to_its_pool_without()
    {
        // One connection, and as it was left.
        await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(database.AppConnection) { MaxPoolSize = 1, NoResetOnClose = true });
        var connected = new TaskCompletionSource();
        using (var listener = new Listener(source, NullLogger.Instance))
        {
            listener.On("eddy_watch", _ => { });
            listener.OnConnected(() => connected.TrySetResult());
            listener.Start();
            await connected.Task.WaitAsync(Cancel);
        }

        await using var look = source.CreateCommand("select count(*) from pg_listening_channels()");
        (await look.ExecuteScalarAsync(Cancel)).ShouldBe(0L);
    }

    [Fact]
    public async Task A_web_and_a_worker_that_have_ended_have_no_connection()
    {
        await using var own = await database.OfItsOwnAsync();
        await using (await TestWeb.StartAsync(own))
        await using (await TestWorker.StartAsync(own))
        {
            (await ConnectionsAsync()).ShouldBeGreaterThan(2);
        }

        await Patience.UntilAsync("all connections are closed", Patience.Long, async () => await ConnectionsAsync() == 0);

        async Task<long> ConnectionsAsync()
        {
            await using var count = own.Superuser.CreateCommand("select count(*) from pg_stat_activity where datname = current_database() and application_name in ('eddy-web', 'eddy-worker')");
            return (long)(await count.ExecuteScalarAsync(Cancel))!;
        }
    }
}
