using System.CommandLine;
using Eddy.Access;
using Eddy.People;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Operator;

/// <summary><c>eddy member set</c>, <c>eddy member list</c> and <c>eddy member remove</c>.</summary>
public static class MemberCommands
{
    /// <summary>Who the audit says it was.</summary>
    internal const string Author = "operator";

    public static Command Make(string database)
    {
        var tenant = new Option<string>("--tenant") { Description = "The tenant's slug.", Required = true };
        var address = new Option<string>("--address") { Description = "Their mail address, which you know to be theirs.", Required = true };
        var role = new Option<string>("--role") { Description = "owner, editor or viewer.", Required = true };
        role.AcceptOnlyFromAmong("owner", "editor", "viewer");

        var set = new Command("set", "Let somebody belong to a tenant, or change their role.") { tenant, address, role };
        set.SetAction((parsed, cancel) => WithAddress(database, parsed.GetRequiredValue(tenant), parsed.GetRequiredValue(address), async (db, id, mail) =>
        {
            var given = parsed.GetRequiredValue(role);
            if (await PersonAsync(db, mail, cancel) is not { } person)
            {
                await Console.Error.WriteLineAsync($"Somebody has made an account with {mail} and not shown that the address is theirs; let them do that first.");
                return 1;
            }

            await using var rows = db.For(id);
            if (await rows.Members.SingleOrDefaultAsync(m => m.PersonId == person, cancel) is { } member)
            {
                member.Role = given;
            }
            else
            {
                rows.Members.Add(new Member { TenantId = id.Value, PersonId = person, Role = given });
            }

            await rows.SaveChangesAsync(cancel);
            await new AccessStore(db.Dbs, TimeProvider.System).NoteAsync(id, Author, "set-member", mail, $"\"{given}\"", cancel);
            await db.KeysChangedAsync(cancel);
            Console.WriteLine($"{mail} is {given} now.");
            return 0;
        }, cancel));

        var list = new Command("list", "Show who belongs to a tenant.") { tenant };
        list.SetAction((parsed, cancel) => WithTenant(database, parsed.GetRequiredValue(tenant), async (db, id) =>
        {
            foreach (var member in await new AccessStore(db.Dbs, TimeProvider.System).MembersAsync(id, cancel))
            {
                Console.WriteLine($"{member.Person}  {member.Role,-6}  {member.Address}{(member.IsProven ? "" : "  (not proven)")}");
            }

            return 0;
        }, cancel));

        var remove = new Command("remove", "Let somebody belong to a tenant no more. Keys that act for them are out of force at once.") { tenant, address };
        remove.SetAction((parsed, cancel) => WithAddress(database, parsed.GetRequiredValue(tenant), parsed.GetRequiredValue(address), async (db, id, mail) =>
        {
            if (await FindAsync(db, id, mail, cancel) is not { } member)
            {
                await Console.Error.WriteLineAsync($"{mail} does not belong to the tenant.");
                return 1;
            }

            await using var rows = db.For(id);
            await rows.Members.Where(m => m.PersonId == member.Person).ExecuteDeleteAsync(cancel);
            var access = new AccessStore(db.Dbs, TimeProvider.System);
            await access.NoteAsync(id, Author, "remove-member", mail, null, cancel);
            var still = await access.ForgetPersonAsync(id, member.Person, mail, Author, cancel);
            await db.KeysChangedAsync(cancel);
            Console.WriteLine($"{mail} does not belong to the tenant any more.{(still.Count == 0 ? "" : $" As a mail address they are still in {string.Join(", ", still)}.")}");
            return 0;
        }, cancel));

        return new Command("member", "Who belongs to a tenant.") { set, list, remove };
    }

    /// <summary>Who of the tenant has this address, or null.</summary>
    internal static async Task<Actor.OfMember?> FindAsync(OperatorDb db, TenantId tenant, string address, CancellationToken cancel) =>
        MailAddress.TryRead(address, out var mail) ? (await new AccessStore(db.Dbs, TimeProvider.System).MembersAsync(tenant, cancel)).FirstOrDefault(member => member.Address == mail) : null;

    /// <summary>The person with this address; null where it is only what somebody says. Whoever is new can not sign in yet: they have no password.</summary>
    private static async Task<Guid?> PersonAsync(OperatorDb db, string mail, CancellationToken cancel)
    {
        var upper = mail.ToUpperInvariant();
        await using var people = db.Global();
        if (await people.Users.SingleOrDefaultAsync(p => p.NormalizedEmail == upper, cancel) is { } known)
        {
            return known.EmailConfirmed ? known.Id : null;
        }

        var person = new Person
        {
            Id = Guid.CreateVersion7(TimeProvider.System.GetUtcNow()), UserName = mail, NormalizedUserName = upper, Email = mail, NormalizedEmail = upper, EmailConfirmed = true,
            SecurityStamp = Guid.NewGuid().ToString("N"), LockoutEnabled = true,
        };
        people.Users.Add(person);
        await people.SaveChangesAsync(cancel);
        return person.Id;
    }

    private static Task<int> WithAddress(string database, string slug, string address, Func<OperatorDb, TenantId, string, Task<int>> act, CancellationToken cancel) =>
        WithTenant(database, slug, async (db, id) =>
        {
            if (MailAddress.TryRead(address, out var mail))
            {
                return await act(db, id, mail);
            }

            await Console.Error.WriteLineAsync($"'{address}' is no mail address: it takes one as in ann@acme.test.");
            return 2;
        }, cancel);

    private static async Task<int> WithTenant(string database, string slug, Func<OperatorDb, TenantId, Task<int>> act, CancellationToken cancel)
    {
        await using var db = new OperatorDb(database);
        if (await db.FindAsync(slug, cancel) is { } id)
        {
            return await act(db, id);
        }

        await Console.Error.WriteLineAsync($"There is no tenant '{slug}'.");
        return 1;
    }
}
