using Npgsql;

namespace Eddy.Tests.Faults;

/// <summary>A database that is there, and for a while has nothing for us.</summary>
[Trait("Category", "Long")]
public sealed class ConnectionTests(TestDatabase database)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_goes_on_after_a_time_without_connections()
    {
        await using var own = await database.OfItsOwnAsync();
        await using var web = await TestWeb.StartAsync(own);
        await using var worker = await TestWorker.StartAsync(own);
        var tenant = await TestTenant.MakeAsync(own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/count.py", """
            class count(Rule):
                listens_to = ["n"]
                def action(self):
                    shared.total = (shared.total or 0) + 1
            """);
        await caller.SettleAsync("""{"n": 1}""");

        await CutAsync(own, 0);
        using (var refused = await caller.PostAsync("""{"n": 2}""", headers: ("Idempotency-Key", "two")))
        {
            refused.IsSuccessStatusCode.ShouldBeFalse();
        }

        // Every part has noticed.
        await Patience.UntilAsync("the worker has no lease that is good", () => !worker.IsAlive);
        await CutAsync(own, -1);

        await Patience.UntilAsync("an event goes all the way", Patience.Long, async () =>
        {
            using var response = await caller.PostAsync("""{"n": 2}""", headers: [("Idempotency-Key", "two"), ("Prefer", "wait=1")]);
            return response.StatusCode == System.Net.HttpStatusCode.OK;
        });
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(2);
    }

    /// <summary>Lets so many connections in (-1: all), and ends those that there are.</summary>
    private static async Task CutAsync(TestDatabase database, int limit)
    {
        var name = new NpgsqlConnectionStringBuilder(database.SuperuserConnection).Database;
        await using (var alter = database.Superuser.CreateCommand($"alter database {name} connection limit {limit}"))
        {
            await alter.ExecuteNonQueryAsync(Cancel);
        }

        await using var end = database.Superuser.CreateCommand("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and usename = 'eddy_app'");
        end.Parameters.Add(new() { Value = name! });
        await end.ExecuteNonQueryAsync(Cancel);
    }
}
