using Eddy.Files;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Pump;

/// <summary>Reads what a tenant's cells load.</summary>
internal static class TreeReader
{
    public static async Task<CellTree> ReadAsync(FileStore files, TenantId tenant, string timeZone, CancellationToken cancel)
    {
        var (version, content) = await files.ReadTreeAsync(tenant, cancel);
        return new CellTree(tenant, version, timeZone, content);
    }
}
