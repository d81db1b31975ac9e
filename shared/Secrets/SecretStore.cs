using System.Security.Cryptography;
using System.Text;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Secrets;

/// <summary>
/// A tenant's secrets in the database, sealed under the tenant's key, which a master key wraps. Changes of one tenant's secrets follow one another. Where a name comes or goes
/// the tree gets a new version too, so that cells learn of it as they do of files.
/// </summary>
public sealed class SecretStore(EddyDbs dbs, MasterKeys masters, TimeProvider time)
{
    /// <summary>How many secrets a tenant may have.</summary>
    public const int MostSecrets = 100;

    /// <summary>How many bytes all values of a tenant may have together: each answer is searched for all of them.</summary>
    public const int MostBytes = 128 << 10;

    // One statement, so one snapshot. Of a set that is known the secrets are not read again.
    private const string ReadSql = """
        select k.version, k.master_key, k.nonce, k.wrapped, s.name, s.hosts, s.version, s.nonce, s.ciphertext
        from tenant_keys k
        left join secrets s on s.tenant_id = k.tenant_id and k.version <> $2
        where k.tenant_id = $1
        """;

    private const string NoteUseSql = """
        update secrets s set last_used_at = greatest(s.last_used_at, $3) where s.tenant_id = $1 and s.name = any($2)
        """;

