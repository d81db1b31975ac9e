using System.Text.Json.Serialization;
using Eddy.Access;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>
/// Who may read and set which KVPs, over HTTP: groups, entries, what was changed of them, and why somebody may do something or not. The ETag of a group or an entry is the
/// version that its last change made.
/// </summary>
public static class AccessApi
{
    private const int MostListed = 500;

    private const string GroupExample = """{"name":"sales","reserved":false,"members":["ann@acme.test"],"version":1,"changedAt":"2026-11-23T10:00:00+00:00","changedBy":"key:editor"}""";
    private const string EntryExample = """{"id":4,"group":"sales","may":["read","set"],"keys":["order_*","note"],"kind":"invoice","shared":false,"version":2,"changedAt":"2026-11-23T10:00:00+00:00","changedBy":"key:editor"}""";
    private const string EntryBody = """{"group":"sales","may":["read","set"],"keys":["order_*","note"],"kind":"invoice"}""";

    public static void MapAccess(this IEndpointRouteBuilder api)
    {
        var access = api.MapGroup("/access").WithTags("Who may");
        MapGroups(access);
        MapEntries(access);
        access.MapGet("/members", MembersAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Admin)
            .WithName("ListMembers").WithSummary("List who belongs to the tenant")
            .WithDescription("By address. Owners may do everything; what others may, groups and entries say. 'proven' is false where nobody has shown yet that the address is theirs; groups that name the address do not count then.")
            .Produces<MemberListAnswer>().Refuses(401, 403)
            .WithExample(null, """{"members":[{"id":"01a2093f-d936-75ab-922b-e2184e760374","address":"ann@acme.test","role":"editor","proven":true}]}""");
        access.MapGet("/audit", AuditAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Admin)
            .WithName("ListAccessChanges").WithSummary("List who changed who may what")
            .WithDescription("The last first, for good: who did it when, and what the group or entry was before and after.")
            .Produces<AuditAnswer>().Refuses(400, 401, 403)
            .WithExample(null, """{"changes":[{"number":1,"at":"2026-11-23T10:00:00+00:00","actor":"key:editor","action":"set-group","subject":"sales","after":{"members":["ann@acme.test"]}}],"next":null}""");
        access.MapGet("/explain", ExplainAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody)
            .WithName("ExplainAccess").WithSummary("Explain why somebody may do something, or not")
            .WithDescription(
                "'act' is read or set; 'key' the key; 'kind' the kind of the process, if it has one; with 'shared=true' the shared KVP of that key is meant. 'actor' is a mail address, key:NAME or anybody; without it, whoever asks. "
                + "To ask about others takes an owner, one of admins, or a key of the tenant's own. The answer is that by which the doors go.")
            .Produces<ExplainAnswer>().Refuses(400, 401, 403, 404)
            .WithExample(null, """{"allowed":true,"actor":"ann@acme.test","groups":["public","registered","sales"],"entry":4,"entries":[4],"sentence":"ann@acme.test may set order_total of a process of kind invoice: they are in sales, which entry 4 lets set order_* of kind invoice."}""");
    }

    private static void MapGroups(RouteGroupBuilder access)
    {
        var groups = access.MapGroup("/groups");
        groups.MapGet("/", ListGroupsAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Admin)
            .WithName("ListGroups").WithSummary("List the groups")
            .WithDescription("By name. Three are always there: everybody is in public, whoever belongs to the tenant in registered, and its owners in admins, who may do everything.")
            .Produces<GroupListAnswer>().Refuses(401, 403);
        groups.MapGet("/{name}", ReadGroupAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Admin)
            .WithName("ReadGroup").WithSummary("Read a group")
            .Produces<GroupAnswer>().Refuses(401, 403, 404)
            .WithExample(null, GroupExample);
        groups.MapPut("/{name}", SetGroupAsync).RequireScope(Scope.Write).RequirePerson(PersonKind.Admin)
            .WithName("SetGroup").WithSummary("Make a group, or change its members")
            .WithDescription(
                "The members that are sent take the place of those of before. A member is a mail address, or the id of somebody who belongs to the tenant; in admins there is room for the latter and their addresses alone. "
                + "It is in force at once. With If-Match only the version that was named is changed; with 'If-None-Match: *' only a new group is made.")
            .Accepts<GroupRequest>("application/json", ApiDescription.AnyType)
            .Produces<GroupAnswer>().Produces<GroupAnswer>(201).Refuses(400, 401, 403, 412, 413)
            .WithExample("""{"members":["ann@acme.test"]}""", GroupExample);
        groups.MapDelete("/{name}", DeleteGroupAsync).RequireScope(Scope.Write).RequirePerson(PersonKind.Admin)
            .WithName("DeleteGroup").WithSummary("Delete a group")
            .WithDescription("Not as long as an entry names it.")
            .Produces(204).Refuses(400, 401, 403, 404, 409, 412);
    }

