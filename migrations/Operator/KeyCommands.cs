using System.CommandLine;
using System.Text.Json;
using Eddy.Access;
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

        var actsAs = new Option<string?>("--as") { Description = "The mail address of who of the tenant acts where it is shown, and is judged by what they may; without it the tenant itself." };
        var add = new Command("add", "Make a key. It is shown this once.") { tenant, name, scope, actsAs };
        add.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (db, id) =>
        {
            var keyName = parsed.GetRequiredValue(name);
            await using var rows = db.For(id);
            if (await rows.ApiKeys.AnyAsync(k => k.Name == keyName && k.RevokedAt == null, cancel))
            {
                await Console.Error.WriteLineAsync($"There is a key '{keyName}' already; revoke it first or choose another name.");
                return 1;
            }

            Actor.OfMember? person = null;
            if (parsed.GetValue(actsAs) is { } address && (person = await MemberCommands.FindAsync(db, id, address, cancel)) is null)
            {
                await Console.Error.WriteLineAsync($"'{address}' does not belong to the tenant; 'eddy member set' lets them.");
                return 1;
            }

            var (key, secret) = ApiKey.Make(id, keyName, [.. parsed.GetRequiredValue(scope).Distinct()], TimeProvider.System.GetUtcNow(), person?.Person);
            rows.ApiKeys.Add(key);
            await rows.SaveChangesAsync(cancel);
            if (person is not null)
            {
                await new AccessStore(db.Dbs, TimeProvider.System).NoteAsync(id, MemberCommands.Author, "add-key", keyName, JsonSerializer.Serialize(new { @as = person.Address, scopes = key.Scopes }), cancel);
            }

            Console.WriteLine(secret);
            return 0;
        }, cancel));

        var list = new Command("list", "Show a tenant's keys, without their secrets.") { tenant };
        list.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (db, id) =>
        {
            await using var rows = db.For(id);
            var members = (await new AccessStore(db.Dbs, TimeProvider.System).MembersAsync(id, cancel)).ToDictionary(member => member.Person, member => member.Address);
            foreach (var key in await rows.ApiKeys.OrderBy(k => k.CreatedAt).ToListAsync(cancel))
            {
                var state = key.RevokedAt is { } revoked ? $"revoked {revoked:u}" : key.LastUsedAt is { } used ? $"last used {used:u}" : "never used";
                var who = key.PersonId is not { } person ? "" : members.TryGetValue(person, out var address) ? $"  as {address}" : "  as somebody who does not belong to the tenant any more";
                Console.WriteLine($"{key.Hint}…  {key.Name,-24}  {string.Join(',', key.Scopes),-18}  {state}{who}");
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