    /// <summary>All secrets by name, without their values.</summary>
    public async Task<IReadOnlyList<SecretEntry>> ListAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        var secrets = await db.Secrets.AsNoTracking().ToListAsync(cancel);
        secrets.Sort((a, b) => string.CompareOrdinal(a.Name, b.Name));
        return secrets.ConvertAll(SecretEntry.Of);
    }

    /// <summary>What was done to the tenant's secrets, the last first.</summary>
    public async Task<IReadOnlyList<SecretChange>> ChangesAsync(TenantId tenant, int most, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.SecretChanges.AsNoTracking().OrderByDescending(change => change.Version).Take(most).ToListAsync(cancel);
    }

    /// <summary>
    /// Sets a secret. The value that it had is gone at once: whoever asks for the set after this has the new one.
    /// </summary>
    /// <param name="name">Checked by <see cref="Secret.NameFault"/>.</param>
    /// <param name="value">Checked by <see cref="Secret.ValueFault"/>.</param>
    /// <param name="hosts">At least one.</param>
    /// <exception cref="SecretsUnavailable">There is no master key, or not the one that wraps the tenant's key.</exception>
    public async Task<SetOutcome> SetAsync(
        TenantId tenant, string name, string value, IReadOnlyList<HostPattern> hosts, string author, WriteCondition condition, CancellationToken cancel)
    {
        var master = masters.Current ?? throw SecretsUnavailable.NoMasterKey();
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await LockAsync(db, tenant, cancel);
        var secret = await db.Secrets.SingleOrDefaultAsync(s => s.Name == name, cancel);
        if (!condition.Holds(secret?.Version))
        {
            return new SetOutcome.Changed(secret?.Version);
        }

        var bytes = Encoding.UTF8.GetBytes(value);
        if (await FullAsync(db, name, bytes.Length, cancel) is { } why)
        {
            return new SetOutcome.TooMany(why);
        }

        var now = time.GetUtcNow();
        var row = await db.TenantKeys.SingleOrDefaultAsync(cancel);
        using var key = row is null ? DataKey.Make(tenant) : Unwrap(tenant, row);
        if (row is null)
        {
            var wrapped = key.Wrap(master);
            row = new TenantKey { TenantId = tenant.Value, MasterKey = master.Id, Nonce = wrapped.Nonce, Wrapped = wrapped.Ciphertext, Version = 0, MadeAt = now };
            db.TenantKeys.Add(row);
        }

        var version = ++row.Version;
        string[] targets = [.. hosts.Select(host => host.ToString()).Distinct()];
        var box = key.Seal(name, version, targets, bytes);
        CryptographicOperations.ZeroMemory(bytes);
        var isNew = secret is null;
        if (secret is null)
        {
            secret = new Secret
            {
                TenantId = tenant.Value, Name = name, Hosts = targets, Nonce = box.Nonce, Ciphertext = box.Ciphertext, Version = version, CreatedAt = now, ChangedAt = now, ChangedBy = author,
            };
            db.Secrets.Add(secret);
            await RaiseTreeAsync(db, cancel);
        }

        (secret.Hosts, secret.Box, secret.Version, secret.ChangedAt, secret.ChangedBy) = (targets, box, version, now, author);
        db.SecretChanges.Add(new SecretChange { TenantId = tenant.Value, Version = version, Name = name, Hosts = targets, ChangedAt = now, ChangedBy = author });
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new SetOutcome.Set(SecretEntry.Of(secret), isNew);
    }

    /// <summary>Forgets a secret; that it was there stays in the record. Null where there is none.</summary>
    public async Task<SetOutcome?> DeleteAsync(TenantId tenant, string name, string author, WriteCondition condition, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await LockAsync(db, tenant, cancel);
        if (await db.Secrets.SingleOrDefaultAsync(s => s.Name == name, cancel) is not { } secret)
        {
            return null;
        }

        if (!condition.Holds(secret.Version))
        {
            return new SetOutcome.Changed(secret.Version);
        }

        var row = await db.TenantKeys.SingleAsync(cancel);
        row.Version++;
        db.Secrets.Remove(secret);
        db.SecretChanges.Add(new SecretChange { TenantId = tenant.Value, Version = row.Version, Name = name, Hosts = null, ChangedAt = time.GetUtcNow(), ChangedBy = author });
        await RaiseTreeAsync(db, cancel);
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new SetOutcome.Set(SecretEntry.Of(secret), IsNew: false);
    }

    /// <summary>The tenant's secrets as they are now; <paramref name="known"/> itself where they are still these.</summary>
    /// <exception cref="SecretsUnavailable">The tenant has secrets, and this process lacks the master key that opens them.</exception>
    public async Task<SecretSet> ReadAsync(TenantId tenant, SecretSet? known, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ReadSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = known?.Version ?? -1 } } });
        await using var found = await batch.ExecuteReaderAsync(cancel);
        await found.NextResultAsync(cancel);
        TenantKey? row = null;
        var rows = new List<(string, string[], long, SealedBox)>();
        while (await found.ReadAsync(cancel))
        {
            row ??= new TenantKey
            {
                TenantId = tenant.Value, Version = found.GetInt64(0), MasterKey = found.GetString(1), Nonce = found.GetFieldValue<byte[]>(2), Wrapped = found.GetFieldValue<byte[]>(3), MadeAt = default,
            };
            if (!found.IsDBNull(4))
            {
                rows.Add((found.GetString(4), found.GetFieldValue<string[]>(5), found.GetInt64(6), new SealedBox(found.GetFieldValue<byte[]>(7), found.GetFieldValue<byte[]>(8))));
            }
        }

        if (row is null)
        {
            return SecretSet.Empty(tenant);
        }

        if (row.Version == known?.Version)
        {
            return known;
        }

        using var key = Unwrap(tenant, row);
        return SecretSet.Open(tenant, row.Version, key, rows);
    }

    /// <summary>Writes down that secrets were used. What is not there any more is left alone.</summary>
    public async Task NoteUseAsync(TenantId tenant, IReadOnlyCollection<string> names, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(NoteUseSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = names.ToArray() }, new() { Value = time.GetUtcNow() } } });
        await batch.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Wraps the tenant's key by the current master key. False where it is so already, or the tenant has none.</summary>
    /// <exception cref="SecretsUnavailable">There is no master key, or not the one that wraps it now.</exception>
    public async Task<bool> RewrapAsync(TenantId tenant, CancellationToken cancel)
    {
        var master = masters.Current ?? throw SecretsUnavailable.NoMasterKey();
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await LockAsync(db, tenant, cancel);
        if (await db.TenantKeys.SingleOrDefaultAsync(cancel) is not { } row || row.MasterKey == master.Id)
        {
            return false;
        }

        using var key = Unwrap(tenant, row);
        (row.MasterKey, row.Box) = (master.Id, key.Wrap(master));
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return true;
    }

    /// <summary>
    /// Seals all of the tenant's secrets anew under a new key; values, versions and placeholders stay. The count of those that were sealed, and the names of those that did not open
    /// and are left as they are: they can only be set anew. Null where the tenant has no key.
    /// </summary>
    /// <exception cref="SecretsUnavailable">There is no master key, or not the one that wraps the tenant's key.</exception>
    public async Task<(int Sealed, IReadOnlyList<string> Broken)?> RotateKeyAsync(TenantId tenant, CancellationToken cancel)
    {
        var master = masters.Current ?? throw SecretsUnavailable.NoMasterKey();
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        await LockAsync(db, tenant, cancel);
        if (await db.TenantKeys.SingleOrDefaultAsync(cancel) is not { } row)
        {
            return null;
        }

        using var old = Unwrap(tenant, row);
        using var key = old.Next();
        var count = 0;
        var broken = new List<string>();
        foreach (var secret in await db.Secrets.ToListAsync(cancel))
        {
            if (old.Open(secret.Name, secret.Version, secret.Hosts, secret.Box) is not { } value)
            {
                broken.Add(secret.Name);
                continue;
            }

            secret.Box = key.Seal(secret.Name, secret.Version, secret.Hosts, value);
            CryptographicOperations.ZeroMemory(value);
            count++;
        }

        (row.MasterKey, row.Box, row.MadeAt) = (master.Id, key.Wrap(master), time.GetUtcNow());
        row.Version++;
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return (count, broken);
    }

    /// <summary>The key of a tenant and the master key that wraps it; null where the tenant has none.</summary>
    public async Task<(string MasterKey, DateTimeOffset MadeAt)?> KeyAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.TenantKeys.AsNoTracking().SingleOrDefaultAsync(cancel) is { } row ? (row.MasterKey, row.MadeAt) : null;
    }

    private DataKey Unwrap(TenantId tenant, TenantKey row)
    {
        var master = masters.Find(row.MasterKey) ?? throw (masters.Current is null ? SecretsUnavailable.NoMasterKey() : SecretsUnavailable.NotKnown(row.MasterKey));
        return DataKey.Unwrap(tenant, row.Box, master) ?? throw SecretsUnavailable.NotOpened(row.MasterKey);
    }

    private static async Task<string?> FullAsync(EddyDb db, string name, int bytes, CancellationToken cancel)
    {
        var others = await db.Secrets.Where(s => s.Name != name).Select(s => s.Ciphertext.Length).ToListAsync(cancel);
        return others.Count >= MostSecrets ? $"A tenant has at most {MostSecrets} secrets; delete one that is not needed."
            : others.Sum() - (others.Count * AesGcm.TagByteSizes.MaxSize) + bytes > MostBytes ? $"The values of a tenant's secrets have at most {MostBytes} bytes together; delete one that is not needed."
            : null;
    }

    // The tenant's row stays locked until the transaction ends, as with files.
    private static async Task LockAsync(EddyDb db, TenantId tenant, CancellationToken cancel) =>
        await db.Database.ExecuteSqlAsync($"select from tenants where id = {tenant.Value} for update", cancel);

    private static async Task RaiseTreeAsync(EddyDb db, CancellationToken cancel) =>
        await db.Tenants.ExecuteUpdateAsync(set => set.SetProperty(t => t.TreeVersion, t => t.TreeVersion + 1), cancel);
}

/// <summary>A secret, without its value.</summary>
public sealed record SecretEntry(string Name, IReadOnlyList<string> Hosts, long Version, DateTimeOffset CreatedAt, DateTimeOffset ChangedAt, string ChangedBy, DateTimeOffset? LastUsedAt)
{
    internal static SecretEntry Of(Secret secret) =>
        new(secret.Name, secret.Hosts, secret.Version, secret.CreatedAt, secret.ChangedAt, secret.ChangedBy, secret.LastUsedAt);
}

/// <summary>How a setting or a deletion ended.</summary>
public abstract record SetOutcome
{
    public sealed record Set(SecretEntry Secret, bool IsNew) : SetOutcome;

    /// <summary>The secret is not as the caller thought: it has this version, or is not there.</summary>
    public sealed record Changed(long? Version) : SetOutcome;

    /// <summary>The tenant has as many secrets as it may have, or as many bytes of them.</summary>
    public sealed record TooMany(string Why) : SetOutcome;
}
