using Eddy.Kvps;

namespace Eddy.Access;

/// <summary>What one actor may do with a tenant's KVPs.</summary>
public sealed class ActorAccess
{
    private readonly HashSet<string> _in;
    private readonly EntriesByKey _entries;

    internal ActorAccess(Actor actor, IReadOnlyCollection<string> groups, EntriesByKey entries)
    {
        (Actor, Groups, _in, _entries) = (actor, [.. groups], [.. groups], entries);
        MayAll = actor is Actor.ForTenant || groups.Contains(AccessGroup.Admins);
        MayChangeRules = MayAll || actor is Actor.OfMember { Role: "editor" };
    }

    public Actor Actor { get; }

    /// <summary>The groups that the actor is in, by name.</summary>
    public IReadOnlyList<string> Groups { get; }

    /// <summary>Acts for the tenant, or is in admins: may read and set everything, and change who may.</summary>
    public bool MayAll { get; }

    /// <summary>May change files and secrets, and so sees what rules print. Rules act for the tenant: what they do asks no entry.</summary>
    public bool MayChangeRules { get; }

    public static ActorAccess OfTenant(Actor actor) => new(actor, [], EntriesByKey.None);

    public bool May(KeyAct act, KvpPlace place, string key) => MayAll || _entries.About(key).Any(entry => entry.Covers(act, place) && _in.Contains(entry.Group));

    /// <summary>May do this with the key in every process, whatever its kind.</summary>
    public bool MayInEveryKind(KeyAct act, string key) => MayAll || _entries.About(key).Any(entry => entry.CoversEveryKind(act) && _in.Contains(entry.Group));

    /// <summary>The same as <see cref="May"/>, and why.</summary>
    public AccessDecision Decide(KeyAct act, KvpPlace place, string key) =>
        new(this, act, place, key, [.. _entries.About(key).Where(entry => entry.Covers(act, place) && _in.Contains(entry.Group)).DistinctBy(entry => entry.Id).OrderBy(entry => entry.Id)]);

    /// <summary>
    /// What of a change set this actor may not set; empty where all of it may be. Where the changes give a process another kind, they must be allowed for the one that it
    /// had and for the one that it gets.
    /// </summary>
    /// <param name="place">Null for a new process.</param>
    public IReadOnlyList<AccessDecision> Denied(KvpPlace? place, IReadOnlyList<Change> changes)
    {
        if (MayAll)
        {
            return [];
        }

        var denied = new List<AccessDecision>();
        var after = (place ?? KvpPlace.Process(null)).After(changes);
        foreach (var (key, _) in changes)
        {
            if (place is { } before && !May(KeyAct.Set, before, key))
            {
                denied.Add(Decide(KeyAct.Set, before, key));
            }
            else if (after != place && !May(KeyAct.Set, after, key))
            {
                denied.Add(Decide(KeyAct.Set, after, key));
            }
        }

        return denied;
    }
}
