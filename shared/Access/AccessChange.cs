using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Access;

/// <summary>A change of who may what, within its transaction and under the tenant's lock.</summary>
internal sealed class AccessChange
{
    private readonly NpgsqlConnection _connection;
    private readonly TenantId _tenant;
    private readonly string _author;
    private readonly CancellationToken _cancel;
    private long _lastEntry;

    private AccessChange(NpgsqlConnection connection, TenantId tenant, string author, DateTimeOffset at, AccessRules rules, long version, long lastEntry, CancellationToken cancel) =>
        (_connection, _tenant, _author, At, Rules, Version, _lastEntry, _cancel) = (connection, tenant, author, at, rules, version, lastEntry, cancel);

    public DateTimeOffset At { get; }

    /// <summary>What is in force before it.</summary>
    public AccessRules Rules { get; }

    /// <summary>The version that it makes.</summary>
    public long Version { get; }

    /// <summary>Something has been changed: there is a line in the audit.</summary>
    public bool IsNoted { get; private set; }

    public static async Task<AccessChange> BeginAsync(NpgsqlConnection connection, TenantId tenant, string author, DateTimeOffset at, CancellationToken cancel)
    {
        // The tenant's row stays locked until the transaction ends, as with files.
        await using (var hold = new NpgsqlCommand("select from tenants where id = $1 for update", connection) { Parameters = { new() { Value = tenant.Value } } })
        {
            await hold.ExecuteNonQueryAsync(cancel);
        }

        await using var read = new NpgsqlCommand(AccessStore.ReadSql, connection) { Parameters = { new() { Value = tenant.Value }, new() { Value = -1L } } };
        await using var rows = await read.ExecuteReaderAsync(cancel);
        return await rows.ReadAsync(cancel)
            ? new AccessChange(connection, tenant, author, at, AccessStore.RulesOf(rows), rows.GetInt64(0) + 1, rows.GetInt64(3), cancel)
            : new AccessChange(connection, tenant, author, at, AccessRules.None, 1, 0, cancel);
    }

    /// <summary>Who belongs to the tenant.</summary>
    public async Task<IReadOnlyList<Actor.OfMember>> MembersAsync()
    {
        await using var read = new NpgsqlCommand(AccessStore.MembersSql, _connection) { Parameters = { new() { Value = _tenant.Value } } };
        await using var rows = await read.ExecuteReaderAsync(_cancel);
        return await AccessStore.MembersOfAsync(rows, _cancel);
    }

    /// <summary>A number that no entry of the tenant has had.</summary>
    public long NextEntry() => ++_lastEntry;

    /// <param name="sql">Its $1 is the tenant.</param>
    public async Task WriteAsync(string sql, params object?[] parameters)
    {
        await using var write = new NpgsqlCommand(sql, _connection) { Parameters = { new() { Value = _tenant.Value } } };
        foreach (var parameter in parameters)
        {
            // Of what may be null it is text alone here.
            write.Parameters.Add(parameter is null ? new NpgsqlParameter { Value = DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text } : new NpgsqlParameter { Value = parameter });
        }

        await write.ExecuteNonQueryAsync(_cancel);
    }

    /// <summary>Leaves a line in the audit.</summary>
    /// <param name="before">JSON, or null where there was nothing.</param>
    /// <param name="after">JSON, or null where there is nothing any more.</param>
    public async Task NoteAsync(string action, string subject, string? before, string? after)
    {
        await WriteAsync(
            """
            insert into audit (tenant_id, number, at, actor, action, subject, before, after)
            select $1, 1 + coalesce((select max(number) from audit where tenant_id = $1), 0), $2, $3, $4, $5, $6::text::jsonb, $7::text::jsonb
            """,
            At, _author, action, subject, before, after);
        IsNoted = true;
    }

    /// <summary>Raises the version.</summary>
    public Task EndAsync() => WriteAsync(
        "insert into acl_versions (tenant_id, version, last_entry) values ($1, $2, $3) on conflict (tenant_id) do update set version = excluded.version, last_entry = excluded.last_entry",
        Version, _lastEntry);
}