    private static void MapEntries(RouteGroupBuilder access)
    {
        var entries = access.MapGroup("/entries");
        entries.MapGet("/", ListEntriesAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Admin)
            .WithName("ListEntries").WithSummary("List the entries")
            .WithDescription("By number. Their order means nothing: what one entry lets somebody do, no other takes away.")
            .Produces<EntryListAnswer>().Refuses(401, 403);
        entries.MapGet("/{id:long:min(1)}", ReadEntryAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Admin)
            .WithName("ReadEntry").WithSummary("Read an entry")
            .Produces<EntryAnswer>().Refuses(401, 403, 404)
            .WithExample(null, EntryExample);
        entries.MapPost("/", (HttpContext context, AccessStore store, CancellationToken cancel) => SetEntryAsync(context, null, store, cancel)).RequireScope(Scope.Write).RequirePerson(PersonKind.Admin)
            .WithName("AddEntry").WithSummary("Add an entry")
            .WithDescription(
                "Lets a group read or set keys. A key is named as it is, or by how it begins, as in order_*; * is all. 'kind' names the kinds of processes in the same way, without it all processes are meant; "
                + "with 'shared' the shared KVPs are, and no process. It is in force at once.")
            .Accepts<EntryRequest>("application/json", ApiDescription.AnyType)
            .Produces<EntryAnswer>(201).Refuses(400, 401, 403, 413)
            .WithExample(EntryBody, EntryExample);
        entries.MapPut("/{id:long:min(1)}", (HttpContext context, long id, AccessStore store, CancellationToken cancel) => SetEntryAsync(context, id, store, cancel)).RequireScope(Scope.Write).RequirePerson(PersonKind.Admin)
            .WithName("SetEntry").WithSummary("Change an entry")
            .WithDescription("Puts another in its place. With If-Match only the version that was named is changed.")
            .Accepts<EntryRequest>("application/json", ApiDescription.AnyType)
            .Produces<EntryAnswer>().Refuses(400, 401, 403, 404, 412, 413)
            .WithExample(EntryBody, EntryExample);
        entries.MapDelete("/{id:long:min(1)}", DeleteEntryAsync).RequireScope(Scope.Write).RequirePerson(PersonKind.Admin)
            .WithName("DeleteEntry").WithSummary("Delete an entry")
            .Produces(204).Refuses(401, 403, 404, 412);
    }

    private static async Task<IResult> ListGroupsAsync(HttpContext context, AccessStore store, CancellationToken cancel)
    {
        var rules = await store.ReadAsync(context.Holder().Tenant, cancel);
        return Results.Ok(new GroupListAnswer([.. ReservedGroups(rules).Concat(rules.Groups).OrderBy(group => group.Name, StringComparer.Ordinal).Select(GroupAnswer.Of)]));
    }

    private static async Task<IResult> ReadGroupAsync(HttpContext context, string name, AccessStore store, CancellationToken cancel)
    {
        var rules = await store.ReadAsync(context.Holder().Tenant, cancel);
        if (rules.Groups.Concat(ReservedGroups(rules)).FirstOrDefault(group => group.Name == name) is not { } found)
        {
            return NoGroup();
        }

        if (found.Version > 0)
        {
            context.Response.Headers.ETag = Precondition.ETag(found.Version);
        }

        return Results.Ok(GroupAnswer.Of(found));
    }

