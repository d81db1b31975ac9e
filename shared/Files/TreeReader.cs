using Eddy.Quarantine;
using Eddy.Sandbox;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Files;

/// <summary>Reads what a tenant's cells load.</summary>
public sealed class TreeReader(FileStore files, QuarantineStore quarantine, SecretKeeper secrets)
{
    /// <summary>The tree, the rules that are switched off, and how many runs each rule that keeps their order has in quarantine for which process.</summary>
    public async Task<(CellTree Tree, HashSet<string> Off, Dictionary<(string Rule, long Pid), int> Held)> ReadAsync(TenantId tenant, string timeZone, CancellationToken cancel)
    {
        // The tree first: whoever changes the others raises its version.
        var tree = await TreeAsync(tenant, timeZone, cancel);
        var (off, held) = await quarantine.StandingAsync(tenant, cancel);
        return (tree, off, held);
    }

    public async Task<CellTree> TreeAsync(TenantId tenant, string timeZone, CancellationToken cancel)
    {
        var (version, content, data) = await files.ReadTreeAsync(tenant, cancel);
        return new CellTree(tenant, version, timeZone, content) { Data = data, Secrets = await PlaceholdersAsync(tenant, cancel) };
    }

    /// <summary>The tree as it was in force at a version of it, with the secrets of now.</summary>
    public async Task<CellTree> TreeAsync(TenantId tenant, long version, string timeZone, CancellationToken cancel)
    {
        var (content, data) = await files.ReadTreeAsync(tenant, version, cancel);
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
