using System.Buffers.Binary;
using System.Security.Cryptography;
using Eddy.Tenants;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;

namespace Eddy.Sites;

/// <summary>
/// The cookie of a member at a tenant's host. It names the tenant and the platform's session, sealed, and is worth what these are: with the session, or the person's membership, it ends, and at another
/// tenant's host it is nothing. Whoever signs out at the host ends it there alone (<see cref="EndedSiteCookies"/>).
/// </summary>
public sealed class SiteCookie(IDataProtectionProvider protection, TimeProvider time)
{
    /// <summary>The prefix has browsers refuse it from any other host or path, and from a page of another host of the domain.</summary>
    public const string Name = "__Host-eddy-site";

    private const int Length = 16 + 16 + 16 + 8;

    private static readonly TimeSpan Life = TimeSpan.FromDays(14);

    private readonly IDataProtector _seal = protection.CreateProtector("Eddy.Sites.SiteCookie");

    /// <summary>What the request's cookie says of this tenant; null where it says nothing. Whether it was ended is not looked at.</summary>
    public SitePass? Read(HttpContext context, TenantId tenant)
    {
        if (context.Request.Cookies[Name] is not { Length: > 0 and < 1000 } text)
        {
            return null;
        }

        byte[] plain;
        try
        {
            plain = _seal.Unprotect(WebEncoders.Base64UrlDecode(text));
        }
        catch (Exception fault) when (fault is FormatException or CryptographicException)
        {
            return null;
        }

        if (plain.Length != Length || new Guid(plain.AsSpan(0, 16)) != tenant.Value)
        {
            return null;
        }

        var pass = new SitePass(new Guid(plain.AsSpan(16, 16)), new Guid(plain.AsSpan(32, 16)), DateTimeOffset.FromUnixTimeSeconds(BinaryPrimitives.ReadInt64BigEndian(plain.AsSpan(48))));
        return pass.Until > time.GetUtcNow() ? pass : null;
    }

    public void Set(HttpContext context, TenantId tenant, Guid session)
    {
        var plain = new byte[Length];
        tenant.Value.TryWriteBytes(plain);
        Guid.NewGuid().TryWriteBytes(plain.AsSpan(16));
        session.TryWriteBytes(plain.AsSpan(32));
        BinaryPrimitives.WriteInt64BigEndian(plain.AsSpan(48), (time.GetUtcNow() + Life).ToUnixTimeSeconds());
        context.Response.Cookies.Append(Name, WebEncoders.Base64UrlEncode(_seal.Protect(plain)), Options(Life));
    }

    public static void Delete(HttpContext context) => context.Response.Cookies.Delete(Name, Options(null));

    internal static CookieOptions Options(TimeSpan? life) =>
        new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = life, IsEssential = true };
}

/// <summary>What a cookie says.</summary>
/// <param name="Id">Its own: a copy has the same.</param>
/// <param name="Session">The platform's.</param>
public readonly record struct SitePass(Guid Id, Guid Session, DateTimeOffset Until);
