using System.Data;
using Eddy.Files;
using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Git;

/// <summary>Reads of what a tenant's repository is made: the versions of its tree, and what was pushed. A version that is there is never changed, so neither is its commit.</summary>
public sealed class GitStore(EddyDbs dbs)
{
    /// <summary>The most bytes of all that was pushed to a tenant.</summary>
    public const long MostBytes = 512L << 20;

    // Files that are in no repository (GitPath). The index file_versions_in_git has the same condition.
    private const string InGit = $"not starts_with(path, '{FilePath.Workspace}') and path <> '{FilePath.Lock}'";

    private const string VersionsSql = $"""
        select version, coalesce(max(pushed_by), max(author), ''), max(at), max(tip),
          count(*) filter (where put)::int, min(path) filter (where put), count(*) filter (where not put)::int, min(path) filter (where not put)
        from (
          select version, author, saved_at as at, null as pushed_by, null as tip, path, content is not null as put from file_versions where tenant_id = $1 and version > $2 and {InGit}
          union all
          select version, null, at, author, tip, null, null from git_pushes where tenant_id = $1 and version > $2) one
        group by version order by version
        """;

    private const string ChangesSql = $"""
        select version, path, content from file_versions where tenant_id = $1 and version between $2 and $3 and {InGit} order by version, path collate "C"
        """;

    /// <summary>The versions after this one, in their order.</summary>
    public async Task<IReadOnlyList<GitVersion>> VersionsAsync(TenantId tenant, long after, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(VersionsSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = after } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var versions = new List<GitVersion>();
        while (await rows.ReadAsync(cancel))
        {
            versions.Add(new GitVersion(
                rows.GetInt64(0), rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(2), rows.IsDBNull(3) ? null : rows.GetString(3),
                rows.GetInt32(4), rows.IsDBNull(5) ? null : rows.GetString(5), rows.GetInt32(6), rows.IsDBNull(7) ? null : rows.GetString(7)));
        }

        return versions;
    }

    /// <summary>What the versions from one to another did, in their order, and of one version by path.</summary>
    public async Task ReadChangesAsync(TenantId tenant, long from, long to, Func<GitChange, Task> take, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ChangesSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = from }, new() { Value = to } } });
        await using var rows = await batch.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancel);
        await rows.NextResultAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            await take(new GitChange(rows.GetInt64(0), rows.GetString(1), await rows.IsDBNullAsync(2, cancel) ? null : await rows.GetFieldValueAsync<byte[]>(2, cancel)));
        }
    }

    /// <summary>Copies what was pushed as this version.</summary>
    public async Task CopyPackAsync(TenantId tenant, long version, Stream to, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select pack from git_pushes where tenant_id = $1 and version = $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = version } } });
        await using var rows = await batch.ExecuteReaderAsync(CommandBehavior.SequentialAccess, cancel);
        await rows.NextResultAsync(cancel);
        if (await rows.ReadAsync(cancel))
        {
            await using var pack = await rows.GetStreamAsync(0, cancel);
            await pack.CopyToAsync(to, cancel);
        }
    }
}
