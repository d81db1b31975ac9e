using System.Collections.Concurrent;
using System.Text.Json;
using Eddy.People;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Access;

/// <summary>
/// A tenant's groups and entries in the database. Changes of one tenant follow one another, and each leaves a line in the audit; whoever asks after one has been committed
/// is judged by it.
/// </summary>
public sealed class AccessStore(EddyDbs dbs, TimeProvider time)
{
    public const int MostGroups = 100;
    public const int MostMembers = 1000;
    public const int MostEntries = 500;

    /// <summary>Of all groups together.</summary>
    public const int MostMembersInAll = 20_000;

    /// <summary>The most patterns of keys, of all entries together.</summary>
    public const int MostPatternsInAll = 5000;

    /// <summary>How many patterns and members of all tenants are kept, to be used as long as their version is the same.</summary>
    private const int MostKept = 500_000;

    // One statement, so one snapshot. What is known is not read again.
    internal const string ReadSql = """
        select v.version,
          case when v.version <> $2 then (select jsonb_agg(to_jsonb(g)) from groups g where g.tenant_id = $1)::text end,
          case when v.version <> $2 then (select jsonb_agg(to_jsonb(a)) from acl a where a.tenant_id = $1)::text end,
          v.last_entry
        from acl_versions v where v.tenant_id = $1
        """;

    internal const string MembersSql = """
        select m.person_id, m.role, p.email, p.email_confirmed, p.name
        from members m join people p on p.id = m.person_id
        where m.tenant_id = $1 and p.email is not null
        """;

    private static readonly JsonSerializerOptions Rows = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    private readonly ConcurrentDictionary<TenantId, AccessRules> _kept = new();
    private int _keptWeight;

