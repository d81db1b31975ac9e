namespace Eddy.Tenants;

/// <summary>
/// Names one tenant. It is the first parameter of everything that touches a tenant's data. The last byte of the id, which
/// is random, gives the tenant's <see cref="Shard"/>; SQL computes the same from the same byte.
/// </summary>
public readonly record struct TenantId(Guid Value)
{
    /// <summary>How many shards the line of arrivals is cut into.</summary>
    public const int Shards = 64;

    /// <summary>0 to 63: the part of the line of arrivals in which this tenant waits.</summary>
    public short Shard
    {
        get
        {
            Span<byte> bytes = stackalloc byte[16];
            Value.TryWriteBytes(bytes, bigEndian: true, out _);
            return (short)(bytes[15] & (Shards - 1));
        }
    }

    public static TenantId New() => new(Guid.CreateVersion7());

    public override string ToString() => Value.ToString();
}
