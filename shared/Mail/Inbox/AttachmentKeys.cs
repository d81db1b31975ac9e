using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Mail.Inbox;

/// <summary>Signs addresses at which an attachment can be opened for a while. What signs is derived from the deployment's master keys; without any, there are no such addresses.</summary>
public sealed class AttachmentKeys(MasterKeys masters)
{
    private const int SignatureBytes = 16;

    private readonly IReadOnlyList<byte[]> _keys = [.. masters.All.Select(master => HKDF.DeriveKey(HashAlgorithmName.SHA256, master.Key.ToArray(), 32, info: [.. "eddy attachment 1"u8]))];

    /// <summary>What opens an attachment until then; null where there is nothing to sign with.</summary>
    public string? Sign(TenantId tenant, Guid attachment, DateTimeOffset until) => _keys.Count == 0 ? null : Sign(_keys[0], tenant, attachment, until);

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
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{tenant.Value:N} {attachment:N} {until.ToUnixTimeSeconds()}"))).AsSpan(0, SignatureBytes));
}
