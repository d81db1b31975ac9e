using System.Collections.Concurrent;
using Eddy.Files;
using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Endpoints;

/// <summary>What a web knows of a tenant for its API scripts: files and endpoints of one version, and the shared KVPs of one position.</summary>
/// <param name="Position">Of the tenant's log, not later than that of <paramref name="Shared"/>.</param>
public sealed record TenantSnapshot(CellTree Tree, IReadOnlyList<EndpointInfo> Endpoints, long Position, IReadOnlyDictionary<string, string> Shared)
{
    private readonly Dictionary<string, EndpointInfo> _byPath = Endpoints.ToDictionary(one => one.Path, StringComparer.Ordinal);

    public EndpointInfo? Find(string path) => _byPath.GetValueOrDefault(path);
}

/// <summary>
/// Takes snapshots of tenants for their API scripts: one round trip where nothing has changed, and one for all requests of a tenant that came while the one before was under way.
/// </summary>
public sealed class TenantEndpoints(EddyDbs dbs, TreeReader trees, RuleSandbox sandbox, IHostApplicationLifetime life)
{
    private const int MostKnown = 2000;

    private readonly ConcurrentDictionary<TenantId, Known> _known = new();

    /// <summary>What was there at some moment since it was asked for.</summary>
    /// <exception cref="SandboxUnavailable">No cell could tell what the files have.</exception>
    public Task<TenantSnapshot> SnapshotAsync(TenantId tenant, string timeZone, CancellationToken cancel)
    {
        if (_known.Count > MostKnown)
        {
            _known.Clear();
        }

        var known = _known.GetOrAdd(tenant, _ => new Known());
        Task<TenantSnapshot> read;
        lock (known)
        {
            // What is being read may have been looked at before this was asked; what is read next was not.
            if (known.Reading is { IsCompleted: false } reading)
            {
                read = known.Next ??= NextAsync(tenant, known, reading, timeZone);
            }
            else
            {
                read = known.Reading = ReadAsync(tenant, known, timeZone, life.ApplicationStopping);
            }
        }

        return read.WaitAsync(cancel);
    }

    private async Task<TenantSnapshot> NextAsync(TenantId tenant, Known known, Task reading, string timeZone)
    {
        await reading.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        Task<TenantSnapshot> read;
        lock (known)
        {
            known.Next = null;
            read = known.Reading = ReadAsync(tenant, known, timeZone, life.ApplicationStopping);
        }

        return await read;
    }

    private async Task<TenantSnapshot> ReadAsync(TenantId tenant, Known all, string timeZone, CancellationToken cancel)
    {
        var known = all.Snapshot;
        var (position, version, shared) = await ReadAsync(tenant, known?.Position ?? -1, cancel);
        if (known is not null && known.Position == position && known.Tree.Version == version && known.Tree.TimeZone == timeZone)
        {
            return known;
        }

        shared ??= known!.Shared;
        var (tree, endpoints) = known is not null && known.Tree.Version == version && known.Tree.TimeZone == timeZone
            ? (known.Tree, known.Endpoints)
            : await DescribeAsync(tenant, timeZone, shared, cancel);
        return all.Snapshot = new TenantSnapshot(tree, endpoints, position, shared);
    }

    /// <summary>Whether the tenant's log goes on behind this position.</summary>
    public async Task<bool> HasMovedAsync(TenantId tenant, long position, CancellationToken cancel) => (await ReadAsync(tenant, position, cancel)).Position != position;

    private async Task<(CellTree Tree, IReadOnlyList<EndpointInfo> Endpoints)> DescribeAsync(TenantId tenant, string timeZone, IReadOnlyDictionary<string, string> shared, CancellationToken cancel)
    {
        var tree = await trees.TreeAsync(tenant, timeZone, cancel);
        return (tree, tree.Files.Any(file => file.Path.StartsWith("api/", StringComparison.Ordinal)) ? await sandbox.DescribeAsync(tree, shared, cancel) : []);
    }

    /// <summary>The position first, so that it is not later than what is read with it. The shared KVPs are null where they are of the position that is known.</summary>
    private async Task<(long Position, long Version, IReadOnlyDictionary<string, string>? Shared)> ReadAsync(TenantId tenant, long known, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select coalesce((select h.position from heads h where h.tenant_id = $1), 0), t.tree_version from tenants t where t.id = $1") { Parameters = { new() { Value = tenant.Value } } });
        batch.BatchCommands.Add(new("select k.key, k.value::text from kvps k where k.tenant_id = $1 and k.pid = 0 and coalesce((select h.position from heads h where h.tenant_id = $1), 0) <> $2")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = known } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        var (position, version) = (rows.GetInt64(0), rows.GetInt64(1));
        await rows.NextResultAsync(cancel);
        var shared = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            shared[rows.GetString(0)] = KvpValue.Stored(rows.GetString(1));
        }

        return (position, version, position == known ? null : shared);
    }

    /// <summary>What is known of a tenant, and what is being read of it. Changed under its lock, <see cref="Snapshot"/> by the one reading.</summary>
    private sealed class Known
    {
        public TenantSnapshot? Snapshot { get; set; }

        public Task<TenantSnapshot>? Reading { get; set; }

        public Task<TenantSnapshot>? Next { get; set; }
    }
}
