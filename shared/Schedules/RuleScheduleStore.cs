using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Schedules;

/// <summary>The schedules of a tenant's rules.</summary>
public sealed class RuleScheduleStore(EddyDbs dbs)
{
    /// <summary>All by rule.</summary>
    public async Task<IReadOnlyList<RuleSchedule>> ListAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(
            """
            select rule, cron, time_zone, asked, next_at, tick_due, tick_count, last_due, last_at, last_outcome, last_reason, last_count
            from rule_schedules where tenant_id = $1 order by rule collate "C"
            """)
        {
            Parameters = { new() { Value = tenant.Value } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var schedules = new List<RuleSchedule>();
        while (await rows.ReadAsync(cancel))
        {
            schedules.Add(new RuleSchedule(
                rows.GetString(0), rows.GetString(1), rows.GetString(2), Null<string>(3), Moment(4), Moment(5), await rows.IsDBNullAsync(6, cancel) ? null : rows.GetInt64(6),
                Null<string>(9) is { } outcome ? new RuleScheduleLast(Moment(7)!.Value, Moment(8)!.Value, outcome, Null<string>(10), rows.GetInt64(11)) : null));
        }

        return schedules;

        T? Null<T>(int column) where T : class => rows.IsDBNull(column) ? null : rows.GetFieldValue<T>(column);
        DateTimeOffset? Moment(int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateTimeOffset>(column);
    }
}
