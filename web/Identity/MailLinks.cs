using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Eddy.People;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Identity;

/// <summary>Links that only a mail holds. Each is good once, for one thing, and not for long.</summary>
public sealed class MailLinks(EddyDbs dbs, PeopleOptions options, TimeProvider time)
{
    public const string SignUp = "sign-up";
    public const string Reset = "reset";
    public const string Address = "address";
    public const string Invitation = "invitation";

    private static readonly Dictionary<string, TimeSpan> Lives = new(StringComparer.Ordinal)
    {
        [SignUp] = TimeSpan.FromDays(1), [Reset] = TimeSpan.FromHours(1), [Address] = TimeSpan.FromHours(1), [Invitation] = TimeSpan.FromDays(7),
    };

    /// <summary>The token of a new link; null where the address has had as many of this purpose in the last hour as it may.</summary>
    public async Task<string?> MakeAsync(string purpose, string address, Guid? person, TenantId? tenant, object? wish, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = dbs.Global();
        await db.MailLinks.Where(link => link.EndsAt < now.AddHours(-1)).ExecuteDeleteAsync(cancel);
        if (await db.MailLinks.CountAsync(link => link.Address == address && link.Purpose == purpose && link.MadeAt > now.AddHours(-1), cancel) >= options.MailsPerHour)
        {
            return null;
        }

        var token = WebEncoders.Base64UrlEncode(RandomNumberGenerator.GetBytes(32));
        db.MailLinks.Add(new MailLink
        {
            Hash = HashOf(token), Purpose = purpose, Address = address, PersonId = person, TenantId = tenant?.Value,
            Wish = wish is null ? null : JsonSerializer.Serialize(wish), MadeAt = now, EndsAt = now + Lives[purpose],
        });
        await db.SaveChangesAsync(cancel);
        return token;
    }

    /// <summary>What this token is good for; null where it never was, or is not any more.</summary>
    public async Task<MailLink?> FindAsync(string purpose, string token, CancellationToken cancel)
    {
        var (hash, now) = (HashOf(token), time.GetUtcNow());
        await using var db = dbs.Global();
        return await db.MailLinks.AsNoTracking().SingleOrDefaultAsync(link => link.Hash == hash && link.Purpose == purpose && link.EndsAt > now, cancel);
    }

    /// <summary>Takes it: true for the first who does. All others of this purpose that the address has end with it, but for invitations of other tenants.</summary>
    public async Task<bool> TakeAsync(MailLink link, CancellationToken cancel)
    {
        await using var db = dbs.Global();
        if (await db.MailLinks.Where(one => one.Hash == link.Hash).ExecuteDeleteAsync(cancel) == 0)
        {
            return false;
        }

        await db.MailLinks.Where(one => one.Address == link.Address && one.Purpose == link.Purpose && one.TenantId == link.TenantId).ExecuteDeleteAsync(cancel);
        return true;
    }

    /// <summary>The invitations of a tenant that are open, the last first.</summary>
    public async Task<IReadOnlyList<MailLink>> InvitationsAsync(TenantId tenant, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = dbs.Global();
        return await db.MailLinks.AsNoTracking().Where(link => link.TenantId == tenant.Value && link.Purpose == Invitation && link.EndsAt > now).OrderByDescending(link => link.MadeAt).ToListAsync(cancel);
    }

    /// <summary>Takes back what a tenant has sent to this address.</summary>
    public async Task RevokeAsync(TenantId tenant, string address, CancellationToken cancel)
    {
        await using var db = dbs.Global();
        await db.MailLinks.Where(link => link.TenantId == tenant.Value && link.Purpose == Invitation && link.Address == address).ExecuteDeleteAsync(cancel);
    }

    private static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}

/// <summary>What a link for signing up will make.</summary>
/// <param name="Name">The tenant's.</param>
/// <param name="Called">The person's name.</param>
public sealed record SignUpWish(string PasswordHash, string Name, string Slug, string TimeZone, string? Called = null);

/// <summary>What an invitation is for.</summary>
public sealed record InvitationWish(string Role, string Name, string Slug, string By);
