using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Eddy.Mail.Inbox;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail;

/// <summary>What the deployment signs addresses with: those that name a process, and those at which an attachment can be opened for a while. The first of the keys signs.</summary>
public sealed class MailKeys
{
    private const int SignatureBytes = 16;

    private readonly IReadOnlyList<byte[]> _keys;

    private MailKeys(IReadOnlyList<byte[]> keys) => _keys = keys;

    public static async Task<MailKeys> ReadAsync(NpgsqlDataSource source, CancellationToken cancel)
    {
        await using var read = source.CreateCommand("select key from mail_keys order by id desc");
        await using var rows = await read.ExecuteReaderAsync(cancel);
        var keys = new List<byte[]>();
        while (await rows.ReadAsync(cancel))
        {
            keys.Add(rows.GetFieldValue<byte[]>(0));
        }

        return new MailKeys(keys);
    }

    /// <summary>The addresses of the inboxes of this domain.</summary>
    public InboxAddresses AddressesAt(string domain) => new(domain, _keys);

    /// <summary>What opens an attachment until then.</summary>
    public string SignAttachment(TenantId tenant, Guid attachment, DateTimeOffset until) => Sign(_keys[0], tenant, attachment, until);

    /// <summary>Somebody who was given it for so long has this signature.</summary>
    public bool IsSigned(TenantId tenant, Guid attachment, DateTimeOffset until, string signature)
    {
        var holds = false;
        foreach (var key in _keys)
        {
            holds |= CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(signature), Encoding.UTF8.GetBytes(Sign(key, tenant, attachment, until)));
        }

        return holds;
    }

    private static string Sign(byte[] key, TenantId tenant, Guid attachment, DateTimeOffset until) => Convert.ToHexStringLower(
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"eddy attachment 1\0{tenant.Value:N}\0{attachment:N}\0{until.ToUnixTimeSeconds()}"))).AsSpan(0, SignatureBytes));
}
