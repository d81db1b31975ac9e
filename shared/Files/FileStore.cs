using System.Data;
using System.Text;
using Eddy.Apps;
using Eddy.Git;
using Eddy.Packages;
using Eddy.Postgres;
using Eddy.Sandbox;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Files;

/// <summary>
/// A tenant's files and all their versions. A save or a deletion is one transaction that raises the tree's version: saves of one tenant follow one another, and
/// whoever reads the tree's version sees exactly the files that belong to it.
/// </summary>
public sealed class FileStore(EddyDbs dbs, TimeProvider time)
{
    /// <summary>How many files a tenant may have.</summary>
    public const int MostFiles = 2000;

    /// <summary>How many bytes of data beside the modules in <c>libraries/</c> go to a cell, in the order of their paths.</summary>
    private const int MostData = 16 << 20;

    // One statement, so one snapshot: the version and the files that belong to it. Where what was saved last is not in force, the content comes from the version that is.
    private const string TreeSql = """
        select t.tree_version, f.path, f.content, f.is_data
        from tenants t
        left join lateral (
          select f.path, coalesce(v.content, f.content) as content, false as is_data
          from files f
          left join file_versions v on v.tenant_id = f.tenant_id and v.path = f.path and v.version = f.in_force and f.version <> f.in_force
          where f.tenant_id = t.id and f.in_force is not null and (f.path like 'scripts/%.py' or f.path like 'libraries/%.py' or f.path like 'api/%.py')
          union all
          select d.path, d.content, true
          from (
            select path, content, sum(octet_length(content)) over (order by path collate "C") as up_to
            from files where tenant_id = t.id and path like 'libraries/%' and path not like '%.py') d
          where d.up_to <= $2
          union all
          select 'packages/' || p.path, p.content, true from package_files p where p.tenant_id = t.id
        ) f on true
        where t.id = $1
        order by f.path collate "C"
        """;

    // The same of an earlier version: of each file what was saved last until then and had no faults. Packages are kept as they are now alone.
    private const string PastTreeSql = """
        select f.path, f.content, f.is_data
        from (
          select v.path, v.content, false as is_data
          from (
            select distinct on (path) path, content from file_versions
            where tenant_id = $1 and version <= $2 and faults is null and (path like 'scripts/%.py' or path like 'libraries/%.py' or path like 'api/%.py') order by path, version desc) v
          where v.content is not null
          union all
          select d.path, d.content, true
          from (
            select v.path, v.content, sum(octet_length(v.content)) over (order by v.path collate "C") as up_to
            from (select distinct on (path) path, content from file_versions where tenant_id = $1 and version <= $2 and path like 'libraries/%' and path not like '%.py' order by path, version desc) v
            where v.content is not null) d
          where d.up_to <= $3
          union all
          select 'packages/' || p.path, p.content, true from package_files p where p.tenant_id = $1) f
        order by f.path collate "C"
        """;

    // One statement, so one snapshot.
    private const string ListTreeSql = """
        select t.tree_version, f.path, f.version, octet_length(f.content), encode(sha256(f.content), 'hex')
        from tenants t left join files f on f.tenant_id = t.id
        where t.id = $1
        order by f.path collate "C"
        """;

