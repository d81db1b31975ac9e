namespace Eddy.Access;

/// <summary>A tenant's groups and entries at one moment, and what follows from them: no I/O, no clock.</summary>
/// <param name="version">Counts the changes of the tenant's groups and entries: as long as it is the same, so are they. 0: there never were any.</param>
public sealed class AccessRules(long version, IEnumerable<AccessGroup> groups, IEnumerable<AccessEntry> entries)
{
    private EntriesByKey? _byKey;

    public static AccessRules None { get; } = new(0, [], []);

    public long Version => version;

    /// <summary>By name; those that are always there only where somebody was put into them.</summary>
    public IReadOnlyList<AccessGroup> Groups { get; } = [.. groups.OrderBy(group => group.Name, StringComparer.Ordinal)];

    /// <summary>By number.</summary>
    public IReadOnlyList<AccessEntry> Entries { get; } = [.. entries.OrderBy(entry => entry.Id)];

    /// <summary>How many patterns and members there are, and one.</summary>
    internal int Weight => 1 + Entries.Sum(entry => entry.Keys.Count) + Groups.Sum(group => group.Addresses.Count + group.People.Count);

    /// <summary>What this actor may.</summary>
    public ActorAccess Of(Actor actor)
    {
        if (actor is Actor.ForTenant)
        {
            return ActorAccess.OfTenant(actor);
        }

        var names = new SortedSet<string>(StringComparer.Ordinal) { AccessGroup.Public };
        if (actor is Actor.OfMember member)
        {
            names.Add(AccessGroup.Registered);
            if (member.Role == "owner")
            {
                names.Add(AccessGroup.Admins);
            }
        }

        // An address alone does not make an admin of anybody, nor do names that say already who is in them.
        names.UnionWith(Groups.Where(group => group.Names(actor) && (!AccessGroup.IsReserved(group.Name) || (group.Name == AccessGroup.Admins && actor is Actor.OfMember))).Select(group => group.Name));
        return new ActorAccess(actor, names, _byKey ??= new EntriesByKey(Entries));
    }

    /// <summary>Whether this actor may do this, and why.</summary>
    public AccessDecision Decide(Actor actor, KeyAct act, KvpPlace place, string key) => Of(actor).Decide(act, place, key);
}
