using System.Text;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Bench.Load;

/// <summary>A tenant of the bench and the secret of its one key.</summary>
internal sealed record BenchTenant(Guid Id, string Key);

/// <summary>Makes tenants in bulk, past the operator's command line, as rows that it would have made.</summary>
internal static class BenchTenants
{
    private const string Script = "scripts/bench.py";

    private static int _made;

    /// <summary>So many tenants, each with a key and, where a rule is given, one file that holds it.</summary>
    public static IReadOnlyList<BenchTenant> Make(NpgsqlDataSource source, int count, string? rule)
    {
        var now = TimeProvider.System.GetUtcNow();
        var keys = Enumerable.Range(0, count).Select(_ => ApiKey.Make(TenantId.New(), "bench", Scope.All, now)).ToList();
        var ids = keys.ConvertAll(key => key.Key.TenantId).ToArray();
        using var connection = source.OpenConnection();
        using var make = new NpgsqlCommand(
            """
            with t as (
              insert into tenants (id, slug, name, time_zone, tree_version, created_at)
              select id, 'bench-' || ($1 + n), 'Bench ' || ($1 + n), 'UTC', case when $6::bytea is null then 0 else 1 end, $5
              from unnest($2::uuid[]) with ordinality u(id, n)),
            k as (
              insert into api_keys (tenant_id, id, name, hash, hint, scopes, created_at)
              select tenant, id, 'bench', hash, 'eddy_bench', array['ingest', 'read', 'write'], $5
              from unnest($2::uuid[], $3::uuid[], $4::bytea[]) u(tenant, id, hash)),
            f as (
              insert into files (tenant_id, path, content, version, in_force, author, saved_at)
              select id, $7, $6, 1, 1, 'bench', $5 from unnest($2::uuid[]) id where $6 is not null)
            insert into file_versions (tenant_id, path, version, content, author, saved_at)
            select id, $7, 1, $6, 'bench', $5 from unnest($2::uuid[]) id where $6 is not null
            """,
            connection);
        make.Parameters.Add(new() { Value = _made });
        make.Parameters.Add(new() { Value = ids });
        make.Parameters.Add(new() { Value = keys.ConvertAll(key => key.Key.Id).ToArray() });
        make.Parameters.Add(new() { Value = keys.ConvertAll(key => key.Key.Hash).ToArray() });
        make.Parameters.Add(new() { Value = now.UtcDateTime });
        make.Parameters.Add(new() { Value = rule is null ? DBNull.Value : Encoding.UTF8.GetBytes(rule), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bytea });
        make.Parameters.Add(new() { Value = Script });
        make.ExecuteNonQuery();
        _made += count;
        return keys.ConvertAll(key => new BenchTenant(key.Key.TenantId, key.Secret));
    }
}
