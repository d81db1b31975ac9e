using Npgsql;

namespace Eddy.Postgres;

/// <summary>
/// The application's login. It must be held by row-level security: web and worker refuse to start as anybody who is not.
/// </summary>
public static class AppRole
{
    private const string Sql = """
        select current_user::text, r.rolsuper, r.rolbypassrls,
          exists (select from pg_roles o where o.rolname in ('eddy_owner', 'eddy_system') and pg_has_role(current_user, o.oid, 'member'))
        from pg_roles r where r.rolname = current_user
        """;

    /// <summary>Why this login may not be used, in a sentence for the operator, or null.</summary>
    public static async Task<string?> FaultAsync(NpgsqlDataSource source, CancellationToken cancel)
    {
        await using var command = source.CreateCommand(Sql);
        await using var rows = await command.ExecuteReaderAsync(cancel);
        await rows.ReadAsync(cancel);
        var name = rows.GetString(0);
        var why = rows.GetBoolean(1) ? "is a superuser"
            : rows.GetBoolean(2) ? "may bypass row-level security"
            : rows.GetBoolean(3) ? "is a member of eddy_owner or eddy_system"
            : null;
        return why is null
            ? null
            : $"The login '{name}' {why}, so nothing would keep tenants apart. Let EDDY_APP_DB name the login eddy_app; EDDY_DB is for the migrator alone.";
    }
}
