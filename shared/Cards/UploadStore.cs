using Eddy.Postgres;
using Eddy.Tenants;
using NpgsqlTypes;

namespace Eddy.Cards;

/// <summary>Keeps the files that people send with cards, where the attachments of mail are: whoever belongs to the tenant opens them, and they go when mail of that age does.</summary>
public sealed class UploadStore(EddyDbs dbs)
{
    /// <summary>Of one tenant within a day.</summary>
    public const long MostBytesOfDay = 1L << 30;

    /// <summary>False where the tenant has had as much as it may within a day.</summary>
    public async Task<bool> KeepAsync(TenantId tenant, IReadOnlyList<CardUpload> files, string actor, DateTimeOffset at, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select keep_upload($1, $2, $3, $4, $5, $6, $7, $8, $9)")
        {
            Parameters =
            {
                new() { Value = tenant.Value }, new() { Value = Guid.CreateVersion7(at) }, new() { Value = at }, new() { Value = actor }, new() { Value = MostBytesOfDay },
                new() { Value = files.Select(file => file.Id).ToArray() }, new() { Value = files.Select(file => file.Name).ToArray() }, new() { Value = files.Select(file => file.Type).ToArray() },
                new() { Value = files.Select(file => file.Content.ToArray()).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea },
            },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) && rows.GetBoolean(0);
    }
}
