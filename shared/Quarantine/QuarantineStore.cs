using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Quarantine;

/// <summary>A tenant's runs that failed or were put aside, and its rules that are switched off. The pump puts runs in and takes them out; people try them again, or drop them.</summary>
public sealed class QuarantineStore(EddyDbs dbs)
{
    /// <summary>The rules that are switched off, and how many runs wait of each rule that keeps their order, by process.</summary>
    public async Task<(HashSet<string> Off, Dictionary<(string Rule, long Pid), int> Held)> StandingAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select rule from rule_switches where tenant_id = $1") { Parameters = { new() { Value = tenant.Value } } });
        batch.BatchCommands.Add(new("select rule, pid, count(*)::int from quarantine where tenant_id = $1 and holds group by rule, pid") { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var off = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(cancel))
        {
            off.Add(rows.GetString(0));
        }

        await rows.NextResultAsync(cancel);
        var held = new Dictionary<(string, long), int>();
        while (await rows.ReadAsync(cancel))
        {
            held[(rows.GetString(0), rows.GetInt64(1))] = rows.GetInt32(2);
        }

        return (off, held);
    }
}
