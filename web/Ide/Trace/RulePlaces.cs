using System.Collections.Concurrent;
using Eddy.Files;
using Eddy.Push;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Ide.Trace;

/// <summary>The rules in force and where they are written, kept until something is saved.</summary>
public sealed class RulePlaces(FileKeeper files, Pulses pulses)
{
    private readonly ConcurrentDictionary<TenantId, (long Version, IReadOnlyList<PlacedRule> Rules)> _kept = new();

    /// <summary>Null where they can not be looked at now.</summary>
    public async Task<IReadOnlyList<PlacedRule>?> ReadAsync(TenantId tenant, CancellationToken cancel)
    {
        var version = (await pulses.ReadAsync(tenant)).Version;
        if (_kept.TryGetValue(tenant, out var kept) && kept.Version == version)
        {
            return kept.Rules;
        }

        try
        {
            var rules = (await files.RulesAsync(tenant, cancel)).Where(rule => rule.IsRule).ToList();
            _kept[tenant] = (version, rules);
            return rules;
        }
        catch (SandboxUnavailable)
        {
            return null;
        }
    }

    /// <summary>The lines on which rules begin, by their ids; empty where they can not be looked at now.</summary>
    public async Task<IReadOnlyDictionary<string, int>> LinesAsync(TenantId tenant, CancellationToken cancel)
    {
        var lines = new Dictionary<string, int>();
        foreach (var rule in await ReadAsync(tenant, cancel) ?? [])
        {
            lines[rule.Id] = rule.Look.Line;
        }

        return lines;
    }
}
