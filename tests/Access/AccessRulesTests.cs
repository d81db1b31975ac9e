using CsCheck;
using Eddy.Access;
using Eddy.Kvps;

namespace Eddy.Tests.Access;

/// <summary>Who may do what, and why: as a function alone.</summary>
public sealed class AccessRulesTests
{
    private static readonly Actor Ann = new Actor.OfMember(Guid.NewGuid(), "editor", "ann@acme.test", IsProven: true);

    private static readonly AccessGroup Sales = new("sales", new HashSet<string> { "ann@acme.test" }, new HashSet<Guid>());

    [Fact]
    public void A_decision_names_the_entry_the_groups_and_the_reason()
    {
        var rules = new AccessRules(1, [Sales], [AccessGen.Lets(9, "sales", "set", "*"), AccessGen.Lets(4, "sales", "read set", "note order_*", "invoice"), AccessGen.Lets(5, "support", "set", "*")]);

        var yes = rules.Decide(Ann, KeyAct.Set, KvpPlace.Process("invoice"), "order_total");
        var no = rules.Decide(Ann, KeyAct.Read, KvpPlace.Process("order"), "order_total");

        yes.IsAllowed.ShouldBeTrue();
        yes.Entry!.Id.ShouldBe(4);
        yes.Entries.Select(entry => entry.Id).ShouldBe([4, 9]);
        yes.Groups.ShouldBe(["public", "registered", "sales"]);
        yes.Sentence.ShouldBe("ann@acme.test may set order_total of a process of kind invoice: they are in sales, which entry 4 lets set order_* of kind invoice.");
        (no.IsAllowed, no.Entry).ShouldBe((false, null));
        no.Sentence.ShouldBe("ann@acme.test may not read order_total of a process of kind order: no entry lets public, registered or sales do that.");
    }

    [Theory]
    [InlineData("public", "anybody may read note of a process without a kind: everybody is in public, which entry 1 lets read *.")]
    [InlineData("registered", "anybody may not read note of a process without a kind: no entry lets public do that.")]
    public void Reserved_groups_are_named_by_what_they_are(string group, string sentence) =>
        new AccessRules(1, [], [AccessGen.Lets(1, group, "read", "*")]).Decide(new Actor.Anybody(), KeyAct.Read, KvpPlace.Process(null), "note").Sentence.ShouldBe(sentence);

    [Fact]
    public void Without_entries_only_the_tenant_itself_and_its_admins_may_do_anything() =>
        Gen.Select(AccessGen.Actor, AccessGen.Members, AccessGen.Question).Sample((actor, groups, question) =>
        {
            var decision = new AccessRules(1, groups, []).Decide(actor, question.Act, question.Place, question.Key);

            decision.IsAllowed.ShouldBe(decision.Groups.Contains("admins"));
            decision.Entry.ShouldBeNull();
            AccessRules.None.Decide(new Actor.ForTenant("key:a"), question.Act, question.Place, question.Key).IsAllowed.ShouldBeTrue();
        });

    [Fact]
    public void Another_entry_takes_nothing_away() =>
        Gen.Select(AccessGen.Actor, AccessGen.Members, AccessGen.Entries, AccessGen.Entry, AccessGen.Question).Sample((actor, groups, entries, added, question) =>
        {
            var before = new AccessRules(1, groups, entries).Decide(actor, question.Act, question.Place, question.Key);
            var after = new AccessRules(2, groups, [.. entries.Where(entry => entry.Id != added.Id), .. entries.Where(entry => entry.Id == added.Id), added with { Id = 1001 }]).Decide(actor, question.Act, question.Place, question.Key);

            (!before.IsAllowed || after.IsAllowed).ShouldBeTrue();
            after.Entries.Select(entry => entry.Id).Where(id => id != 1001).ShouldBe(before.Entries.Select(entry => entry.Id));
        });

