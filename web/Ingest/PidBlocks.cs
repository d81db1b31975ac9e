using Eddy.Tenants;

namespace Eddy.Ingest;

/// <summary>
/// Process numbers that this door has drawn and not given out yet. A block doubles each time that a tenant comes back for more, so that quiet tenants waste
/// few numbers and busy ones few look-ups. Used by the writer's thread alone.
/// </summary>
internal sealed class PidBlocks
{
    private const int Largest = 1024;

    /// <summary>With more tenants than this the eldest knowledge is dropped; what is lost are numbers.</summary>
    private const int Tenants = 50_000;

    private readonly Dictionary<TenantId, Block> _blocks = [];
    private readonly Dictionary<TenantId, int> _needed = [];

    public void Need(TenantId tenant) => _needed[tenant] = _needed.GetValueOrDefault(tenant) + 1;

    /// <summary>Which tenants need how many more than they have, in the order of <see cref="Need"/> since the last time.</summary>
    public (Guid[] Tenants, int[] Counts) Lacking()
    {
        if (_blocks.Count > Tenants)
        {
            _blocks.Clear();
        }

        List<Guid>? tenants = null;
        List<int>? counts = null;
        foreach (var (tenant, needed) in _needed)
        {
            if (!_blocks.TryGetValue(tenant, out var block))
            {
                _blocks[tenant] = block = new Block();
            }

            if (block.Left < needed)
            {
                block.Size = block.Size == 0 ? 1 : Math.Min(Largest, block.Size * 2);
                block.Asked = Math.Max(needed, block.Size);
                (tenants ??= []).Add(tenant.Value);
                (counts ??= []).Add(block.Asked);
            }
        }

        _needed.Clear();
        return tenants is null ? ([], []) : ([.. tenants], [.. counts!]);
    }

    /// <summary>What was left of the block before is dropped.</summary>
    public void Drawn(TenantId tenant, long first)
    {
        var block = _blocks[tenant];
        (block.First, block.Left) = (first, block.Asked);
    }

    public long Next(TenantId tenant)
    {
        var block = _blocks[tenant];
        block.Left--;
        return block.First++;
    }

    private sealed class Block
    {
        public long First { get; set; }

        public int Left { get; set; }

        public int Size { get; set; }

        public int Asked { get; set; }
    }
}
