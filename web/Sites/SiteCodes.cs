using System.Security.Cryptography;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.AspNetCore.WebUtilities;
using Npgsql;

namespace Eddy.Sites;

/// <summary>
/// The way of a member from the platform to a tenant's host. The host gives the browser a secret and sends it to the platform with that secret's hash, the state; the platform makes a code for this tenant,
/// session and state; the host takes it for the session.
/// <list type="number">
/// <item>A code is good once and for a minute, however it is shown.</item>
/// <item>At the host of another tenant it is none.</item>
/// <item>In a browser that did not begin the way it is none, so that nobody signs somebody else in as themselves.</item>
/// </list>
/// Only hashes are kept.
/// </summary>
public sealed class SiteCodes(EddyDbs dbs, TimeProvider time)
{
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(60);

    /// <summary>A secret for a browser.</summary>
    public static string NewSecret() => WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));

    /// <summary>What the platform is told of the secret.</summary>
    public static string StateOf(string secret) => WebEncoders.Base64UrlEncode(HashOf(secret));

    /// <summary>Null where the state is none.</summary>
    public async Task<string?> MakeAsync(TenantId tenant, Guid session, string state, CancellationToken cancel)
    {
        if (BytesOf(state) is not { } bytes)
        {
            return null;
        }

        var (code, now) = (NewSecret(), time.GetUtcNow());
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var make = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("delete from site_codes where tenant_id = $1 and ends_at < $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = now } } },
                new("insert into site_codes (tenant_id, hash, state, session_id, ends_at) values ($1, $2, $3, $4, $5)")
                {
                    Parameters = { new() { Value = tenant.Value }, new() { Value = HashOf(code) }, new() { Value = bytes }, new() { Value = session }, new() { Value = now + Life } },
                },
            },
        };
        await make.ExecuteNonQueryAsync(cancel);
        return code;
    }

    /// <summary>Takes a code: the session for the first who shows it with the secret of its state; null for everybody else. Whoever shows it without, uses it up.</summary>
    public async Task<Guid?> TakeAsync(TenantId tenant, string code, string secret, CancellationToken cancel)
    {
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var take = new NpgsqlCommand("delete from site_codes where tenant_id = $1 and hash = $2 returning state, session_id, ends_at", connection)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = HashOf(code) } },
        };
        await using var rows = await take.ExecuteReaderAsync(cancel);
        return await rows.ReadAsync(cancel) && CryptographicOperations.FixedTimeEquals(rows.GetFieldValue<byte[]>(0), HashOf(secret)) && rows.GetFieldValue<DateTimeOffset>(2) > time.GetUtcNow()
            ? rows.GetGuid(1)
            : null;
    }

    private static byte[] HashOf(string text) => SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text));

    private static byte[]? BytesOf(string state)
    {
        try
        {
            return state.Length == 43 && WebEncoders.Base64UrlDecode(state) is { Length: 32 } bytes ? bytes : null;
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
