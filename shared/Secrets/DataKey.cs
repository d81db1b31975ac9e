using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Eddy.Tenants;

namespace Eddy.Secrets;

/// <summary>
/// A tenant's own key, under which its secrets are sealed, and its mark, from which the placeholders are made. The key can be rotated; the mark stays, so that
/// placeholders that are stored somewhere keep their meaning. Both are zeroed with <see cref="Dispose"/>.
/// </summary>
internal sealed class DataKey : IDisposable
{
    private const int KeySize = 32;
    private const int MarkSize = 32;

    private readonly TenantId _tenant;
    private readonly byte[] _bytes;

    private DataKey(TenantId tenant, byte[] bytes) => (_tenant, _bytes) = (tenant, bytes);

    private ReadOnlySpan<byte> Key => _bytes.AsSpan(0, KeySize);

    private ReadOnlySpan<byte> Mark => _bytes.AsSpan(KeySize, MarkSize);

    public static DataKey Make(TenantId tenant) => new(tenant, RandomNumberGenerator.GetBytes(KeySize + MarkSize));

    /// <summary>A new key with the same mark.</summary>
    public DataKey Next()
    {
        var next = Make(_tenant);
        Mark.CopyTo(next._bytes.AsSpan(KeySize));
        return next;
    }

    public SealedBox Wrap(MasterKey master) => SealedBox.Seal(master.Key, _bytes, Context(_tenant, master));

    /// <summary>The key in it, or null where it is not this tenant's or not wrapped by this master key.</summary>
    public static DataKey? Unwrap(TenantId tenant, SealedBox wrapped, MasterKey master) =>
        wrapped.Open(master.Key, Context(tenant, master)) is { Length: KeySize + MarkSize } bytes ? new DataKey(tenant, bytes) : null;

    public SealedBox Seal(string name, long version, IReadOnlyList<string> hosts, ReadOnlySpan<byte> value) => SealedBox.Seal(Key, value, Context(name, version, hosts));

    /// <summary>The value, or null where the row is not as it was written: another tenant's, another name, version or hosts, or other bytes.</summary>
    public byte[]? Open(string name, long version, IReadOnlyList<string> hosts, SealedBox box) => box.Open(Key, Context(name, version, hosts));

    /// <summary>What stands for the secret of this name wherever the tenant's Python sees it: always the same, and nothing to anybody else.</summary>
    public string Placeholder(string name) =>
        SecretSet.PlaceholderPrefix + Convert.ToHexStringLower(HMACSHA256.HashData(Mark, Encoding.UTF8.GetBytes(name)).AsSpan(0, SecretSet.PlaceholderHex / 2));

    public void Dispose() => CryptographicOperations.ZeroMemory(_bytes);

    private static byte[] Context(TenantId tenant, MasterKey master) => [.. "eddy tenant key 1\0"u8, .. tenant.Value.ToByteArray(bigEndian: true), .. Encoding.UTF8.GetBytes(master.Id)];

    // The hosts too: whoever can write to the table, and no more, can not send the value elsewhere.
    private byte[] Context(string name, long version, IReadOnlyList<string> hosts)
    {
        var number = new byte[8];
        BinaryPrimitives.WriteInt64BigEndian(number, version);
        return [.. "eddy secret 1\0"u8, .. _tenant.Value.ToByteArray(bigEndian: true), .. number, .. Encoding.UTF8.GetBytes(string.Join('\0', [name, .. hosts]))];
    }
}