    /// <summary>The tenant's groups and entries as they are now.</summary>
    public async Task<AccessRules> ReadAsync(TenantId tenant, CancellationToken cancel)
    {
        var known = _kept.GetValueOrDefault(tenant);
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(ReadSql) { Parameters = { new() { Value = tenant.Value }, new() { Value = known?.Version ?? -1 } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        if (!await rows.ReadAsync(cancel))
        {
            return AccessRules.None;
        }

        if (known?.Version == rows.GetInt64(0))
        {
            return known;
        }

        // What is replaced counts until all is thrown away, which costs the next of each tenant a longer read.
        var rules = RulesOf(rows);
        if (Interlocked.Add(ref _keptWeight, rules.Weight) > MostKept)
        {
            Interlocked.Exchange(ref _keptWeight, rules.Weight);
            _kept.Clear();
        }

        return _kept[tenant] = rules;
    }

    /// <summary>What an actor may do now.</summary>
    public async Task<ActorAccess> OfAsync(TenantId tenant, Actor actor, CancellationToken cancel) =>
        actor is Actor.ForTenant ? ActorAccess.OfTenant(actor) : (await ReadAsync(tenant, cancel)).Of(actor);

    /// <summary>Who belongs to the tenant, by address.</summary>
    public async Task<IReadOnlyList<Actor.OfMember>> MembersAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(MembersSql) { Parameters = { new() { Value = tenant.Value } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var members = await MembersOfAsync(rows, cancel);
        members.Sort((a, b) => string.CompareOrdinal(a.Address, b.Address));
        return members;
    }

    /// <summary>Who acts where this address does: whoever belongs to the tenant and has shown that it is theirs, else the address alone.</summary>
    /// <param name="address">In the form of <see cref="People.MailAddress"/>; the door has seen to it that it is the sender's.</param>
    public async Task<Actor> ActorAsync(TenantId tenant, string address, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new(MembersSql + " and p.email_confirmed and p.normalized_email = $2") { Parameters = { new() { Value = tenant.Value }, new() { Value = address.ToUpperInvariant() } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? MemberOf(rows) : new Actor.OfAddress(address);
    }

    /// <summary>Who is named so: a mail address, <c>key:NAME</c>, or <c>anybody</c>; null where that is nobody.</summary>
    public async Task<Actor?> FindActorAsync(TenantId tenant, string name, CancellationToken cancel)
    {
        const string key = "key:";
        return name == "anybody" ? new Actor.Anybody()
            : name.StartsWith(key, StringComparison.Ordinal) && !name.Contains('\0') ? await KeyActorAsync(tenant, name[key.Length..], cancel)
            : People.MailAddress.TryRead(name, out var address) ? await ActorAsync(tenant, address, cancel)
            : null;
    }

    /// <summary>Who acts by the key of this name; null where no such key is in force.</summary>
    public async Task<Actor?> KeyActorAsync(TenantId tenant, string name, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select person_id from api_keys where tenant_id = $1 and name = $2 and revoked_at is null") { Parameters = { new() { Value = tenant.Value }, new() { Value = name } } });
        batch.BatchCommands.Add(new(MembersSql + " and m.person_id = (select person_id from api_keys where tenant_id = $1 and name = $2 and revoked_at is null)")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = name } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        if (!await rows.ReadAsync(cancel))
        {
            return null;
        }

        if (rows.IsDBNull(0))
        {
            return new Actor.ForTenant($"key:{name}");
        }

        await rows.NextResultAsync(cancel);
        return await rows.ReadAsync(cancel) ? MemberOf(rows) : null;
    }

    /// <summary>Makes a group, or gives it other members.</summary>
    /// <param name="name">Checked by <see cref="AccessGroup.NameFault"/>; admins, or a name that is not reserved.</param>
    /// <param name="addresses">In the form of <see cref="People.MailAddress"/>.</param>
    public Task<AccessOutcome> SetGroupAsync(
        TenantId tenant, string name, IReadOnlyCollection<string> addresses, IReadOnlyCollection<Guid> people, string author, WriteCondition condition, CancellationToken cancel) =>
        ChangeAsync(tenant, author, async change =>
        {
            var old = change.Rules.Groups.FirstOrDefault(group => group.Name == name);
            if (!condition.Holds(old?.Version))
            {
                return new AccessOutcome.Changed(old?.Version);
            }

            if (old is null && change.Rules.Groups.Count >= MostGroups)
            {
                return new AccessOutcome.TooMany($"A tenant has at most {MostGroups} groups; delete one that is not needed.");
            }

            if (change.Rules.Groups.Where(group => group.Name != name).Sum(group => group.Addresses.Count + group.People.Count) + addresses.Count + people.Count > MostMembersInAll)
            {
                return new AccessOutcome.TooMany($"A tenant's groups have at most {MostMembersInAll} members together.");
            }

            var members = await change.MembersAsync();
            if (people.Where(person => members.All(member => member.Person != person)).Select(person => (Guid?)person).FirstOrDefault() is { } stranger)
            {
                return new AccessOutcome.Unknown($"Nobody who belongs to the tenant has the id {stranger}; GET /api/access/members lists who does.");
            }

            if (name == AccessGroup.Admins && addresses.FirstOrDefault(address => members.All(member => !member.IsProven || member.Address != address)) is { } address)
            {
                return new AccessOutcome.Unknown($"{address} can not be put into admins, because nobody who belongs to the tenant has that address.");
            }

            var group = new AccessGroup(name, addresses.ToHashSet(StringComparer.Ordinal), people.ToHashSet()) { Version = change.Version, ChangedAt = change.At, ChangedBy = author };
            await change.WriteAsync(
                """
                insert into groups (tenant_id, name, addresses, people, version, changed_at, changed_by) values ($1, $2, $3, $4, $5, $6, $7)
                on conflict (tenant_id, name) do update
                set addresses = excluded.addresses, people = excluded.people, version = excluded.version, changed_at = excluded.changed_at, changed_by = excluded.changed_by
                """,
                name, group.Addresses.Order(StringComparer.Ordinal).ToArray(), group.People.Order().ToArray(), change.Version, change.At, author);
            await change.NoteAsync("set-group", name, GroupRow.TextOf(old), GroupRow.TextOf(group));
            return new AccessOutcome.GroupSet(group, old is null);
        }, cancel);

    /// <summary>Takes somebody who belongs to the tenant no more out of the groups that they were in as a person, and out of admins; the answer is the groups that still name their address.</summary>
    public async Task<IReadOnlyList<string>> ForgetPersonAsync(TenantId tenant, Guid person, string address, string author, CancellationToken cancel)
    {
        // Only who belongs to the tenant can be written down again; others who left go with them.
        var members = await MembersAsync(tenant, cancel);
        foreach (var group in (await ReadAsync(tenant, cancel)).Groups.Where(group => group.People.Contains(person) || (group.Name == AccessGroup.Admins && group.Addresses.Contains(address))))
        {
            var addresses = group.Addresses.Where(one => group.Name != AccessGroup.Admins || members.Any(member => member.IsProven && member.Address == one));
            await SetGroupAsync(tenant, group.Name, [.. addresses], [.. group.People.Where(one => members.Any(member => member.Person == one))], author, WriteCondition.None, cancel);
        }

        return [.. (await ReadAsync(tenant, cancel)).Groups.Where(group => group.Addresses.Contains(address)).Select(group => group.Name)];
    }

    /// <summary>Deletes a group that no entry names.</summary>
    public Task<AccessOutcome> DeleteGroupAsync(TenantId tenant, string name, string author, WriteCondition condition, CancellationToken cancel) =>
        ChangeAsync(tenant, author, async change =>
        {
            var old = change.Rules.Groups.FirstOrDefault(group => group.Name == name);
            if (old is null || !condition.Holds(old.Version))
            {
                return old is null ? new AccessOutcome.NotThere() : new AccessOutcome.Changed(old.Version);
            }

            // Else a group that is made later by this name would have what it has not been given.
            if (change.Rules.Entries.Where(entry => entry.Group == name).Select(entry => entry.Id).ToList() is { Count: > 0 } entries)
            {
                return new AccessOutcome.InUse(entries);
            }

            await change.WriteAsync("delete from groups where tenant_id = $1 and name = $2", name);
            await change.NoteAsync("delete-group", name, GroupRow.TextOf(old), null);
            return new AccessOutcome.Deleted();
        }, cancel);

    /// <summary>Makes an entry, where <paramref name="id"/> is null, or puts another in the place of one that is there.</summary>
    /// <param name="wanted">Its number does not count.</param>
    public Task<AccessOutcome> SetEntryAsync(TenantId tenant, long? id, AccessEntry wanted, string author, WriteCondition condition, CancellationToken cancel) =>
        ChangeAsync(tenant, author, async change =>
        {
            var old = id is null ? null : change.Rules.Entries.FirstOrDefault(entry => entry.Id == id);
            if (id is not null && old is null)
            {
                return new AccessOutcome.NotThere();
            }

            if (id is not null && !condition.Holds(old!.Version))
            {
                return new AccessOutcome.Changed(old.Version);
            }

            if (old is null && change.Rules.Entries.Count >= MostEntries)
            {
                return new AccessOutcome.TooMany($"A tenant has at most {MostEntries} entries; delete one that is not needed, or let one have more patterns.");
            }

            if (change.Rules.Entries.Where(entry => entry.Id != id).Sum(entry => entry.Keys.Count) + wanted.Keys.Count > MostPatternsInAll)
            {
                return new AccessOutcome.TooMany($"A tenant's entries name at most {MostPatternsInAll} keys together; name several at once by how they begin, as in order_*.");
            }

            if (!AccessGroup.IsReserved(wanted.Group) && change.Rules.Groups.All(group => group.Name != wanted.Group))
            {
                return new AccessOutcome.Unknown($"There is no group {wanted.Group}; make it with PUT /api/access/groups/{wanted.Group}.");
            }

            var entry = wanted with { Id = id ?? change.NextEntry(), Version = change.Version, ChangedAt = change.At, ChangedBy = author };
            await change.WriteAsync(
                """
                insert into acl (tenant_id, id, group_name, may_read, may_set, keys, kind, shared, version, changed_at, changed_by) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
                on conflict (tenant_id, id) do update
                set group_name = excluded.group_name, may_read = excluded.may_read, may_set = excluded.may_set, keys = excluded.keys, kind = excluded.kind, shared = excluded.shared,
                  version = excluded.version, changed_at = excluded.changed_at, changed_by = excluded.changed_by
                """,
                entry.Id, entry.Group, entry.MayRead, entry.MaySet, entry.Keys.Select(pattern => pattern.Text).ToArray(), entry.Kind?.Text, entry.IsShared, change.Version, change.At, author);
            await change.NoteAsync("set-entry", entry.Id.ToString(), EntryRow.TextOf(old), EntryRow.TextOf(entry));
            return new AccessOutcome.EntrySet(entry, old is null);
        }, cancel);

    /// <summary>Deletes an entry. Its number does not come again.</summary>
    public Task<AccessOutcome> DeleteEntryAsync(TenantId tenant, long id, string author, WriteCondition condition, CancellationToken cancel) =>
        ChangeAsync(tenant, author, async change =>
        {
            var old = change.Rules.Entries.FirstOrDefault(entry => entry.Id == id);
            if (old is null || !condition.Holds(old.Version))
            {
                return old is null ? new AccessOutcome.NotThere() : new AccessOutcome.Changed(old.Version);
            }

            await change.WriteAsync("delete from acl where tenant_id = $1 and id = $2", id);
            await change.NoteAsync("delete-entry", id.ToString(), EntryRow.TextOf(old), null);
            return new AccessOutcome.Deleted();
        }, cancel);

    /// <summary>Writes down what was changed elsewhere of what people may, as by an operator.</summary>
    public async Task NoteAsync(TenantId tenant, string author, string action, string subject, string? after, CancellationToken cancel) =>
        await ChangeAsync(tenant, author, async change =>
        {
            await change.NoteAsync(action, subject, null, after);
            return new AccessOutcome.Deleted();
        }, cancel);

    /// <summary>What was changed of groups and entries, the last first.</summary>
    /// <param name="beyond">The number that the page before ended with, or null for the first page.</param>
    public async Task<Page<AuditLine>> AuditAsync(TenantId tenant, long? beyond, int limit, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("select number, at, actor, action, subject, before::text, after::text from audit where tenant_id = $1 and number < $2 order by number desc limit $3")
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = beyond ?? long.MaxValue }, new() { Value = limit + 1 } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var lines = new List<AuditLine>();
        while (await rows.ReadAsync(cancel))
        {
            if (lines.Count == limit)
            {
                return new Page<AuditLine>(lines, lines[^1].Number);
            }

            lines.Add(new AuditLine(
                rows.GetInt64(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetString(2), rows.GetString(3), rows.GetString(4), rows.IsDBNull(5) ? null : rows.GetString(5), rows.IsDBNull(6) ? null : rows.GetString(6)));
        }

        return new Page<AuditLine>(lines, null);
    }

    /// <summary>A change and its line in the audit, in one transaction, under the tenant's lock. What ends in anything but a change leaves nothing.</summary>
    private async Task<AccessOutcome> ChangeAsync(TenantId tenant, string author, Func<AccessChange, Task<AccessOutcome>> act, CancellationToken cancel)
    {
        await using var connection = await dbs.OpenAsync(tenant, cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var change = await AccessChange.BeginAsync(connection, tenant, author, time.GetUtcNow(), cancel);
        var outcome = await act(change);
        if (change.IsNoted)
        {
            await change.EndAsync();
            await transaction.CommitAsync(cancel);
        }

        return outcome;
    }

    internal static AccessRules RulesOf(NpgsqlDataReader rows) =>
        new(rows.GetInt64(0), List<GroupRow>(rows, 1).Select(row => row.ToGroup()), List<EntryRow>(rows, 2).Select(row => row.ToEntry()));

    internal static async Task<List<Actor.OfMember>> MembersOfAsync(NpgsqlDataReader rows, CancellationToken cancel)
    {
        var members = new List<Actor.OfMember>();
        while (await rows.ReadAsync(cancel))
        {
            members.Add(MemberOf(rows));
        }

        return members;
    }

    private static Actor.OfMember MemberOf(NpgsqlDataReader rows) => new(rows.GetGuid(0), rows.GetString(1), MailAddress.Form(rows.GetString(2)), rows.GetBoolean(3), rows.IsDBNull(4) ? null : rows.GetString(4));

    private static List<TRow> List<TRow>(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? [] : JsonSerializer.Deserialize<List<TRow>>(rows.GetString(column), Rows)!;
}