    private static async Task<IResult> SetGroupAsync(HttpContext context, string name, AccessStore store, CancellationToken cancel)
    {
        if (name is AccessGroup.Public or AccessGroup.Registered)
        {
            return new Problem(ProblemType.InvalidRequest, name == AccessGroup.Public ? "Everybody is in public: nobody is put there." : "Whoever belongs to the tenant is in registered: nobody else is put there.");
        }

        if (AccessGroup.NameFault(name) is { } fault)
        {
            return new Problem(ProblemType.InvalidRequest, fault);
        }

        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        if (await RequestBody.ReadAsync(context.Request, AccessBody.MostBytes, cancel) is not { } json)
        {
            return new Problem(ProblemType.BodyTooLarge, $"A group is sent in at most {AccessBody.MostBytes} bytes.");
        }

        if (AccessBody.ReadGroup(json, out problem) is not var (addresses, people))
        {
            return problem!;
        }

        var holder = context.Holder();
        var outcome = await store.SetGroupAsync(holder.Tenant, name, addresses, people, holder.Actor, condition, cancel);
        if (outcome is not AccessOutcome.GroupSet set)
        {
            return ProblemOf(outcome, $"The group {name}");
        }

        context.Response.Headers.ETag = Precondition.ETag(set.Group.Version);
        var answer = GroupAnswer.Of(set.Group);
        return set.IsNew ? Results.Created(context.Request.Path.ToUriComponent(), answer) : Results.Ok(answer);
    }

    private static async Task<IResult> DeleteGroupAsync(HttpContext context, string name, AccessStore store, CancellationToken cancel)
    {
        if (AccessGroup.IsReserved(name))
        {
            return new Problem(ProblemType.InvalidRequest, $"{name} is always there.");
        }

        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        var holder = context.Holder();
        var outcome = await store.DeleteGroupAsync(holder.Tenant, name, holder.Actor, condition, cancel);
        return outcome is AccessOutcome.Deleted ? Results.NoContent() : outcome is AccessOutcome.NotThere ? NoGroup() : ProblemOf(outcome, $"The group {name}");
    }

    private static async Task<IResult> ListEntriesAsync(HttpContext context, AccessStore store, CancellationToken cancel) =>
        Results.Ok(new EntryListAnswer([.. (await store.ReadAsync(context.Holder().Tenant, cancel)).Entries.Select(EntryAnswer.Of)]));

    private static async Task<IResult> ReadEntryAsync(HttpContext context, long id, AccessStore store, CancellationToken cancel)
    {
        if ((await store.ReadAsync(context.Holder().Tenant, cancel)).Entries.FirstOrDefault(entry => entry.Id == id) is not { } found)
        {
            return NoEntry(id);
        }

        context.Response.Headers.ETag = Precondition.ETag(found.Version);
        return Results.Ok(EntryAnswer.Of(found));
    }

    private static async Task<IResult> SetEntryAsync(HttpContext context, long? id, AccessStore store, CancellationToken cancel)
    {
        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        if (await RequestBody.ReadAsync(context.Request, AccessBody.MostBytes, cancel) is not { } json)
        {
            return new Problem(ProblemType.BodyTooLarge, $"An entry is sent in at most {AccessBody.MostBytes} bytes.");
        }

        if (AccessBody.ReadEntry(json, out problem) is not { } wanted)
        {
            return problem!;
        }

        var holder = context.Holder();
        var outcome = await store.SetEntryAsync(holder.Tenant, id, wanted, holder.Actor, condition, cancel);
        if (outcome is not AccessOutcome.EntrySet set)
        {
            return outcome is AccessOutcome.NotThere ? NoEntry(id!.Value) : ProblemOf(outcome, $"Entry {id}");
        }

        context.Response.Headers.ETag = Precondition.ETag(set.Entry.Version);
        var answer = EntryAnswer.Of(set.Entry);
        return set.IsNew ? Results.Created($"/api/access/entries/{set.Entry.Id}", answer) : Results.Ok(answer);
    }

    private static async Task<IResult> DeleteEntryAsync(HttpContext context, long id, AccessStore store, CancellationToken cancel)
    {
        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        var holder = context.Holder();
        var outcome = await store.DeleteEntryAsync(holder.Tenant, id, holder.Actor, condition, cancel);
        return outcome is AccessOutcome.Deleted ? Results.NoContent() : outcome is AccessOutcome.NotThere ? NoEntry(id) : ProblemOf(outcome, $"Entry {id}");
    }

    private static async Task<IResult> MembersAsync(HttpContext context, AccessStore store, CancellationToken cancel) =>
        Results.Ok(new MemberListAnswer([.. (await store.MembersAsync(context.Holder().Tenant, cancel)).Select(member => new MemberAnswer(member.Person, member.Address, member.Role, member.IsProven))]));