    [Fact]
    public void Another_member_of_a_group_changes_nothing_for_the_others() =>
        Gen.Select(AccessGen.Actor, AccessGen.Members, AccessGen.Entries, Gen.OneOf("sales", "support", "admins"), AccessGen.Question).Sample((actor, groups, entries, name, question) =>
        {
            var old = groups.FirstOrDefault(group => group.Name == name) ?? new AccessGroup(name, new HashSet<string>(), new HashSet<Guid>());
            var larger = old with { Addresses = old.Addresses.Append("zoe@acme.test").ToHashSet(), People = old.People.Append(Guid.NewGuid()).ToHashSet() };

            var before = new AccessRules(1, groups, entries).Decide(actor, question.Act, question.Place, question.Key);
            var after = new AccessRules(2, [.. groups.Where(group => group.Name != name), larger], entries).Decide(actor, question.Act, question.Place, question.Key);

            (after.IsAllowed, after.Sentence).ShouldBe((before.IsAllowed, before.Sentence));
        });

    [Fact]
    public void The_order_of_entries_and_groups_means_nothing() =>
        Gen.Select(AccessGen.Actor, AccessGen.Members, AccessGen.Entries, AccessGen.Question).SelectMany(all => Gen.Shuffle(all.Item3).Select(shuffled => (all, shuffled))).Sample(one =>
        {
            var ((actor, groups, entries, question), shuffled) = one;

            var a = new AccessRules(1, groups, entries).Decide(actor, question.Act, question.Place, question.Key);
            var b = new AccessRules(1, [.. groups.Reverse()], shuffled).Decide(actor, question.Act, question.Place, question.Key);

            (a.IsAllowed, a.Entry?.Id, a.Sentence).ShouldBe((b.IsAllowed, b.Entry?.Id, b.Sentence));
        });

    [Fact]
    public void An_entry_gives_nothing_to_who_is_not_in_its_group() =>
        Gen.Select(AccessGen.Actor, AccessGen.Members, AccessGen.Entries, AccessGen.Entry, AccessGen.Question).Sample((actor, groups, entries, added, question) =>
        {
            var rules = new AccessRules(1, groups, entries);
            var outside = rules.Of(actor).Groups.Contains(added.Group) ? added with { Group = "nobodys" } : added;

            var before = rules.Decide(actor, question.Act, question.Place, question.Key);
            var after = new AccessRules(2, groups, [.. entries, outside with { Id = 0 }]).Decide(actor, question.Act, question.Place, question.Key);

            (after.IsAllowed, after.Sentence).ShouldBe((before.IsAllowed, before.Sentence));
        });

    [Fact]
    public void A_decision_and_the_quick_answer_are_the_same_and_as_the_entries_say() =>
        Gen.Select(AccessGen.Actor, AccessGen.Members, AccessGen.Entries, AccessGen.Question).Sample((actor, groups, entries, question) =>
        {
            var access = new AccessRules(1, groups, entries).Of(actor);

            var expected = access.MayAll || entries.Any(entry => access.Groups.Contains(entry.Group) && (question.Act == KeyAct.Read ? entry.MayRead : entry.MaySet)
                && entry.IsShared == question.Place.IsShared && (entry.Kind is null || Like(entry.Kind.Text, question.Place.Kind)) && entry.Keys.Any(key => Like(key.Text, question.Key)));

            access.May(question.Act, question.Place, question.Key).ShouldBe(expected);
            access.Decide(question.Act, question.Place, question.Key).IsAllowed.ShouldBe(expected);
            // What may be done whatever the kind, may be done in each.
            (!access.MayInEveryKind(question.Act, question.Key) || AccessGen.Kinds.All(kind => access.May(question.Act, KvpPlace.Process(kind), question.Key))).ShouldBeTrue();

            static bool Like(string pattern, string? name) => name is not null && (pattern.EndsWith('*') ? name.StartsWith(pattern[..^1], StringComparison.Ordinal) : name == pattern);
        });

    [Fact]
    public void Owners_are_admins_members_are_registered_and_an_address_alone_is_neither()
    {
        var id = Guid.NewGuid();
        var rules = new AccessRules(1, [new AccessGroup("admins", new HashSet<string> { "eve@else.test", "bob@acme.test" }, new HashSet<Guid> { id })], []);

        rules.Of(new Actor.OfMember(Guid.NewGuid(), "owner", "o@acme.test", true)).Groups.ShouldBe(["admins", "public", "registered"]);
        rules.Of(new Actor.OfMember(id, "viewer", "v@acme.test", false)).Groups.ShouldBe(["admins", "public", "registered"]);
        rules.Of(new Actor.OfMember(Guid.NewGuid(), "viewer", "bob@acme.test", true)).MayAll.ShouldBeTrue();
        rules.Of(new Actor.OfMember(Guid.NewGuid(), "viewer", "bob@acme.test", false)).Groups.ShouldBe(["public", "registered"]);
        rules.Of(new Actor.OfAddress("eve@else.test")).Groups.ShouldBe(["public"]);
        rules.Of(new Actor.Anybody()).Groups.ShouldBe(["public"]);
    }