    private const string LockAuthor = "platform";

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>All files by path, without what is in them.</summary>
    public async Task<IReadOnlyList<FileEntry>> ListAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        var files = await db.Files.Select(f => new FileEntry(f.Path, f.Version, f.InForce, f.Content.Length, f.Author, f.SavedAt, f.Faults, f.Findings)).ToListAsync(cancel);
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return files;
    }

    /// <summary>What failed when the tree was last loaded into a cell, as JSON (a list of <see cref="LoadError"/>), what was printed meanwhile (of <see cref="LoadLog"/>), and which version
    /// of it that was. Null where it never was.</summary>
    public async Task<(long Version, string? Faults, string? Logs)?> LoadedAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select tree_version, faults::text, logs::text from trees where tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? (rows.GetInt64(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.IsDBNull(2) ? null : rows.GetString(2)) : null;
    }

    /// <summary>All files as they were last saved, with what is in them, by path, and the version of the tree that they are.</summary>
    public async Task<(long Version, IReadOnlyList<TenantFile> Files)> ReadAllAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancel);
        var version = await db.Tenants.Select(t => t.TreeVersion).SingleAsync(cancel);
        var files = await db.Files.AsNoTracking().ToListAsync(cancel);
        files.Sort((a, b) => string.CompareOrdinal(a.Path, b.Path));
        return (version, files);
    }

    /// <summary>All files as they were last saved, by path, without what is in them, and the version of the tree that they are.</summary>
    public async Task<(long Version, IReadOnlyList<FileMark> Files)> ListTreeAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ListTreeSql) { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var version = 0L;
        var files = new List<FileMark>();
        while (await rows.ReadAsync(cancel))
        {
            version = rows.GetInt64(0);
            if (!rows.IsDBNull(1))
            {
                files.Add(new FileMark(rows.GetString(1), rows.GetInt64(2), rows.GetInt32(3), rows.GetString(4)));
            }
        }

        return (version, files);
    }

    /// <summary>Whether a file of this path would be one more than a tenant may have.</summary>
    public async Task<bool> IsFullForAsync(TenantId tenant, string path, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return !await db.Files.AnyAsync(f => f.Path == path, cancel) && await db.Files.CountAsync(cancel) >= MostFiles;
    }

    public async Task<TenantFile?> FindAsync(TenantId tenant, string path, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.Files.AsNoTracking().SingleOrDefaultAsync(f => f.Path == path, cancel);
    }

    /// <summary>Saves a file as the next version of the tree.</summary>
    /// <param name="path">Checked by <see cref="FilePath"/>.</param>
    /// <param name="check">What was found in it. With faults such a version is kept, and what was in force stays so.</param>
    public Task<SaveOutcome> SaveAsync(
        TenantId tenant, string path, byte[] content, FileCheck check, string author, WriteCondition condition, CancellationToken cancel) =>
        SaveAsync(tenant, path, content, check, null, author, condition, cancel);

    /// <summary>Saves a requirements.txt, and puts what it came to in force in the place of the packages of before, with its lock.</summary>
    public Task<SaveOutcome> SaveAsync(
        TenantId tenant, byte[] requirements, PackageSet packages, string author, WriteCondition condition, CancellationToken cancel) =>
        SaveAsync(tenant, FilePath.Requirements, requirements, FileCheck.Nothing, packages, author, condition, cancel);

    private async Task<SaveOutcome> SaveAsync(
        TenantId tenant, string path, byte[] content, FileCheck check, PackageSet? packages, string author, WriteCondition condition, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var version = await NextVersionAsync(db, tenant, [path], cancel);
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
        file = Put(db, tenant, file, path, content, version, check, author, now);
        if (packages is not null)
        {
            await PutPackagesAsync(db, tenant, packages, version, now, cancel);
        }

        await db.SaveChangesAsync(cancel);
        var retried = check.Faults is null ? await ComeIntoForceAsync(db, tenant, path, content, cancel) : 0;
        await transaction.CommitAsync(cancel);
        return new SaveOutcome.Saved(new FileEntry(path, version, file.InForce, content.Length, author, now, check.Faults, check.Findings), isNew) { Retried = retried };
    }

    /// <summary>Carries out a plan without faults, as one version of the tree.</summary>
    public Task<ImportOutcome> ImportAsync(TenantId tenant, AppPlan plan, string author, CancellationToken cancel) => ImportAsync(tenant, plan, null, author, cancel);

    /// <summary>The same of what was pushed, which is kept with the version.</summary>
    public Task<ImportOutcome> PushAsync(TenantId tenant, AppPlan plan, GitPush push, string author, CancellationToken cancel) => ImportAsync(tenant, plan, push, author, cancel);

    private async Task<ImportOutcome> ImportAsync(TenantId tenant, AppPlan plan, GitPush? push, string author, CancellationToken cancel)
    {
        var changes = plan.Changes.ToList();
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var version = await NextVersionAsync(db, tenant, [.. changes.Select(file => file.Path)], cancel);
        var files = await db.Files.ToDictionaryAsync(file => file.Path, StringComparer.Ordinal, cancel);
        if (version != plan.TreeVersion + 1)
        {
            // What runs save in workspace/ has versions of its own; that is no reason, unless it is what would be overwritten.
            if (await db.FileVersions.AnyAsync(saved => saved.Version > plan.TreeVersion && !saved.Path.StartsWith(FilePath.Workspace), cancel))
            {
                return new ImportOutcome.Changed();
            }
        }

        if (changes.Exists(file => files.GetValueOrDefault(file.Path)?.Version != file.Was))
        {
            return new ImportOutcome.Changed();
        }

        if (files.Count + changes.Sum(file => file.Kind switch { PlannedKind.New => 1, PlannedKind.Removed => -1, _ => 0 }) > MostFiles)
        {
            return new ImportOutcome.TooMany();
        }

        var now = time.GetUtcNow();
        if (push is not null && await KeepAsync(db, transaction, tenant, plan.TreeVersion, push, version, author, now, cancel) is { } refused)
        {
            return refused;
        }

        foreach (var file in changes)
        {
            if (file.Kind == PlannedKind.Removed)
            {
                await RemoveAsync(db, tenant, files[file.Path], version, author, now, cancel);
            }
            else
            {
                Put(db, tenant, files.GetValueOrDefault(file.Path), file.Path, file.Content, version, file.Check, author, now);
            }
        }

        if (plan.Packages is { } packages)
        {
            await PutPackagesAsync(db, tenant, packages, version, now, cancel);
        }

        await db.SaveChangesAsync(cancel);
        var retried = 0;
        foreach (var file in changes)
        {
            if (file.Kind == PlannedKind.Removed)
            {
                await LoadAsync(db, tenant, files[file.Path].Content, cancel);
            }
            else
            {
                retried += await ComeIntoForceAsync(db, tenant, file.Path, file.Content, cancel);
            }
        }

        await transaction.CommitAsync(cancel);
        return new ImportOutcome.Imported(version, changes.Count) { Retried = retried };
    }

    /// <summary>Keeps what was pushed. Null where it did; else why not.</summary>
    private static async Task<ImportOutcome?> KeepAsync(
        EddyDb db, IDbContextTransaction transaction, TenantId tenant, long builtOn, GitPush push, long version, string author, DateTimeOffset now, CancellationToken cancel)
    {
        await using var keep = new NpgsqlCommand(
            """
            with before as (select max(version) as last, coalesce(sum(octet_length(pack)), 0) as bytes from git_pushes where tenant_id = $1),
              kept as (
                insert into git_pushes (tenant_id, version, tip, pack, author, at)
                select $1, $2, $3, $4, $5, $6 from before where coalesce(last, 0) <= $7 and bytes + $8 <= $9 returning 1)
            select coalesce(last, 0) <= $7, bytes + $8 <= $9, (select count(*) from kept) from before
            """,
            (NpgsqlConnection)db.Database.GetDbConnection(), (NpgsqlTransaction)transaction.GetDbTransaction())
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = version }, new() { Value = push.Tip }, new() { Value = push.Pack, NpgsqlDbType = NpgsqlDbType.Bytea },
                new() { Value = author }, new() { Value = now }, new() { Value = builtOn }, new() { Value = push.Pack.Length }, new() { Value = GitStore.MostBytes },
            },
        };
        await using var rows = await keep.ExecuteReaderAsync(cancel);
        await rows.ReadAsync(cancel);
        return !rows.GetBoolean(0) ? new ImportOutcome.Changed() : !rows.GetBoolean(1) ? new ImportOutcome.TooMuch() : null;
    }

    /// <summary>Puts packages in the place of those of before, with their lock.</summary>
    private static async Task PutPackagesAsync(EddyDb db, TenantId tenant, PackageSet packages, long version, DateTimeOffset now, CancellationToken cancel)
    {
        var locked = await db.Files.SingleOrDefaultAsync(f => f.Path == FilePath.Lock, cancel);
        Put(db, tenant, locked, FilePath.Lock, Encoding.UTF8.GetBytes(packages.Lock), version, FileCheck.Nothing, LockAuthor, now);
        await db.PackageFiles.ExecuteDeleteAsync(cancel);
        db.PackageFiles.AddRange(packages.Files.Select(one => new PackageFile { TenantId = tenant.Value, Path = one.Path, Content = one.Content }));
    }

    /// <summary>What failed, or was put aside because of it, is tried with the new text. The answer is how many runs that were.</summary>
    private async Task<int> ComeIntoForceAsync(EddyDb db, TenantId tenant, string path, byte[] content, CancellationToken cancel)
    {
        await db.Database.ExecuteSqlAsync($"delete from rule_switches where tenant_id = {tenant.Value} and starts_with(rule, {path + ":"})", cancel);
        var retried = await db.Database.SqlQuery<int>($"select retry_quarantined({tenant.Value}, null, {path}, null, null) as \"Value\"").SingleAsync(cancel);
        await LoadAsync(db, tenant, content, cancel);
        return retried;
    }

    /// <summary>
    /// Gives a file another path: in one version of the tree it leaves the one and is at the other, so no event finds both or neither. What was in force under the old path is no longer, so the
    /// file has to be one that can be in force.
    /// </summary>
    /// <param name="to">Checked by <see cref="FilePath"/>.</param>
    /// <param name="check">What was found in it at its new place, without faults.</param>
    public async Task<MoveOutcome> MoveAsync(TenantId tenant, string from, string to, FileCheck check, string author, WriteCondition condition, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var version = await NextVersionAsync(db, tenant, [from, to], cancel);
        var file = await db.Files.SingleOrDefaultAsync(f => f.Path == from, cancel);
        if (file is null || !condition.Holds(file.Version))
        {
            return new MoveOutcome.Changed(file?.Version);
        }

        if (await db.Files.AnyAsync(f => f.Path == to, cancel))
        {
            return new MoveOutcome.Taken();
        }

        var now = time.GetUtcNow();
        db.Files.Remove(file);
        db.FileVersions.Add(new FileVersion { TenantId = tenant.Value, Path = from, Version = version, Content = null, Author = author, SavedAt = now });
        Put(db, tenant, null, to, file.Content, version, check, author, now);
        await db.SaveChangesAsync(cancel);
        await LoadAsync(db, tenant, file.Content, cancel);
        await transaction.CommitAsync(cancel);
        return new MoveOutcome.Moved(new FileEntry(to, version, version, file.Content.Length, author, now, null, check.Findings));
    }

    /// <summary>The saves and deletions of a file, the newest first, without contents.</summary>
    public async Task<IReadOnlyList<FileSave>> HistoryAsync(TenantId tenant, string path, int most, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.FileVersions.Where(v => v.Path == path).OrderByDescending(v => v.Version).Take(most)
            .Select(v => new FileSave(v.Version, v.Author, v.SavedAt, v.Content == null, v.Faults != null)).ToListAsync(cancel);
    }

    /// <summary>The content of a file as it was saved then; null where it was deleted, or never had such a version.</summary>
    public async Task<byte[]?> VersionAsync(TenantId tenant, string path, long version, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.FileVersions.Where(v => v.Path == path && v.Version == version).Select(v => v.Content).SingleOrDefaultAsync(cancel);
    }

    /// <summary>What runs by the clock has to be known before the next event has the files loaded.</summary>
    private async Task LoadAsync(EddyDb db, TenantId tenant, byte[] content, CancellationToken cancel)
    {
        if (content.AsSpan().IndexOf("schedule"u8) >= 0)
        {
            await db.Database.ExecuteSqlAsync($"select load_files({tenant.Value}, {time.GetUtcNow()})", cancel);
        }
        else
        {
            await db.Database.ExecuteSqlAsync($"select load_files(tenant_id, {time.GetUtcNow()}) from rule_schedules where tenant_id = {tenant.Value} limit 1", cancel);
        }
    }

    private static TenantFile Put(
        EddyDb db, TenantId tenant, TenantFile? file, string path, byte[] content, long version, FileCheck check, string author, DateTimeOffset now)
    {
        if (file is null)
        {
            file = new TenantFile
            {
                TenantId = tenant.Value, Path = path, Content = content, Version = version, InForce = null, Author = author, SavedAt = now,
            };
            db.Files.Add(file);
        }

        (file.Content, file.Version, file.Faults, file.Findings, file.Author, file.SavedAt) = (content, version, check.Faults, check.Findings, author, now);
        (file.InForce, file.Rules) = check.Faults is null ? (version, check.Rules) : (file.InForce, file.Rules);
        db.FileVersions.Add(new FileVersion
        {
            TenantId = tenant.Value, Path = path, Version = version, Content = content, Faults = check.Faults, Author = author, SavedAt = now,
        });
        return file;
    }

    /// <summary>The modules in force, with what their rules read and write as JSON, null where nobody has looked yet.</summary>
    public async Task<IReadOnlyList<(string Path, long InForce, string? Rules)>> ListRulesAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        var files = await db.Files.Where(f => f.InForce != null).Select(f => new { f.Path, f.InForce, f.Rules }).ToListAsync(cancel);
        return [.. files.Where(f => FilePath.IsModule(f.Path)).OrderBy(f => f.Path, StringComparer.Ordinal).Select(f => (f.Path, f.InForce!.Value, f.Rules))];
    }

    /// <summary>Keeps what the rules of the version in force read and write, unless another came into force meanwhile.</summary>
    public async Task NoteRulesAsync(TenantId tenant, string path, long inForce, string rules, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await db.Files.Where(f => f.Path == path && f.InForce == inForce).ExecuteUpdateAsync(set => set.SetProperty(f => f.Rules, rules), cancel);
    }

    /// <summary>The content that is in force: that of the last save, or of an earlier one where that has faults. Null where there is none.</summary>
    public async Task<byte[]?> InForceAsync(TenantId tenant, string path, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.Files.Where(f => f.Path == path)
            .Join(db.FileVersions, f => new { f.Path, Version = f.InForce }, v => new { v.Path, Version = (long?)v.Version }, (f, v) => v.Content)
            .SingleOrDefaultAsync(cancel);
    }

    /// <summary>The texts in force of rules, API scripts, cards and pages, by their paths. What is no UTF-8 is left out.</summary>
    public async Task<IReadOnlyDictionary<string, string>> TextsAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        var contents = await db.Files
            .Where(f => f.Path.StartsWith("scripts/") || f.Path.StartsWith("api/") || f.Path.StartsWith("card_html_files/") || f.Path.StartsWith("pages/"))
            .Join(db.FileVersions, f => new { f.Path, Version = f.InForce }, v => new { v.Path, Version = (long?)v.Version }, (f, v) => new { f.Path, v.Content })
            .ToListAsync(cancel);
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in contents)
        {
            if (file.Content is not null && TextOf(file.Content) is { } text)
            {
                texts[file.Path] = text;
            }
        }

        return texts;
    }

    /// <summary>Takes a file out of the tree; its versions stay. Null where there is none.</summary>
    public async Task<SaveOutcome?> DeleteAsync(TenantId tenant, string path, string author, WriteCondition condition, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        await using var transaction = await db.Database.BeginTransactionAsync(cancel);
        var version = await NextVersionAsync(db, tenant, [path], cancel);
        if (await db.Files.SingleOrDefaultAsync(f => f.Path == path, cancel) is not { } file)
        {
            return null;
        }

        if (!condition.Holds(file.Version))
        {
            return new SaveOutcome.Changed(file.Version);
        }

        var now = time.GetUtcNow();
        await RemoveAsync(db, tenant, file, version, author, now, cancel);
        await db.SaveChangesAsync(cancel);
        await LoadAsync(db, tenant, file.Content, cancel);
        await transaction.CommitAsync(cancel);
        return new SaveOutcome.Saved(new FileEntry(path, version, null, 0, author, now, null, null), IsNew: false);
    }

    /// <summary>Takes a file out; requirements.txt takes its packages and its lock along.</summary>
    private static async Task RemoveAsync(EddyDb db, TenantId tenant, TenantFile file, long version, string author, DateTimeOffset now, CancellationToken cancel)
    {
        Remove(file, author);
        if (file.Path == FilePath.Requirements)
        {
            await db.PackageFiles.ExecuteDeleteAsync(cancel);
            if (await db.Files.SingleOrDefaultAsync(f => f.Path == FilePath.Lock, cancel) is { } locked)
            {
                Remove(locked, LockAuthor);
            }
        }

        void Remove(TenantFile one, string by)
        {
            db.Files.Remove(one);
            db.FileVersions.Add(new FileVersion { TenantId = tenant.Value, Path = one.Path, Version = version, Content = null, Author = by, SavedAt = now });
        }
    }

    /// <summary>
    /// What a cell loads: the texts in force under <c>scripts/</c> and <c>libraries/</c>, in the order of their paths' bytes, and the version of the tree that
    /// they are; with the data beside the libraries, and the packages. Python that is no UTF-8 is left out. Version 0 and no file where there is no such tenant.
    /// </summary>
    public async Task<(long Version, IReadOnlyList<CellFile> Files, IReadOnlyList<CellData> Data)> ReadTreeAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(TreeSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = (long)MostData } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var version = 0L;
        var files = new List<CellFile>();
        var data = new List<CellData>();
        while (await rows.ReadAsync(cancel))
        {
            version = rows.GetInt64(0);
            if (rows.IsDBNull(1))
            {
                continue;
            }

            var content = rows.GetFieldValue<byte[]>(2);
            if (rows.GetBoolean(3))
            {
                data.Add(new CellData(rows.GetString(1), content));
            }
            else if (TextOf(content) is { } text)
            {
                files.Add(new CellFile(rows.GetString(1), text));
            }
        }

        return (version, files, data);
    }

    /// <summary>What was in force at a version of the tree.</summary>
    public async Task<(IReadOnlyList<CellFile> Files, IReadOnlyList<CellData> Data)> ReadTreeAsync(TenantId tenant, long version, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(PastTreeSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = version }, new() { Value = (long)MostData } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var files = new List<CellFile>();
        var data = new List<CellData>();
        while (await rows.ReadAsync(cancel))
        {
            var content = rows.GetFieldValue<byte[]>(1);
            if (rows.GetBoolean(2))
            {
                data.Add(new CellData(rows.GetString(0), content));
            }
            else if (TextOf(content) is { } text)
            {
                files.Add(new CellFile(rows.GetString(0), text));
            }
        }

        return (files, data);
    }

    /// <summary>The tests, as they were last saved.</summary>
    public async Task<IReadOnlyList<CellFile>> ReadTestsAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        var files = await db.Files.AsNoTracking().Where(f => f.Path.StartsWith("tests/") && f.Path.EndsWith(".py")).Select(f => new { f.Path, f.Content }).ToListAsync(cancel);
        return [.. files.Where(file => FilePath.IsTest(file.Path)).OrderBy(file => file.Path, StringComparer.Ordinal).Select(file => new CellFile(file.Path, TextOf(file.Content) ?? ""))];
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

    // The tenant's row stays locked until the transaction ends: one save at a time. What runs save in workspace/ counts on from the file's own version and leaves the tree's as it is, for no
    // cell has to be loaded anew for it; the tree's overtakes it here.
    private static async Task<long> NextVersionAsync(EddyDb db, TenantId tenant, IReadOnlyList<string> paths, CancellationToken cancel)
    {
        await db.Tenants.ExecuteUpdateAsync(set => set.SetProperty(t => t.TreeVersion, t => t.TreeVersion + 1), cancel);
        // In one order, so that nobody waits for somebody who waits for them.
        foreach (var path in paths.Where(path => path.StartsWith(FilePath.Workspace, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            await db.Database.ExecuteSqlAsync($"select lock_file({tenant.Value}, {path})", cancel);
            await db.Database.ExecuteSqlAsync(
                $"update tenants set tree_version = greatest(tree_version, (select max(version) + 1 from file_versions where tenant_id = {tenant.Value} and path = {path})) where id = {tenant.Value}", cancel);
        }

        return await db.Tenants.Select(t => t.TreeVersion).SingleAsync(cancel);
    }
}

/// <summary>What became of an import.</summary>
public abstract record ImportOutcome
{
    private ImportOutcome()
    {
    }

    /// <param name="Version">The version of the tree that it made.</param>
    public sealed record Imported(long Version, int Files) : ImportOutcome
    {
        /// <summary>Runs in quarantine that are tried with the new texts.</summary>
        public int Retried { get; init; }
    }

    /// <summary>The files are not those any more that the plan was made for. Nothing was done.</summary>
    public sealed record Changed : ImportOutcome;

    /// <summary>It would be more than <see cref="FileStore.MostFiles"/> files. Nothing was done.</summary>
    public sealed record TooMany : ImportOutcome;

    /// <summary>It would be more than <see cref="GitStore.MostBytes"/> of all that was pushed. Nothing was done.</summary>
    public sealed record TooMuch : ImportOutcome;
}

/// <summary>A file, without what is in it.</summary>
/// <param name="Version">The tree version that its last save made; its ETag.</param>
/// <param name="InForce">As in <see cref="TenantFile.InForce"/>.</param>
/// <param name="Faults">What the compiler says of <paramref name="Version"/>, as JSON.</param>
public sealed record FileEntry(string Path, long Version, long? InForce, int Size, string Author, DateTimeOffset SavedAt, string? Faults, string? Findings);

/// <summary>By what somebody who has a copy of a file sees whether it is still the same.</summary>
/// <param name="Version">The tree version that its last save made; its ETag.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Of its bytes, in small hexadecimal.</param>
public sealed record FileMark(string Path, long Version, int Size, string Sha256);

/// <summary>What was found in a file before it is saved, as JSON.</summary>
/// <param name="Faults">Why it can not be in force; null where it can.</param>
/// <param name="Findings">All findings; null for none.</param>
/// <param name="Rules">What its rules read and write; null where nobody has looked.</param>
public sealed record FileCheck(string? Faults, string? Findings, string? Rules)
{
    public static readonly FileCheck Nothing = new(null, null, null);
}

/// <summary>How a save or a deletion ended.</summary>
public abstract record SaveOutcome
{
    public sealed record Saved(FileEntry File, bool IsNew) : SaveOutcome
    {
        /// <summary>How many runs that were in quarantine are tried again because of it.</summary>
        public int Retried { get; init; }
    }

    /// <summary>The file is not as the caller thought: it has this version, or is not there.</summary>
    public sealed record Changed(long? Version) : SaveOutcome;

    /// <summary>The tenant has <see cref="FileStore.MostFiles"/> files.</summary>
    public sealed record TooMany : SaveOutcome;
}

/// <summary>How a move ended.</summary>
public abstract record MoveOutcome
{
    public sealed record Moved(FileEntry File) : MoveOutcome;

    /// <summary>The file is not as the caller thought: it has this version, or is not there.</summary>
    public sealed record Changed(long? Version) : MoveOutcome;

    /// <summary>Another file is there.</summary>
    public sealed record Taken : MoveOutcome;
}

/// <summary>A save of a file, or its deletion.</summary>
public sealed record FileSave(long Version, string Author, DateTimeOffset SavedAt, bool IsDeletion, bool HasFaults);
