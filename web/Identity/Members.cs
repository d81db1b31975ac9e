using Eddy.Access;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Eddy.Identity;

/// <summary>Who belongs to a tenant, changed by its people. Changes of one tenant follow one another, an owner is always left, and each leaves a line in the audit.</summary>
public sealed class Members(EddyDbs dbs, NpgsqlDataSource source, AccessStore accesses)
{
    public static readonly string[] Roles = ["owner", "editor", "viewer"];

    private const string LastOwner = "A tenant is never without an owner. Make somebody else one first.";
    private const string NoMember = "They do not belong to the tenant any more.";

    /// <summary>Lets somebody in; whoever belongs to it already keeps their role.</summary>
    public async Task AddAsync(TenantId tenant, Guid person, string address, string role, string by, CancellationToken cancel)
    {
        await using var rows = dbs.For(tenant);
        await using var transaction = await LockAsync(rows, cancel);
        if (await rows.Members.AnyAsync(member => member.PersonId == person, cancel))
        {
            return;
        }

        rows.Members.Add(new Member { TenantId = tenant.Value, PersonId = person, Role = role });
        await rows.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        await accesses.NoteAsync(tenant, by, "set-member", address, $"\"{role}\"", cancel);
        await KeysChangedAsync(cancel);
    }

    /// <summary>Gives somebody another role; the answer is why that can not be, or null.</summary>
    public async Task<string?> SetRoleAsync(TenantId tenant, Guid person, string address, string role, string by, CancellationToken cancel)
    {
        await using (var rows = dbs.For(tenant))
        {
            await using var transaction = await LockAsync(rows, cancel);
            if (await rows.Members.SingleOrDefaultAsync(one => one.PersonId == person, cancel) is not { } member)
            {
                return NoMember;
            }

            if (member.Role == "owner" && role != "owner" && await rows.Members.CountAsync(one => one.Role == "owner", cancel) == 1)
            {
                return LastOwner;
            }

            member.Role = role;
            await rows.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
        }

        await accesses.NoteAsync(tenant, by, "set-member", address, $"\"{role}\"", cancel);
        await KeysChangedAsync(cancel);
        return null;
    }

    /// <summary>Takes somebody out, with the keys that act for them; the answer is why that can not be, or null.</summary>
    /// <param name="by">Their own address where they leave by themselves.</param>
    public async Task<string?> RemoveAsync(TenantId tenant, Guid person, string address, string by, CancellationToken cancel)
    {
        await using (var rows = dbs.For(tenant))
        {
            await using var transaction = await LockAsync(rows, cancel);
            if (await rows.Members.SingleOrDefaultAsync(one => one.PersonId == person, cancel) is not { } member)
            {
                return NoMember;
            }

            if (member.Role == "owner" && await rows.Members.CountAsync(one => one.Role == "owner", cancel) == 1)
            {
                return LastOwner;
            }

            rows.Members.Remove(member);
            await rows.SaveChangesAsync(cancel);
            await transaction.CommitAsync(cancel);
        }

        await accesses.NoteAsync(tenant, by, "remove-member", address, null, cancel);
        await accesses.ForgetPersonAsync(tenant, person, address, by, cancel);
        await KeysChangedAsync(cancel);
        return null;
    }

    public Task<string?> RemoveAsync(TenantId tenant, Guid person, string address, CancellationToken cancel) => RemoveAsync(tenant, person, address, address, cancel);

    public async Task<bool> IsOnlyOwnerAsync(TenantId tenant, Guid person, CancellationToken cancel)
    {
        await using var rows = dbs.For(tenant);
        return !await rows.Members.AnyAsync(one => one.Role == "owner" && one.PersonId != person, cancel);
    }

    // Else two owners could each take the other's place at once.
    private static async Task<Microsoft.EntityFrameworkCore.Storage.IDbContextTransaction> LockAsync(EddyDb rows, CancellationToken cancel)
    {
        var transaction = await rows.Database.BeginTransactionAsync(cancel);
        await rows.Database.ExecuteSqlAsync($"select 1 from tenants where id = {rows.Tenant!.Value.Value} for update", cancel);
        return transaction;
    }

    /// <summary>Doors keep what they know of a key for a while; this makes them ask again.</summary>
    private async Task KeysChangedAsync(CancellationToken cancel)
    {
        await using var notify = source.CreateCommand("select pg_notify('eddy_keys', '')");
        await notify.ExecuteNonQueryAsync(cancel);
    }
}
