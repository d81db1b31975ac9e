using CsCheck;
using Eddy.Access;

namespace Eddy.Tests.Access;

/// <summary>Actors, groups, entries and questions at random, from few names, so that they often meet.</summary>
internal static class AccessGen
{
    public static readonly string[] Keys = ["order", "order_total", "order_note", "note", "kind", "n*te"];

    public static readonly string?[] Kinds = [null, "invoice", "invoice_paid", "order"];

    public static readonly string[] Addresses = ["ann@acme.test", "bob@acme.test", "eve@else.test"];

    private static readonly string[] Groups = ["public", "registered", "admins", "sales", "support"];

    private static readonly Guid[] People = [new("00000000-0000-0000-0000-00000000000a"), new("00000000-0000-0000-0000-00000000000b")];

    public static readonly Gen<Actor> Actor = Gen.OneOf(
        Gen.Select(Gen.OneOf(0, 1), Gen.OneOf("owner", "editor", "viewer", "viewer"), Gen.Bool, (who, role, isProven) => (Actor)new Actor.OfMember(People[who], role, Addresses[who], isProven)),
        Gen.OneOf(Addresses).Select(address => (Actor)new Actor.OfAddress(address)),
        Gen.Const((Actor)new Actor.Anybody()));

    public static readonly Gen<AccessEntry> Entry = Gen.Select(
        Gen.Long[1, 1000], Gen.OneOf(Groups), Gen.OneOf("read", "set", "both"), Gen.OneOf("order", "order_*", "order_total", "n*", "*", "kind").Array[1, 2], Gen.OneOf((string?)null, "invoice", "invoice*", "*ll"), Gen.Bool,
        (id, group, may, keys, kind, isShared) => new AccessEntry(
            id, group, may is "read" or "both", may is "set" or "both", [.. keys.Select(Pattern)], isShared || kind is null or "*ll" ? null : Pattern(kind), isShared));

    /// <summary>Numbers are told apart.</summary>
    public static readonly Gen<AccessEntry[]> Entries = Entry.Array[0, 6].Select(entries => entries.DistinctBy(entry => entry.Id).ToArray());

    public static readonly Gen<AccessGroup[]> Members = Gen.Select(Gen.OneOf("admins", "sales", "support"), Gen.OneOf(Addresses).Array[0, 2], Gen.OneOf(People).Array[0, 1])
        .Select((name, addresses, people) => new AccessGroup(name, addresses.ToHashSet(), people.ToHashSet())).Array[0, 3].Select(groups => groups.DistinctBy(group => group.Name).ToArray());

    public static readonly Gen<(KeyAct Act, KvpPlace Place, string Key)> Question = Gen.Select(
        Gen.OneOf(KeyAct.Read, KeyAct.Set), Gen.Frequency((1, Gen.Const(KvpPlace.Shared)), (4, Gen.OneOf(Kinds).Select(KvpPlace.Process))), Gen.OneOf(Keys));

    public static NamePattern Pattern(string text)
    {
        NamePattern.TryParse(text, out var pattern, out var fault).ShouldBeTrue(fault);
        return pattern;
    }

    public static AccessEntry Lets(long id, string group, string may, string keys, string? kind = null, bool shared = false) =>
        new(id, group, may.Contains("read", StringComparison.Ordinal), may.Contains("set", StringComparison.Ordinal), [.. keys.Split(' ').Select(Pattern)], kind is null ? null : Pattern(kind), shared);
}