    private static async Task<IResult> AuditAsync(HttpContext context, AccessStore store, CancellationToken cancel, int limit = 100, string? cursor = null)
    {
        if (Limit.Fault(limit, MostListed) is { } fault)
        {
            return fault;
        }

        long? beyond = null;
        if (cursor is not null)
        {
            if (!Cursor.TryRead(cursor, out var last))
            {
                return Cursor.Fault(cursor);
            }

            beyond = last;
        }

        var page = await store.AuditAsync(context.Holder().Tenant, beyond, limit, cancel);
        var next = page.Next is { } end ? Cursor.Of(end) : null;
        if (next is not null)
        {
            Cursor.LinkNext(context, "cursor", next);
        }

        return Results.Ok(new AuditAnswer([.. page.Items.Select(AuditLineAnswer.Of)], next));
    }

    private static async Task<IResult> ExplainAsync(
        HttpContext context, AccessStore store, CancellationToken cancel, string? act = null, string? key = null, string? kind = null, bool shared = false, string? actor = null)
    {
        if (act is not ("read" or "set"))
        {
            return new Problem(ProblemType.InvalidRequest, "'act' is read or set.");
        }

        if (key is null || KvpKey.Fault(key) is not null)
        {
            return new Problem(ProblemType.InvalidRequest, $"'key' is the key that is meant: {(key is null ? "it is not there." : KvpKey.Fault(key))}");
        }

        if (kind is not null && (shared || kind.Length > KvpLookup.MaxCharacters))
        {
            return new Problem(ProblemType.InvalidRequest, shared ? "The shared KVPs have no kind." : $"'kind' has at most {KvpLookup.MaxCharacters} characters.");
        }

        var (tenant, who) = (context.Holder().Tenant, context.Access());
        if (actor is not null && actor != who.Actor.Name)
        {
            if (!who.MayAll)
            {
                return new Problem(ProblemType.NotAllowed, $"{who.Actor.Name} may ask about themselves alone; to ask about others takes an owner of the tenant or one of admins.");
            }

            if (await store.FindActorAsync(tenant, actor, cancel) is not { } found)
            {
                return actor.StartsWith(KeyPrefix, StringComparison.Ordinal)
                    ? new Problem(ProblemType.NotFound, "There is no key of this name in force.")
                    : new Problem(ProblemType.InvalidRequest, "'actor' is a mail address, key:NAME, or anybody.");
            }

            who = await store.OfAsync(tenant, found, cancel);
        }

        return Results.Ok(ExplainAnswer.Of(who.Actor, who.Decide(act == "read" ? KeyAct.Read : KeyAct.Set, shared ? KvpPlace.Shared : KvpPlace.Process(kind), key)));
    }

    private const string KeyPrefix = "key:";

    /// <summary>Those that are always there and that nothing was written down of.</summary>
    private static IEnumerable<AccessGroup> ReservedGroups(AccessRules rules) =>
        new[] { AccessGroup.Admins, AccessGroup.Public, AccessGroup.Registered }.Where(name => rules.Groups.All(group => group.Name != name))
            .Select(name => new AccessGroup(name, new HashSet<string>(), new HashSet<Guid>()));

    private static Problem NoGroup() => new(ProblemType.NotFound, "There is no group of this name.");

    private static Problem NoEntry(long id) => new(ProblemType.NotFound, $"There is no entry {id}.");

    private static Problem ProblemOf(AccessOutcome outcome, string what) => outcome switch
    {
        AccessOutcome.Changed changed => Precondition.Changed(what, changed.Version),
        AccessOutcome.TooMany full => new Problem(ProblemType.TooMany, full.Why),
        AccessOutcome.Unknown unknown => new Problem(ProblemType.InvalidRequest, unknown.Why),
        AccessOutcome.InUse used => new Problem(ProblemType.InUse, $"{(used.Entries.Count == 1 ? "Entry" : "Entries")} {string.Join(", ", used.Entries)} {(used.Entries.Count == 1 ? "names" : "name")} it; delete {(used.Entries.Count == 1 ? "that" : "those")} first, or let {(used.Entries.Count == 1 ? "it" : "them")} name another group."),
        _ => throw new InvalidOperationException($"A change ended as {outcome.GetType().Name}."),
    };
}

/// <summary>The members of a group.</summary>
/// <param name="Members">Mail addresses, and ids of people who belong to the tenant.</param>
public sealed record GroupRequest(IReadOnlyList<string> Members);