    [Theory]
    [InlineData("owner", true)]
    [InlineData("editor", true)]
    [InlineData("viewer", false)]
    public void Rules_are_changed_by_owners_and_editors(string role, bool may) =>
        AccessRules.None.Of(new Actor.OfMember(Guid.NewGuid(), role, "a@acme.test", true)).MayChangeRules.ShouldBe(may);

    [Theory]
    [InlineData("invoice", "order_total", "")]
    [InlineData("invoice", "order_total note", "note")]
    [InlineData(null, "order_total", "order_total")]
    [InlineData("other", "order_total note", "order_total note")]
    // It must be allowed for the kind that it had and for the one that it gets.
    [InlineData("invoice", "kind=order order_total", "order_total kind")]
    [InlineData("order", "kind=invoice order_total", "order_total kind")]
    [InlineData("new", "kind=invoice order_total", "")]
    [InlineData("new", "kind=order order_total", "order_total kind")]
    [InlineData("new", "order_total", "order_total")]
    public void What_a_change_set_makes_of_the_kind_counts_too(string? kind, string changes, string denied)
    {
        var access = new AccessRules(1, [Sales], [AccessGen.Lets(1, "sales", "set", "kind order_*", "invoice")]).Of(new Actor.OfAddress("ann@acme.test"));
        var set = changes.Split(' ').Select(change => change.Split('=')).Select(pair => new Change(pair[0], $"\"{pair.ElementAtOrDefault(1)}\"")).ToList();

        access.Denied(kind == "new" ? null : KvpPlace.Process(kind), set).Select(one => one.Key).ShouldBe(denied.Split(' ', StringSplitOptions.RemoveEmptyEntries), ignoreOrder: true);
        access.Denied(KvpPlace.Shared, set).Count.ShouldBe(set.Count);
    }

    [Theory]
    [InlineData("order_*", "order_", true)]
    [InlineData("order_*", "order_total", true)]
    [InlineData("order_*", "order", false)]
    [InlineData("order_*", "Order_total", false)]
    [InlineData("order", "order", true)]
    [InlineData("order", "order_total", false)]
    [InlineData("*", "anything at all", true)]
    public void A_pattern_is_a_name_or_how_names_begin(string pattern, string name, bool matches) => AccessGen.Pattern(pattern).Matches(name).ShouldBe(matches);

    [Theory]
    [InlineData("")]
    [InlineData("a*b")]
    [InlineData("**")]
    [InlineData("*a")]
    [InlineData("a\n")]
    public void What_is_no_pattern_is_told_in_a_sentence(string text)
    {
        NamePattern.TryParse(text, out _, out var fault).ShouldBeFalse();

        fault.ShouldNotBeNull().ShouldEndWith(".");
    }

    [Theory]
    [InlineData("Ann.Lee+x@ACME.test", "ann.lee+x@acme.test")]
    [InlineData("ann@müller.test", "ann@xn--mller-kva.test")]
    [InlineData("ann", null)]
    [InlineData("@acme.test", null)]
    [InlineData("ann@", null)]
    [InlineData("ann lee@acme.test", null)]
    [InlineData("\"ann\"@acme.test", null)]
    [InlineData("ann..lee@acme.test", null)]
    [InlineData("ann@acme.test\r\nBcc: eve@else.test", null)]
    [InlineData("Ann <ann@acme.test>", null)]
    [InlineData("ann@acme.test.", null)]
    public void An_address_has_one_form(string text, string? address)
    {
        Eddy.People.MailAddress.TryRead(text, out var read).ShouldBe(address is not null);

        read.ShouldBe(address ?? "");
    }
}
