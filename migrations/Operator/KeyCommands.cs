using System.CommandLine;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Operator;

/// <summary><c>eddy key add</c>, <c>eddy key list</c> and <c>eddy key revoke</c>.</summary>
public static class KeyCommands
{
    public static Command Make(string database)
    {
        var tenant = new Option<string>("--tenant") { Description = "The tenant's slug.", Required = true };
        var name = new Option<string>("--name") { Description = "What the key is for; its events show it.", Required = true };
        var scope = new Option<string[]>("--scope")
        {
            Description = $"What it may do; more than one is allowed: {string.Join(", ", Scope.All)}.",
            Required = true,
            AllowMultipleArgumentsPerToken = true,
        };
        scope.AcceptOnlyFromAmong(Scope.All);

        var add = new Command("add", "Make a key. It is shown this once.") { tenant, name, scope };
        add.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (db, id) =>
        {
            var keyName = parsed.GetRequiredValue(name);
            await using var rows = db.For(id);
            if (await rows.ApiKeys.AnyAsync(k => k.Name == keyName && k.RevokedAt == null, cancel))
            {
                await Console.Error.WriteLineAsync($"There is a key '{keyName}' already; revoke it first or choose another name.");
                return 1;
            }

            var (key, secret) = ApiKey.Make(id, keyName, [.. parsed.GetRequiredValue(scope).Distinct()], TimeProvider.System.GetUtcNow());
            rows.ApiKeys.Add(key);
            await rows.SaveChangesAsync(cancel);
            Console.WriteLine(secret);
            return 0;
        }, cancel));

        var list = new Command("list", "Show a tenant's keys, without their secrets.") { tenant };
        list.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (db, id) =>
        {
            await using var rows = db.For(id);
            foreach (var key in await rows.ApiKeys.OrderBy(k => k.CreatedAt).ToListAsync(cancel))
            {
                var state = key.RevokedAt is { } revoked ? $"revoked {revoked:u}" : key.LastUsedAt is { } used ? $"last used {used:u}" : "never used";
                Console.WriteLine($"{key.Hint}…  {key.Name,-24}  {string.Join(',', key.Scopes),-18}  {state}");
            }

            return 0;
        }, cancel));

        var revoke = new Command("revoke", "Take a key out of force, for good.") { tenant, name };
        revoke.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (db, id) =>
        {
            var keyName = parsed.GetRequiredValue(name);
            await using var rows = db.For(id);
            if (await rows.ApiKeys.SingleOrDefaultAsync(k => k.Name == keyName && k.RevokedAt == null, cancel) is not { } key)
            {
                await Console.Error.WriteLineAsync($"There is no key '{keyName}' in force.");
                return 1;
            }

            key.RevokedAt = TimeProvider.System.GetUtcNow();
            await rows.SaveChangesAsync(cancel);
            await db.KeysChangedAsync(cancel);
            Console.WriteLine($"'{keyName}' is revoked.");
            return 0;
        }, cancel));

        return new Command("key", "API keys.") { add, list, revoke };
    }

    private static async Task<int> WithTenant(string database, string slug, Func<OperatorDb, TenantId, Task<int>> act, CancellationToken cancel)
    {
        await using var db = new OperatorDb(database);
        if (await db.FindAsync(slug, cancel) is { } id)
        {
            return await act(db, id);
        }

        await Console.Error.WriteLineAsync($"There is no tenant '{slug}'.");
        return 1;
    }
}
