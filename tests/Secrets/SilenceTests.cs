using System.Net;
using System.Text;
using Eddy.Secrets;

namespace Eddy.Tests.Secrets;

/// <summary>A value that was set is nowhere: not in the database, not in a log, in no spelling.</summary>
public sealed class SilenceTests
{
    private const string Value = "GOLD-live-key/with+more&1234567890";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_table_and_no_log_line_of_the_product_holds_a_value_whatever_was_done_with_it()
    {
        var keys = TestSecrets.File(TestSecrets.Line("one"));
        await using var product = await TestProduct.StartAsync($"Secrets__MasterKeyFile={keys}", "Serilog__MinimumLevel__Default=Verbose", "Serilog__MinimumLevel__Override__Microsoft=Verbose", "Serilog__MinimumLevel__Override__Npgsql=Verbose");
        var tenant = await TestTenant.MakeAsync(product.Database);
        var client = tenant.Client(product.Address);

        (await PutAsync("GOOD", Value)).ShouldBe(HttpStatusCode.Created);
        (await PutAsync("GOOD", Value + "2")).ShouldBe(HttpStatusCode.OK);
        (await PutAsync("BAD", Value, "no host at all")).ShouldBe(HttpStatusCode.BadRequest);
        (await PutAsync("BAD", Value + "\0")).ShouldBe(HttpStatusCode.BadRequest);
        (await PutAsync("B-A-D", Value)).ShouldBe(HttpStatusCode.BadRequest);
        (await client.PutAsync("/api/secrets/BAD", Json($"{{\"value\": \"{Value}"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await client.PutAsync("/api/secrets/BAD", Json($"{{\"{Value}\": \"{Value}\"}}"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await PutAsync("GONE", Value)).ShouldBe(HttpStatusCode.Created);
        (await client.DeleteAsync("/api/secrets/GONE", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        var store = TestSecrets.Store(product.Database, MasterKeys.Read(new SecretsOptions { MasterKeyFile = keys }, out _));
        using var keeper = TestSecrets.Keeper(store);
        var set = await keeper.OfAsync(tenant.Id, Cancel);
        set.Fill(set.Placeholder("GOOD"), "api.example.com", []).ShouldBe(Value + "2");
        await keeper.NoteUseAsync(tenant.Id, ["GOOD"], Cancel);
        var caller = new TestCaller(tenant, client);
        await caller.SaveAsync("scripts/a.py", """
            class a(Rule):
                listens_to = ["n"]

                def action(self):
                    self.signed = sign(secrets.GOOD, "x")
                    self.placeholder = secrets.GOOD
                    print(secrets.GOOD)
                    if self.n > 1:
                        secrets.NOBODY
            """);
        (await caller.SettleAsync("""{"n": 1}""")).GetProperty("kvps").GetProperty("placeholder").GetString().ShouldBe(set.Placeholder("GOOD"));
        (await caller.SettleAsync("""{"n": 2}""")).GetProperty("runs")[0].GetProperty("outcome").GetString().ShouldBe("failed");
        // And the database refuses to write while one is being set.
        await ExecuteAsync("alter table secrets add constraint nothing_more check (name <> 'REFUSED')");
        (await PutAsync("REFUSED", Value)).ShouldBe(HttpStatusCode.InternalServerError);

        var tables = await TablesAsync();
        tables.Count.ShouldBeGreaterThan(30);
        foreach (var table in tables)
        {
            foreach (var trace in Traces())
            {
                (await HoldsAsync(table, trace)).ShouldBeFalse($"{table} holds {trace}");
            }
        }

        (await HoldsAsync("public.secrets", "GOOD")).ShouldBeTrue();
        foreach (var part in new[] { "web", "worker" })
        {
            product.Log(part).ShouldNotBeEmpty();
            foreach (var trace in Traces())
            {
                product.Log(part).ShouldNotContain(trace, Case.Insensitive, part);
            }
        }

        async Task<HttpStatusCode> PutAsync(string name, string value, string host = "api.example.com")
        {
            using var answer = await client.PutAsync($"/api/secrets/{name}", Json(System.Text.Json.JsonSerializer.Serialize(new { value, hosts = new[] { host } })), Cancel);
            var text = await answer.Content.ReadAsStringAsync(Cancel);
            Traces().ShouldAllBe(trace => !text.Contains(trace));
            return answer.StatusCode;
        }

        async Task<List<string>> TablesAsync()
        {
            await using var command = product.Database.Superuser.CreateCommand("select format('%I.%I', table_schema, table_name) from information_schema.tables where table_type = 'BASE TABLE' and table_schema not in ('pg_catalog', 'information_schema')");
            await using var rows = await command.ExecuteReaderAsync(Cancel);
            var names = new List<string>();
            while (await rows.ReadAsync(Cancel))
            {
                names.Add(rows.GetString(0));
            }

            return names;
        }

        async Task<bool> HoldsAsync(string table, string text)
        {
            await using var command = product.Database.Superuser.CreateCommand($"select exists (select from {table} t where position(lower($1) in lower(t::text)) > 0)");
            command.Parameters.Add(new() { Value = text });
            return (bool)(await command.ExecuteScalarAsync(Cancel))!;
        }

        async Task ExecuteAsync(string sql)
        {
            await using var command = product.Database.Superuser.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Cancel);
        }
    }

    /// <summary>What would give the value away: itself, and what is left of it in base64 and hexadecimal (as which bytes are shown).</summary>
    private static IReadOnlyList<string> Traces()
    {
        var bytes = Encoding.UTF8.GetBytes(Value);
        return ["GOLD-live", Convert.ToBase64String(bytes)[..16], Convert.ToHexStringLower(bytes)[..16], Uri.EscapeDataString(Value)[..16]];
    }

    private static ByteArrayContent Json(string text) => new(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new("application/json") } };
}
