using System.Text;
using Eddy.Postgres;
using Eddy.Sandbox;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Files;

/// <summary>
/// A tenant's files and all their versions. A save or a deletion is one transaction that raises the tree's version: saves of one tenant follow one another, and
/// whoever reads the tree's version sees exactly the files that belong to it.
/// </summary>
public sealed class FileStore(EddyDbs dbs, TimeProvider time)
{
    /// <summary>How many files a tenant may have.</summary>
    public const int MostFiles = 2000;

    // One statement, so one snapshot: the version and the files that belong to it. Where what was saved last is not in force, the content comes from the version that is.
    private const string TreeSql = """
        select t.tree_version, f.path, coalesce(v.content, f.content)
        from tenants t
        left join files f on f.tenant_id = t.id and f.in_force is not null
          and (f.path like 'scripts/%.py' or f.path like 'libraries/%')
        left join file_versions v on v.tenant_id = f.tenant_id and v.path = f.path and v.version = f.in_force and f.version <> f.in_force
        where t.id = $1
        order by f.path collate "C"
        """;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>All files by path, without what is in them.</summary>
    public async Task<IReadOnlyList<FileEntry>> ListAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        var files = await db.Files.Select(f => new FileEntry(f.Path, f.Version, f.InForce, f.Content.Length, f.Author, f.SavedAt, f.Faults)).ToListAsync(cancel);
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return files;
    }

    /// <summary>What failed when the tree was last loaded into a cell, as JSON (a list of <see cref="LoadError"/>), and which version of it that was. Null where it never was.</summary>
    public async Task<(long Version, string? Faults)?> LoadedAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select tree_version, faults::text from trees where tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? (rows.GetInt64(0), rows.IsDBNull(1) ? null : rows.GetString(1)) : null;
    }

    public async Task<TenantFile?> FindAsync(TenantId tenant, string path, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.Files.AsNoTracking().SingleOrDefaultAsync(f => f.Path == path, cancel);
    }

    /// <summary>Saves a file as the next version of the tree.</summary>
    /// <param name="path">Checked by <see cref="FilePath"/>.</param>
    /// <param name="faults">What the compiler says, as JSON: such a version is kept, and what was in force stays so. Null where it compiles.</param>
    public async Task<SaveOutcome> SaveAsync(
        TenantId tenant, string path, byte[] content, string? faults, string author, WriteCondition condition, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var version = await NextVersionAsync(db, cancel);
        var file = await db.Files.SingleOrDefaultAsync(f => f.Path == path, cancel);
        if (!condition.Holds(file?.Version))
        {
            return new SaveOutcome.Changed(file?.Version);
        }

        if (file is null && await db.Files.CountAsync(cancel) >= MostFiles)
        {
            return new SaveOutcome.TooMany();
        }

        var now = time.GetUtcNow();
        var isNew = file is null;
        if (file is null)
        {
            file = new TenantFile
            {
                TenantId = tenant.Value, Path = path, Content = content, Version = version, InForce = null, Author = author, SavedAt = now,
            };
            db.Files.Add(file);
        }

        (file.Content, file.Version, file.Faults, file.Author, file.SavedAt) = (content, version, faults, author, now);
        file.InForce = faults is null ? version : file.InForce;
        db.FileVersions.Add(new FileVersion
        {
            TenantId = tenant.Value, Path = path, Version = version, Content = content, Faults = faults, Author = author, SavedAt = now,
        });
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new SaveOutcome.Saved(new FileEntry(path, version, file.InForce, content.Length, author, now, faults), isNew);
    }

    /// <summary>Takes a file out of the tree; its versions stay. Null where there is none.</summary>
    public async Task<SaveOutcome?> DeleteAsync(TenantId tenant, string path, string author, WriteCondition condition, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var version = await NextVersionAsync(db, cancel);
        if (await db.Files.SingleOrDefaultAsync(f => f.Path == path, cancel) is not { } file)
        {
            return null;
        }

        if (!condition.Holds(file.Version))
        {
            return new SaveOutcome.Changed(file.Version);
        }

        var now = time.GetUtcNow();
        db.Files.Remove(file);
        db.FileVersions.Add(new FileVersion { TenantId = tenant.Value, Path = path, Version = version, Content = null, Author = author, SavedAt = now });
        await db.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return new SaveOutcome.Saved(new FileEntry(path, version, null, 0, author, now, null), IsNew: false);
    }

    /// <summary>
    /// What a cell loads: the texts in force under <c>scripts/</c> and <c>libraries/</c>, in the order of their paths' bytes, and the version of the tree that
    /// they are. Files that are no UTF-8 are left out. Version 0 and no file where there is no such tenant.
    /// </summary>
    public async Task<(long Version, IReadOnlyList<CellFile> Files)> ReadTreeAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(TreeSql) { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var version = 0L;
        var files = new List<CellFile>();
        while (await rows.ReadAsync(cancel))
        {
            version = rows.GetInt64(0);
            if (!rows.IsDBNull(1) && TextOf(rows.GetFieldValue<byte[]>(2)) is { } text)
            {
                files.Add(new CellFile(rows.GetString(1), text));
            }
        }

        return (version, files);
    }

    /// <summary>The text that these bytes are in UTF-8, without a byte order mark, or null where they are none.</summary>
    public static string? TextOf(byte[] content)
    {
        try
        {
            return Strict.GetString(content.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? content.AsSpan(3) : content);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    // The tenant's row stays locked until the transaction ends: one save at a time.
    private static async Task<long> NextVersionAsync(EddyDb db, CancellationToken cancel)
    {
        await db.Tenants.ExecuteUpdateAsync(set => set.SetProperty(t => t.TreeVersion, t => t.TreeVersion + 1), cancel);
        return await db.Tenants.Select(t => t.TreeVersion).SingleAsync(cancel);
    }
}

/// <summary>A file, without what is in it.</summary>
/// <param name="Version">The tree version that its last save made; its ETag.</param>
/// <param name="InForce">As in <see cref="TenantFile.InForce"/>.</param>
/// <param name="Faults">What the compiler says of <paramref name="Version"/>, as JSON.</param>
public sealed record FileEntry(string Path, long Version, long? InForce, int Size, string Author, DateTimeOffset SavedAt, string? Faults);

/// <summary>How a save or a deletion ended.</summary>
public abstract record SaveOutcome
{
    public sealed record Saved(FileEntry File, bool IsNew) : SaveOutcome;

    /// <summary>The file is not as the caller thought: it has this version, or is not there.</summary>
    public sealed record Changed(long? Version) : SaveOutcome;

    /// <summary>The tenant has <see cref="FileStore.MostFiles"/> files.</summary>
    public sealed record TooMany : SaveOutcome;
}
