using Eddy.Files;
using Eddy.Sandbox;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Pump;

/// <summary>Reads what a tenant's cells load.</summary>
public sealed class TreeReader(FileStore files, SecretKeeper secrets)
{
    public async Task<CellTree> ReadAsync(TenantId tenant, string timeZone, CancellationToken cancel)
    {
        var (version, content, data) = await files.ReadTreeAsync(tenant, cancel);
        return new CellTree(tenant, version, timeZone, content) { Data = data, Secrets = await PlaceholdersAsync(tenant, cancel) };
    }

    private async Task<IReadOnlyDictionary<string, string>> PlaceholdersAsync(TenantId tenant, CancellationToken cancel)
    {
        try
        {
            return (await secrets.OfAsync(tenant, cancel)).Placeholders;
        }
        catch (SecretsUnavailable)
        {
            // Whoever names one is told that there is none; rules that need none run.
            return new Dictionary<string, string>();
        }
    }
}