/// <summary>A group.</summary>
/// <param name="Reserved">It is always there: public, registered or admins.</param>
/// <param name="Members">Who was put there: mail addresses, and ids of people who belong to the tenant.</param>
/// <param name="Version">Its ETag; 0 where nothing was written down of it yet.</param>
public sealed record GroupAnswer(string Name, bool Reserved, IReadOnlyList<string> Members, long Version, DateTimeOffset? ChangedAt, string? ChangedBy)
{
    internal static GroupAnswer Of(AccessGroup group) => new(
        group.Name, AccessGroup.IsReserved(group.Name), [.. group.Addresses.Order(StringComparer.Ordinal), .. group.People.Order().Select(person => person.ToString())],
        group.Version, group.Version == 0 ? null : group.ChangedAt, group.Version == 0 ? null : group.ChangedBy);
}

public sealed record GroupListAnswer(IReadOnlyList<GroupAnswer> Groups);

/// <summary>What a group may.</summary>
/// <param name="May">read, set, or both.</param>
/// <param name="Keys">order_total, that key alone; order_*, all that begin so; *, all.</param>
/// <param name="Kind">The kinds of processes, named as keys are; null for all processes.</param>
/// <param name="Shared">It is about the shared KVPs, and about no process.</param>
public sealed record EntryRequest(string Group, IReadOnlyList<string> May, IReadOnlyList<string> Keys, string? Kind = null, bool Shared = false);

/// <summary>An entry: what a group may.</summary>
/// <param name="Id">Its number in the tenant, which never comes twice.</param>
/// <param name="May">read, set, or both.</param>
/// <param name="Kind">The kinds of processes; null for all processes, or where it is about the shared KVPs.</param>
/// <param name="Version">Its ETag.</param>
public sealed record EntryAnswer(
    long Id, string Group, IReadOnlyList<string> May, IReadOnlyList<string> Keys, string? Kind, bool Shared, long Version, DateTimeOffset ChangedAt, string ChangedBy)
{
    internal static EntryAnswer Of(AccessEntry entry) => new(
        entry.Id, entry.Group, entry.Acts, [.. entry.Keys.Select(pattern => pattern.Text)], entry.Kind?.Text, entry.IsShared, entry.Version, entry.ChangedAt, entry.ChangedBy);
}

public sealed record EntryListAnswer(IReadOnlyList<EntryAnswer> Entries);

/// <summary>Somebody who belongs to the tenant.</summary>
/// <param name="Role">owner, editor or viewer.</param>
/// <param name="Proven">Somebody has shown that the address is theirs.</param>
public sealed record MemberAnswer(Guid Id, string Address, string Role, bool Proven);

public sealed record MemberListAnswer(IReadOnlyList<MemberAnswer> Members);

/// <summary>One change of what people may.</summary>
/// <param name="Action">set-group, delete-group, set-entry, delete-entry, set-member, remove-member or add-key.</param>
/// <param name="Subject">The group's name, the entry's number, the member's address or the key's name.</param>
/// <param name="Before">What it was; not there where it was not.</param>
/// <param name="After">What it is; not there where it is gone.</param>
public sealed record AuditLineAnswer(
    long Number, DateTimeOffset At, string Actor, string Action, string Subject,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? Before,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] RawJson? After)
{
    internal static AuditLineAnswer Of(AuditLine line) => new(line.Number, line.At, line.Actor, line.Action, line.Subject, RawJson.OrNull(line.Before), RawJson.OrNull(line.After));
}

/// <summary>A page of changes.</summary>
/// <param name="Next">The 'cursor' of the next page; null at the end.</param>
public sealed record AuditAnswer(IReadOnlyList<AuditLineAnswer> Changes, string? Next);

/// <summary>Whether somebody may do something, and why.</summary>
/// <param name="Groups">Those that they are in.</param>
/// <param name="Entry">The entry that decided; null where none had to, or none allows it.</param>
/// <param name="Entries">All entries that allow it.</param>
public sealed record ExplainAnswer(bool Allowed, string Actor, IReadOnlyList<string> Groups, long? Entry, IReadOnlyList<long> Entries, string Sentence)
{
    internal static ExplainAnswer Of(Actor actor, AccessDecision decision) =>
        new(decision.IsAllowed, actor.Name, decision.Groups, decision.Entry?.Id, [.. decision.Entries.Select(entry => entry.Id)], decision.Sentence);
}
