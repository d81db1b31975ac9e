using System.CommandLine;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Operator;

/// <summary><c>eddy secret list</c>, <c>log</c>, <c>rotate-key</c> and <c>rewrap</c>. None of them shows a value.</summary>
public static class SecretCommands
{
    private const int MostChanges = 200;

    public static Command Make(string database)
    {
        var tenant = new Option<string>("--tenant") { Description = "The tenant's slug.", Required = true };

        var list = new Command("list", "Show a tenant's secrets, without their values.") { tenant };
        list.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (secrets, id) =>
        {
            foreach (var secret in await secrets.ListAsync(id, cancel))
            {
                var used = secret.LastUsedAt is { } at ? $"last used {at:u}" : "never used";
                Console.WriteLine($"{secret.Name,-24}  version {secret.Version,-6}  set {secret.ChangedAt:u} by {secret.ChangedBy}  {used}  for {string.Join(", ", secret.Hosts)}");
            }

            if (await secrets.KeyAsync(id, cancel) is { } key)
            {
                Console.WriteLine($"The tenant's key was made {key.MadeAt:u}; the master key '{key.MasterKey}' wraps it.");
            }

            return 0;
        }, cancel));

        var log = new Command("log", "Show who set and deleted a tenant's secrets, the last first.") { tenant };
        log.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (secrets, id) =>
        {
            foreach (var change in await secrets.ChangesAsync(id, MostChanges, cancel))
            {
                Console.WriteLine($"{change.Version,6}  {change.ChangedAt:u}  {change.ChangedBy}  {(change.Hosts is null ? $"deleted {change.Name}" : $"set {change.Name} for {string.Join(", ", change.Hosts)}")}");
            }

            return 0;
        }, cancel));

        var rotate = new Command("rotate-key", "Seal a tenant's secrets anew under a new key. Values and placeholders stay.") { tenant };
        rotate.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (secrets, id) =>
        {
            if (await secrets.RotateKeyAsync(id, cancel) is not { } done)
            {
                Console.WriteLine("The tenant has no key yet; it gets one with its first secret.");
                return 0;
            }

            Console.WriteLine($"Secrets sealed under a new key: {done.Sealed}.");
            foreach (var name in done.Broken)
            {
                await Console.Error.WriteLineAsync($"'{name}' does not open: its row is not as it was written. Let its owner set it anew.");
            }

            return done.Broken.Count == 0 ? 0 : 1;
        }, cancel));

        var rewrap = new Command("rewrap", "Wrap all tenants' keys by the current master key, the first in Secrets:MasterKeyFile.");
        rewrap.SetAction((_, cancel) => Opened(database, (db, secrets) => RewrapAsync(db, secrets, cancel)));

        return new Command("secret", "Tenants' secrets and the keys above them.") { list, log, rotate, rewrap };
    }

    private static async Task<int> RewrapAsync(OperatorDb db, SecretStore secrets, CancellationToken cancel)
    {
        var (count, failed) = (0, 0);
        foreach (var (id, slug, _, _) in await db.ListAsync(cancel))
        {
            try
            {
                count += await secrets.RewrapAsync(new TenantId(id), cancel) ? 1 : 0;
            }
            catch (SecretsUnavailable unavailable)
            {
                // The others are done all the same.
                await Console.Error.WriteLineAsync($"{slug}: {unavailable.Message}");
                failed++;
            }
        }

        Console.WriteLine($"Tenants' keys wrapped anew: {count}{(failed == 0 ? "; no other master key is needed any more" : $", not: {failed}")}.");
        return failed == 0 ? 0 : 1;
    }

    private static Task<int> WithTenant(string database, string slug, Func<SecretStore, TenantId, Task<int>> act, CancellationToken cancel) =>
        Opened(database, async (db, secrets) =>
        {
            if (await db.FindAsync(slug, cancel) is { } id)
            {
                return await act(secrets, id);
            }

            await Console.Error.WriteLineAsync($"There is no tenant '{slug}'.");
            return 1;
        });

    private static async Task<int> Opened(string database, Func<OperatorDb, SecretStore, Task<int>> act)
    {
        var masters = MasterKeys.Read(new SecretsOptions { MasterKeyFile = Environment.GetEnvironmentVariable("Secrets__MasterKeyFile") }, out var fault);
        if (fault is not null)
        {
            await Console.Error.WriteLineAsync(fault);
            return 2;
        }

        await using var db = new OperatorDb(database);
        try
        {
            return await act(db, new SecretStore(db.Dbs, masters, TimeProvider.System));
        }
        catch (SecretsUnavailable unavailable)
        {
            await Console.Error.WriteLineAsync(unavailable.Message);
            return 1;
        }
    }
}
