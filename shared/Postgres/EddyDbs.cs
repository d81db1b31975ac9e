using System.Data.Common;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;

namespace Eddy.Postgres;

/// <summary>Opens the database for one tenant, as <see cref="EddyDb"/> or as a plain connection: row-level security shows nothing else.</summary>
/// <param name="source">Its connections are reset when they are given back, so a tenant's name may stay for as long as one is open.</param>
/// <param name="batches">For batches alone, whose name ends with their transaction: a reset would cost more than most of them do. Null: as <paramref name="source"/>. Owned.</param>
public sealed class EddyDbs(NpgsqlDataSource source, NpgsqlDataSource? batches = null) : IDisposable
{
    /// <summary>
    /// What every connection asks of PostgreSQL (docs/operations.md): one plan for a statement, for to plan a look-up in partitions anew costs ten times the look-up; and
    /// none that reads a whole table because it was small when the plan was made.
    /// </summary>
    public const string PlanSettings = "-c plan_cache_mode=force_generic_plan -c jit=off -c enable_seqscan=off";

    public void Dispose() => batches?.Dispose();

    /// <summary>A context that sees this tenant's rows. One open connection per unit of work is best: open it where several statements follow.</summary>
    public EddyDb For(TenantId tenant) => new(Options(source, tenant)) { Tenant = tenant };

    /// <summary>A context for what is global: people. It sees no tenant's rows.</summary>
    public EddyDb Global() => new(Options(source, null));

    /// <summary>A connection that sees this tenant's rows. The pool's reset takes the name off again when it is returned.</summary>
    public async Task<NpgsqlConnection> OpenAsync(TenantId tenant, CancellationToken cancel)
    {
        var connection = await source.OpenConnectionAsync(cancel);
        try
        {
            await using var name = NameTenant(connection, tenant);
            await name.ExecuteNonQueryAsync(cancel);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// A batch that sees this tenant's rows: one round trip, and one transaction of its own, to which the name is held. Its first result is the name's: readers go on to
    /// the next one first.
    /// </summary>
    public NpgsqlBatch BatchFor(TenantId tenant)
    {
        var batch = (batches ?? source).CreateBatch();
        batch.BatchCommands.Add(new("select set_config('app.tenant_id', $1, true)") { Parameters = { new() { Value = tenant.ToString() } } });
        return batch;
    }

    private static DbContextOptions<EddyDb> Options(NpgsqlDataSource source, TenantId? tenant)
    {
        var options = EddyDb.Options().UseNpgsql(source);
        return tenant is { } named ? options.AddInterceptors(new TenantNaming(named)).Options : options.Options;
    }

    private static NpgsqlCommand NameTenant(NpgsqlConnection connection, TenantId tenant) =>
        new("select set_config('app.tenant_id', $1, false)", connection) { Parameters = { new() { Value = tenant.ToString() } } };

    private sealed class TenantNaming(TenantId tenant) : DbConnectionInterceptor
    {
        public override void ConnectionOpened(DbConnection connection, ConnectionEndEventData eventData)
        {
            using var name = NameTenant((NpgsqlConnection)connection, tenant);
            name.ExecuteNonQuery();
        }

        public override async Task ConnectionOpenedAsync(DbConnection connection, ConnectionEndEventData eventData, CancellationToken cancellationToken)
        {
            await using var name = NameTenant((NpgsqlConnection)connection, tenant);
            await name.ExecuteNonQueryAsync(cancellationToken);
        }
    }
}
