using System.Collections.Concurrent;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Sites;

/// <summary>The cookies of those who have signed out at a tenant's host, so that a copy is worth nothing from then on: here at once, at other webs within a second.</summary>
public sealed class EndedSiteCookies(EddyDbs dbs, TimeProvider time)
{
    private const int MostKnown = 10_000;

    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, (long AskedAt, bool IsEnded)> _known = new();

    public async Task<bool> HasAsync(TenantId tenant, SitePass pass, CancellationToken cancel)
    {
        if (_known.TryGetValue(pass.Id, out var known) && (known.IsEnded || time.GetElapsedTime(known.AskedAt) < Freshness))
        {
            return known.IsEnded;
        }

        if (_known.Count > MostKnown)
        {
            _known.Clear();
        }

        var askedAt = time.GetTimestamp();
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select from ended_site_cookies where tenant_id = $1 and id = $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = pass.Id } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var isEnded = await rows.ReadAsync(cancel);
        // Who signed out meanwhile stays so.
        return _known.AddOrUpdate(pass.Id, (askedAt, isEnded), (_, before) => (askedAt, before.IsEnded || isEnded)).IsEnded;
    }

    public async Task EndAsync(TenantId tenant, SitePass pass, CancellationToken cancel)
    {
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var end = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("delete from ended_site_cookies where tenant_id = $1 and ends_at < $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = time.GetUtcNow() } } },
                new("insert into ended_site_cookies (tenant_id, id, ends_at) values ($1, $2, $3) on conflict do nothing")
                {
                    Parameters = { new() { Value = tenant.Value }, new() { Value = pass.Id }, new() { Value = pass.Until } },
                },
            },
        };
        await end.ExecuteNonQueryAsync(cancel);
        _known[pass.Id] = (time.GetTimestamp(), true);
    }
}
