using System.Security.Cryptography;
using System.Text.Json;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;
using Npgsql;

namespace Eddy.Sites;

/// <summary>
/// Pages and cards as somebody types them, shown on their tenant's host for the preview beside the editor. The address is sealed, names the tenant, the session and the file, and is good for some minutes; it
/// shows nothing to whose session has ended, or who may not change files any more.
/// </summary>
public sealed class SiteDrafts(EddyDbs dbs, SiteHosts hosts, IDataProtectionProvider protection, TimeProvider time)
{
    public const string Path = Site.Ours + "/preview/";

    private static readonly TimeSpan Life = TimeSpan.FromMinutes(15);

    private readonly IDataProtector _seal = protection.CreateProtector("Eddy.Sites.SiteDrafts");

    /// <summary>Keeps a draft in the place of the one before; the answer is where it is shown.</summary>
    public async Task<Uri> KeepAsync(TenantId tenant, string slug, Guid person, Guid session, string path, string text, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var keep = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("delete from site_drafts where tenant_id = $1 and ends_at < $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = now } } },
                new("insert into site_drafts (tenant_id, person_id, path, content, ends_at) values ($1, $2, $3, $4, $5) on conflict (tenant_id, person_id, path) do update set content = excluded.content, ends_at = excluded.ends_at")
                {
                    // PostgreSQL's text has no NUL.
                    Parameters = { new() { Value = tenant.Value }, new() { Value = person }, new() { Value = path }, new() { Value = text.Replace("\0", "\ufffd", StringComparison.Ordinal) }, new() { Value = now + Life } },
                },
            },
        };
        await keep.ExecuteNonQueryAsync(cancel);
        var sealedText = WebEncoders.Base64UrlEncode(_seal.Protect(JsonSerializer.SerializeToUtf8Bytes(new DraftKey(tenant.Value, session, path, (now + Life).ToUnixTimeSeconds()))));
        return new Uri(hosts.OriginOf(slug), Path + sealedText);
    }

    /// <summary>The session and the file that an address of this tenant names; null where it is none, or has ended.</summary>
    public (Guid Session, string Path)? Read(TenantId tenant, string token)
    {
        try
        {
            return JsonSerializer.Deserialize<DraftKey>(_seal.Unprotect(WebEncoders.Base64UrlDecode(token))) is { } key && key.Tenant == tenant.Value && key.Until > time.GetUtcNow().ToUnixTimeSeconds()
                ? (key.Session, key.Path)
                : null;
        }
        catch (Exception fault) when (fault is FormatException or CryptographicException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Null where there is none any more.</summary>
    public async Task<string?> FindAsync(TenantId tenant, Guid person, string path, CancellationToken cancel)
    {
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var find = new NpgsqlCommand("select content from site_drafts where tenant_id = $1 and person_id = $2 and path = $3 and ends_at > $4", connection)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = person }, new() { Value = path }, new() { Value = time.GetUtcNow() } },
        };
        return (string?)await find.ExecuteScalarAsync(cancel);
    }

    private sealed record DraftKey(Guid Tenant, Guid Session, string Path, long Until);
}
