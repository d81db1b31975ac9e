using Eddy.Operator;
using Eddy.People;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Tests.Access;

internal static class TestPeople
{
    /// <summary>Somebody who belongs to the tenant; the answer is their id.</summary>
    public static async Task<Guid> AddMemberAsync(this TestTenant tenant, string address, string role, bool isProven = true)
    {
        await using var db = new OperatorDb(tenant.Database.SuperuserConnection);
        var person = new Person
        {
            Id = Guid.NewGuid(), UserName = Guid.NewGuid().ToString(), NormalizedUserName = Guid.NewGuid().ToString(), Email = address, NormalizedEmail = address.ToUpperInvariant(), EmailConfirmed = isProven,
        };
        await using (var people = db.Global())
        {
            people.Users.Add(person);
            await people.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        await using var rows = db.For(tenant.Id);
        rows.Members.Add(new Member { TenantId = tenant.Id.Value, PersonId = person.Id, Role = role });
        await rows.SaveChangesAsync(TestContext.Current.CancellationToken);
        return person.Id;
    }

    /// <summary>A key that acts for this person; the answer is its secret.</summary>
    public static async Task<string> AddKeyOfAsync(this TestTenant tenant, Guid person, params string[] scopes)
    {
        await using var db = new OperatorDb(tenant.Database.SuperuserConnection);
        await using var rows = db.For(tenant.Id);
        var (key, secret) = ApiKey.Make(tenant.Id, "as" + Guid.NewGuid().ToString("N"), scopes.Length == 0 ? Scope.All : scopes, TimeProvider.System.GetUtcNow(), person);
        rows.ApiKeys.Add(key);
        await rows.SaveChangesAsync(TestContext.Current.CancellationToken);
        return secret;
    }

    /// <summary>Somebody who belongs to the tenant, with a key of theirs, at the doors of this web.</summary>
    public static async Task<TestCaller> AsAsync(this TestTenant tenant, TestWeb web, string address, string role, params string[] scopes) =>
        new(tenant, tenant.Client(web, await tenant.AddKeyOfAsync(await tenant.AddMemberAsync(address, role), scopes)));

    public static async Task RemoveMemberAsync(this TestTenant tenant, Guid person)
    {
        await using var db = new OperatorDb(tenant.Database.SuperuserConnection);
        await using var rows = db.For(tenant.Id);
        await rows.Members.Where(member => member.PersonId == person).ExecuteDeleteAsync(TestContext.Current.CancellationToken);
        await db.KeysChangedAsync(TestContext.Current.CancellationToken);
    }
}
