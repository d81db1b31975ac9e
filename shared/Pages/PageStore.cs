using System.Collections.Concurrent;
using Eddy.Files;
using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Pages;

/// <summary>Reads the pages of tenants as they are in force. Those of the same version of a tree are read and parsed once.</summary>
public sealed class PageStore(EddyDbs dbs)
{
    /// <summary>How many characters of templates are kept, of all tenants.</summary>
    private const long MostKept = 64 << 20;

    // One statement, so one snapshot; what is known is not read again.
    private const string ReadSql = """
        select t.tree_version, f.path, f.content
        from tenants t
        left join lateral (
          select f.path, coalesce(v.content, f.content) as content
          from files f
          left join file_versions v on v.tenant_id = f.tenant_id and v.path = f.path and v.version = f.in_force and f.version <> f.in_force
          where f.tenant_id = t.id and f.in_force is not null and f.path like 'pages/%.html') f on t.tree_version <> $2
        where t.id = $1
        """;

    private readonly ConcurrentDictionary<TenantId, PageSet> _kept = new();
    private long _weight;

    /// <summary>The pages as they are now.</summary>
    public async Task<PageSet> ReadAsync(TenantId tenant, CancellationToken cancel)
    {
        var known = _kept.GetValueOrDefault(tenant);
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ReadSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = known?.Version ?? -1 } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var version = 0L;
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            version = rows.GetInt64(0);
            if (!rows.IsDBNull(1) && FileStore.TextOf(rows.GetFieldValue<byte[]>(2)) is { } text)
            {
                texts[rows.GetString(1)] = text;
            }
        }

        if (known is not null && known.Version == version)
        {
            return known;
        }

        var set = new PageSet(version, texts);
        if (Interlocked.Add(ref _weight, set.Weight) > MostKept)
        {
            Interlocked.Exchange(ref _weight, set.Weight);
            _kept.Clear();
        }

        return _kept[tenant] = set;
    }
}
