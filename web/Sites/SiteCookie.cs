using System.Buffers.Binary;
using System.Security.Cryptography;
using Eddy.Tenants;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.WebUtilities;

namespace Eddy.Sites;

/// <summary>
/// The cookie of a member at a tenant's host. It names the tenant and the platform's session, sealed, and is worth what these are: with the session, or the person's membership, it ends, and at another
/// tenant's host it is nothing.
/// </summary>
public sealed class SiteCookie(IDataProtectionProvider protection, TimeProvider time)
{
    /// <summary>The prefix has browsers refuse it from any other host or path, and from a page of another host of the domain.</summary>
    public const string Name = "__Host-eddy-site";

    private const int Length = 16 + 16 + 8;

    private static readonly TimeSpan Life = TimeSpan.FromDays(14);

    private readonly IDataProtector _seal = protection.CreateProtector("Eddy.Sites.SiteCookie");

    /// <summary>The session that the request's cookie names for this tenant; null where it names none.</summary>
    public Guid? Read(HttpContext context, TenantId tenant)
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

        return plain.Length == Length && new Guid(plain.AsSpan(0, 16)) == tenant.Value && BinaryPrimitives.ReadInt64BigEndian(plain.AsSpan(32)) > time.GetUtcNow().ToUnixTimeSeconds()
            ? new Guid(plain.AsSpan(16, 16))
            : null;
    }

    public void Set(HttpContext context, TenantId tenant, Guid session)
    {
        var plain = new byte[Length];
        tenant.Value.TryWriteBytes(plain);
        session.TryWriteBytes(plain.AsSpan(16));
        BinaryPrimitives.WriteInt64BigEndian(plain.AsSpan(32), (time.GetUtcNow() + Life).ToUnixTimeSeconds());
        context.Response.Cookies.Append(Name, WebEncoders.Base64UrlEncode(_seal.Protect(plain)), Options(Life));
    }

    public static void Delete(HttpContext context) => context.Response.Cookies.Delete(Name, Options(null));

    internal static CookieOptions Options(TimeSpan? life) =>
        new() { HttpOnly = true, Secure = true, SameSite = SameSiteMode.Lax, Path = "/", MaxAge = life, IsEssential = true };
}
