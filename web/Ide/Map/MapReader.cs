using Eddy.Cards;
using Eddy.Events;
using Eddy.Files;
using Eddy.Hindsight;
using Eddy.Kvps;
using Eddy.Pages;
using Eddy.Quarantine;
using Eddy.Rules;
using Eddy.Schedules;
using Eddy.Tenants;

namespace Eddy.Ide.Map;

/// <summary>Gathers what a tenant's map is made of.</summary>
public sealed class MapReader(FileKeeper keeper, FileStore files, EventStore events, QuarantineStore quarantine, DripStore drips, TrafficStore traffic)
{
    public async Task<(TenantMap Map, Traffic Traffic)> ReadAsync(TenantId tenant, CancellationToken cancel)
    {
        var rules = await keeper.RulesAsync(tenant, cancel);
        var graph = RuleGraph.Of(rules);
        var flow = await traffic.ReadAsync(tenant, cancel);
        var texts = await files.TextsAsync(tenant, cancel);
        var clock = await drips.ListAsync(tenant, cancel);
        var byClock = clock.Select(drip => (drip.Name, (IReadOnlyList<string>)[.. ChangeList.Read(drip.Changes).Select(change => change.Key)])).ToList();

        // Whatever sets it: a rule, an event, a card's field, a drip.
        var known = texts.Where(text => CardFile.NameOf(text.Key) is not null).SelectMany(text => CardFile.Parse(text.Value).Fields.Select(field => field.Name))
            .Concat(byClock.SelectMany(drip => drip.Item2)).ToHashSet(StringComparer.Ordinal);
        known.UnionWith(await events.RecentKeysAsync(tenant, [.. graph.Unset.Select(unset => unset.Key)], cancel));
        var map = TenantMap.Of(new MapFacts(
            rules, graph, [.. graph.Unset.Where(unset => !known.Contains(unset.Key))], (await quarantine.OffAsync(tenant, cancel)).Select(off => off.Rule).ToHashSet(StringComparer.Ordinal), texts,
            [.. texts.Where(text => PagePath.IsTemplate(text.Key)).OrderBy(text => text.Key, StringComparer.Ordinal).Select(text => (text.Key, text.Value))], byClock, flow));
        return (map, flow);
    }
}
