using System.Net;
using System.Text.Json;
using Npgsql;

namespace Eddy.Tests.Faults;

/// <summary>
/// A request that somebody waits for is committed without waiting for the disk. A PostgreSQL that is killed then has lost it: it is written again before anything is said of it, and where something
/// is said earlier, it is on the disk by then.
/// </summary>
[Trait("Category", "Long")]
public sealed class LostFlushTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_the_database_has_lost_is_written_again_and_applied_once()
    {
        await using var product = await TestProduct.StartAsync();
        var (tenant, caller) = await PrepareAsync(product);
        var sent = 0;
        var pids = new HashSet<long>();
        // Whatever else is committed at that moment may take it along to the disk: then it is not lost, and the next try is made.
        for (; !product.Log("web").Contains("The database has lost", StringComparison.Ordinal); sent++)
        {
            sent.ShouldBeLessThan(10);
            product.Freeze("worker");
            var answer = caller.PostAsync($$"""{"n": {{sent}}}""", headers: ("Prefer", "wait=30"));
            await WaitsAsync(product, tenant);
            product.Kill("postgres").ShouldBeTrue();
            product.Thaw("worker");
            using var response = await answer;
            response.StatusCode.ShouldBe(HttpStatusCode.OK, await response.Content.ReadAsStringAsync(Cancel));
            pids.Add(await PidAsync(response)).ShouldBeTrue("a number is given to one process");
        }

        await CountedAsync(caller, sent);
    }

    [Fact]
    public async Task What_is_accepted_before_it_is_settled_is_on_disk()
    {
        await using var product = await TestProduct.StartAsync();
        var (_, caller) = await PrepareAsync(product);
        for (var sent = 1; sent <= 3; sent++)
        {
            product.Freeze("worker");
            using (var response = await caller.PostAsync($$"""{"n": {{sent}}}""", headers: ("Prefer", "wait=0")))
            {
                response.StatusCode.ShouldBe(HttpStatusCode.Accepted, await response.Content.ReadAsStringAsync(Cancel));
            }

            product.Kill("postgres").ShouldBeTrue();
            product.Thaw("worker");
            await CountedAsync(caller, sent);
        }
    }

    private static async Task<(TestTenant Tenant, TestCaller Caller)> PrepareAsync(TestProduct product)
    {
        // Nobody else brings it to the disk in time.
        await using (var late = product.Database.Superuser.CreateCommand("alter system set wal_writer_delay = '10s'"))
        {
            await late.ExecuteNonQueryAsync(Cancel);
        }

        await using (var reload = product.Database.Superuser.CreateCommand("select pg_reload_conf()"))
        {
            await reload.ExecuteNonQueryAsync(Cancel);
        }

        var tenant = await TestTenant.MakeAsync(product.Database);
        var caller = new TestCaller(tenant, tenant.Client(product.Address));
        await caller.SaveAsync("scripts/count.py", """
            class count(Rule):
                listens_to = ["n"]
                def action(self):
                    shared.total = (shared.total or 0) + 1
            """);
        return (tenant, caller);
    }

    private static async Task<long> PidAsync(HttpResponseMessage response) => JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("pid").GetInt64();

    private static Task WaitsAsync(TestProduct product, TestTenant tenant) => Patience.UntilAsync("it is in the line", Patience.Long, async () =>
    {
        await using var count = product.Database.Superuser.CreateCommand("select count(*) from arrivals where tenant_id = $1");
        count.Parameters.Add(new() { Value = tenant.Id.Value });
        try
        {
            return (long)(await count.ExecuteScalarAsync(Cancel))! == 1;
        }
        catch (NpgsqlException)
        {
            // A connection from before the last kill.
            return false;
        }
    });

    private static async Task CountedAsync(TestCaller caller, int sent)
    {
        await Patience.UntilAsync($"{sent} are counted", Patience.Long, async () =>
        {
            // The database may not be back yet.
            using var response = await caller.Http.GetAsync("/api/shared", Cancel);
            return response.IsSuccessStatusCode
                && JsonDocument.Parse(await response.Content.ReadAsStringAsync(Cancel)).RootElement.GetProperty("kvps").TryGetProperty("total", out var total) && total.GetInt32() >= sent;
        });
        (await caller.SharedAsync()).GetProperty("total").GetInt32().ShouldBe(sent);
    }
}
