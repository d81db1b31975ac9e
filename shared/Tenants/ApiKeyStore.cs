using Eddy.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Eddy.Tenants;

/// <summary>A tenant's API keys as people make and revoke them. Doors ask anew when keys change.</summary>
public sealed class ApiKeyStore(EddyDbs dbs, TimeProvider time)
{
    /// <summary>A tenant has at most as many in force.</summary>
    public const int Most = 200;

    /// <summary>Those in force by name, then those that are revoked, the last first.</summary>
    public async Task<IReadOnlyList<ApiKey>> ListAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        var keys = await db.ApiKeys.AsNoTracking().ToListAsync(cancel);
        return [.. keys.Where(key => key.RevokedAt is null).OrderBy(key => key.Name, StringComparer.Ordinal), .. keys.Where(key => key.RevokedAt is not null).OrderByDescending(key => key.RevokedAt)];
    }

    /// <summary>Makes a key; its secret, which is shown once and not kept, or why there is none, in a sentence.</summary>
    /// <param name="person">Who acts where it is shown; null for the tenant.</param>
    public async Task<(string? Secret, string? Fault)> MakeAsync(TenantId tenant, string name, IReadOnlyCollection<string> scopes, Guid? person, CancellationToken cancel)
    {
        if (ApiKey.NameFault(name) is { } fault)
        {
            return (null, fault);
        }

        if (scopes.Count == 0)
        {
            return (null, "Say what the key may do: at least one of ingest, read and write.");
        }

        await using var db = dbs.For(tenant);
        var names = await db.ApiKeys.Where(key => key.RevokedAt == null).Select(key => key.Name).ToListAsync(cancel);
        if (names.Count >= Most)
        {
            return (null, $"A tenant has at most {Most} keys; revoke one that is not needed.");
        }

        var (made, secret) = ApiKey.Make(tenant, name, [.. scopes.Distinct()], time.GetUtcNow(), person);
        db.ApiKeys.Add(made);
        try
        {
            await db.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException clash) when (clash.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return (null, $"There is a key '{name}' already. Revoke it first, or choose another name.");
        }

        return (secret, null);
    }

    /// <summary>Takes a key out of force for good; false where it was not.</summary>
    public async Task<bool> RevokeAsync(TenantId tenant, Guid key, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = dbs.For(tenant);
        if (await db.ApiKeys.Where(one => one.Id == key && one.RevokedAt == null).ExecuteUpdateAsync(set => set.SetProperty(one => one.RevokedAt, now), cancel) == 0)
        {
            return false;
        }

        // After the commit, so that who asks anew finds it revoked.
        await db.Database.ExecuteSqlRawAsync("select pg_notify('eddy_keys', '')", cancel);
        return true;
    }
}
