using System.Net.Http.Headers;
using Eddy.Operator;
using Eddy.Tenants;

namespace Eddy.Tests;

/// <summary>A fresh tenant with a key that may do everything: a test's own world.</summary>
public sealed record TestTenant(TenantId Id, string Slug, string Key, TestDatabase Database)
{
    public static async Task<TestTenant> MakeAsync(TestDatabase database, string timeZone = "UTC", string? called = null)
    {
        var slug = called ?? "t" + Guid.NewGuid().ToString("N")[..12];
        await using var db = new OperatorDb(database.SuperuserConnection);
        var id = await db.AddAsync(slug, slug, timeZone, TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken);
        var tenant = new TestTenant(id, slug, "", database);
        return tenant with { Key = await tenant.AddKeyAsync("test", Scope.All) };
    }

    /// <summary>A key of this name; the answer is its secret.</summary>
    public async Task<string> AddKeyAsync(string name, params string[] scopes)
    {
        await using var db = new OperatorDb(Database.SuperuserConnection);
        await using var rows = db.For(Id);
        var (key, secret) = ApiKey.Make(Id, name, scopes, TimeProvider.System.GetUtcNow());
        rows.ApiKeys.Add(key);
        await rows.SaveChangesAsync(TestContext.Current.CancellationToken);
        return secret;
    }

    /// <summary>A client of this web that shows the tenant's key, or another.</summary>
    public HttpClient Client(TestWeb web, string? key = null) => Client(web.Address, key);

    public HttpClient Client(Uri address, string? key = null)
    {
        var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key ?? Key);
        return client;
    }

    /// <summary>Writes to the log and its fold as the pump would. $1 of the statement is the tenant.</summary>
    public async Task PrepareAsync(string sql)
    {
        await using var command = Database.Superuser.CreateCommand(sql);
        command.Parameters.Add(new() { Value = Id.Value });
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
