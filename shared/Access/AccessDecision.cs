using System.Globalization;

namespace Eddy.Access;

/// <summary>Whether an actor may do something with a KVP, and why.</summary>
public sealed class AccessDecision
{
    private const int MostShown = 64;

    private readonly ActorAccess _who;
    private readonly KeyAct _act;
    private readonly KvpPlace _place;

    internal AccessDecision(ActorAccess who, KeyAct act, KvpPlace place, string key, IReadOnlyList<AccessEntry> entries) =>
        (_who, _act, _place, Key, Entries) = (who, act, place, key, entries);

    public bool IsAllowed => _who.MayAll || Entries.Count > 0;

    public string Key { get; }

    /// <summary>The entry that decided: of those that allow it the one that is longest there. Null where none had to, or none does.</summary>
    public AccessEntry? Entry => _who.MayAll || Entries.Count == 0 ? null : Entries[0];

    /// <summary>All entries that allow it, by number.</summary>
    public IReadOnlyList<AccessEntry> Entries { get; }

    /// <summary>The groups that the actor is in, by name.</summary>
    public IReadOnlyList<string> Groups => _who.Groups;

    /// <summary>All that in words.</summary>
    public string Sentence
    {
        get
        {
            var what = $"{(_act == KeyAct.Read ? "read" : "set")} {Where()}";
            return _who.Actor is Actor.ForTenant ? $"{_who.Actor.Name} may {what}: it acts for the tenant."
                : _who.MayAll ? $"{_who.Actor.Name} may {what}: {(_who.Actor is Actor.OfMember { Role: "owner" } ? "owners" : "those in admins")} may do everything."
                : Entry is { } entry ? string.Create(CultureInfo.InvariantCulture, $"{_who.Actor.Name} may {what}: {Membership(entry.Group)}, which entry {entry.Id} lets {(_act == KeyAct.Read ? "read" : "set")} {Covered(entry)}.")
                : Refusal(Where());
        }
    }

    /// <summary>Of what is not allowed, what the actor is told at the door: the kind of a process that is there only where they may read it.</summary>
    /// <param name="stored">The process as it is, without what the actor makes of it.</param>
    public string RefusalFor(KvpPlace? stored) =>
        _place.IsShared || _place != stored || _who.May(KeyAct.Read, _place, KvpPlace.KindKey) ? Sentence : Refusal($"{Shown(Key)} of this process");

    private string Refusal(string where) => $"{_who.Actor.Name} may not {(_act == KeyAct.Read ? "read" : "set")} {where}: no entry lets {Or(_who.Groups)} do that.";

    private string Where() =>
        _place.IsShared ? $"the shared KVP {Shown(Key)}"
        : _place.Kind is { } kind ? $"{Shown(Key)} of a process of kind {Shown(kind)}"
        : $"{Shown(Key)} of a process without a kind";

    private string Covered(AccessEntry entry)
    {
        var pattern = entry.PatternFor(Key)!.Text;
        return Shown(pattern) + (entry.IsShared ? " of the shared KVPs" : entry.Kind is { } kind ? $" of kind {Shown(kind.Text)}" : "");
    }

    private static string Membership(string group) => group switch
    {
        AccessGroup.Public => "everybody is in public",
        AccessGroup.Registered => "whoever belongs to the tenant is in registered",
        _ => $"they are in {group}",
    };

    private static string Or(IReadOnlyList<string> groups) => groups.Count == 1 ? groups[0] : $"{string.Join(", ", groups.SkipLast(1))} or {groups[^1]}";

    private static string Shown(string name) => name.Length > MostShown ? name[..(char.IsHighSurrogate(name[MostShown - 2]) ? MostShown - 2 : MostShown - 1)] + "…" : name;
}
