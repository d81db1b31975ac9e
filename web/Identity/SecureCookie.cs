namespace Eddy.Identity;

/// <summary>A cookie with the prefix <c>__Host-</c> where the framework asks for TLS before it would make it so: browsers send such cookies over loopback, too, and nowhere else without TLS.</summary>
internal sealed class SecureCookie : CookieBuilder
{
    public override CookieOptions Build(HttpContext context, DateTimeOffset expiresFrom)
    {
        var options = base.Build(context, expiresFrom);
        (options.Secure, options.Path) = (true, "/");
        return options;
    }
}
