using Eddy.People;
using Eddy.Postgres;
using Microsoft.AspNetCore.Identity;

namespace Eddy.Identity;

/// <summary>How people are known: accounts in the database, a cookie that only this host and encrypted or loopback connections carry.</summary>
internal static class IdentityParts
{
    public const string SignInPath = "/sign-in";

    public static void AddIdentity(this IServiceCollection services)
    {
        services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies();
        services.AddAuthorization();
        services.AddCascadingAuthenticationState();
        services.AddIdentityCore<Person>(options =>
            {
                options.Stores.SchemaVersion = IdentitySchemaVersions.Version3;
                options.User.RequireUniqueEmail = true;
            })
            .AddEntityFrameworkStores<EddyDb>()
            .AddSignInManager()
            .AddDefaultTokenProviders();
        services.ConfigureApplicationCookie(cookie =>
        {
            // The prefix has browsers refuse it from any other host, path or unencrypted connection; they take loopback for a safe one.
            cookie.Cookie.Name = "__Host-eddy";
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.Always;
            cookie.Cookie.SameSite = SameSiteMode.Lax;
            cookie.LoginPath = SignInPath;
            cookie.AccessDeniedPath = SignInPath;
            cookie.ReturnUrlParameter = "to";
        });
        services.AddSingleton<Seats>();
    }
}
