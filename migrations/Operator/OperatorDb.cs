using Eddy.Migrations;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Operator;

/// <summary>The database as the operator sees it: any tenant, one at a time.</summary>
public sealed class OperatorDb(string connectionString) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(Migrator.AsOwner(connectionString));

    public EddyDbs Dbs => new(_source);

    public EddyDb For(TenantId tenant) => Dbs.For(tenant);

    public EddyDb Global() => Dbs.Global();

    public async Task<TenantId?> FindAsync(string slug, CancellationToken cancel)
    {
        await using var find = _source.CreateCommand("select find_tenant($1)");
        find.Parameters.Add(new() { Value = slug });
        return await find.ExecuteScalarAsync(cancel) is Guid id ? new TenantId(id) : null;
    }

    public async Task<IReadOnlyList<(Guid Id, string Slug, string Name, string TimeZone)>> ListAsync(CancellationToken cancel)
    {
        await using var list = _source.CreateCommand("select id, slug, name, time_zone from list_tenants()");
        await using var rows = await list.ExecuteReaderAsync(cancel);
        var tenants = new List<(Guid, string, string, string)>();
        while (await rows.ReadAsync(cancel))
        {
            tenants.Add((rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetString(3)));
        }

        return tenants;
    }

    public async Task<TenantId> AddAsync(string slug, string name, string timeZone, DateTimeOffset now, CancellationToken cancel)
    {
        var id = TenantId.New();
        await using var db = For(id);
        db.Tenants.Add(new Tenant { Id = id.Value, Slug = slug, Name = name, TimeZone = timeZone, CreatedAt = now });
        await db.SaveChangesAsync(cancel);
        return id;
    }

    /// <summary>Doors keep what they know of a key for a while; this makes them ask again.</summary>
    public async Task KeysChangedAsync(CancellationToken cancel)
    {
        await using var notify = _source.CreateCommand("select pg_notify('eddy_keys', '')");
        await notify.ExecuteNonQueryAsync(cancel);
    }

    public ValueTask DisposeAsync() => _source.DisposeAsync();
}
