using Eddy.People;
using Eddy.Postgres;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.Identity;

namespace Eddy.Identity;

/// <summary>How people are known: accounts in the database, sessions, a cookie that only this host and encrypted or loopback connections carry.</summary>
internal static class IdentityParts
{
    public const string SignInPath = "/sign-in";

    public static void AddIdentity(this IServiceCollection services, PeopleOptions options)
    {
        services.AddAuthentication(IdentityConstants.ApplicationScheme).AddIdentityCookies();
        services.AddAuthorization();
        services.AddCascadingAuthenticationState();
        services.AddHttpContextAccessor();
        services.AddIdentityCore<Person>(identity =>
            {
                identity.Stores.SchemaVersion = IdentitySchemaVersions.Version3;
                identity.User.RequireUniqueEmail = true;
                // The form of addresses says which characters they have.
                identity.User.AllowedUserNameCharacters = "";
                // Length is what counts (NIST SP 800-63B).
                identity.Password = new PasswordOptions { RequiredLength = 10, RequiredUniqueChars = 1, RequireDigit = false, RequireLowercase = false, RequireUppercase = false, RequireNonAlphanumeric = false };
                identity.Lockout.MaxFailedAccessAttempts = 10;
                identity.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
                identity.Tokens.AuthenticatorIssuer = "Eddy";
            })
            .AddEntityFrameworkStores<EddyDb>()
            .AddSignInManager<PersonSignIn>()
            .AddPasswordValidator<KnownPasswords>()
            .AddDefaultTokenProviders();
        services.Configure<IdentityPasskeyOptions>(passkeys =>
        {
            // A passkey stands for both, what one has and what one is or knows; and it is found without a name.
            passkeys.UserVerificationRequirement = "required";
            passkeys.ResidentKeyRequirement = "required";
            passkeys.ValidateOrigin = passkey => ValueTask.FromResult(IsHere(passkey));
        });
        foreach (var (scheme, name) in (ReadOnlySpan<(string, string)>)
                 [
                     (IdentityConstants.ApplicationScheme, "eddy"), (IdentityConstants.ExternalScheme, "eddy-external"),
                     (IdentityConstants.TwoFactorRememberMeScheme, "eddy-known"), (IdentityConstants.TwoFactorUserIdScheme, "eddy-step"),
                 ])
        {
            // The prefix has browsers refuse it from any other host, path or unencrypted connection; they take loopback for a safe one.
            services.Configure<CookieAuthenticationOptions>(scheme, cookie =>
            {
                cookie.Cookie.Name = "__Host-" + name;
                cookie.Cookie.SecurePolicy = CookieSecurePolicy.Always;
                cookie.Cookie.SameSite = SameSiteMode.Lax;
            });
        }

        services.ConfigureApplicationCookie(cookie =>
        {
            cookie.LoginPath = SignInPath;
            cookie.AccessDeniedPath = SignInPath;
            cookie.ReturnUrlParameter = "to";
            cookie.ExpireTimeSpan = TimeSpan.FromDays(14);
            cookie.Events.OnValidatePrincipal = ValidateAsync;
        });
        services.AddAntiforgery(form => form.Cookie = new SecureCookie { Name = "__Host-eddy-form", HttpOnly = true, SameSite = SameSiteMode.Strict, IsEssential = true });
        services.AddFormLimits(options);
        services.AddSingleton<Seats>().AddSingleton<Sessions>().AddSingleton<MailLinks>().AddSingleton<PlatformMail>().AddSingleton<Founding>().AddSingleton<Members>();
        services.AddScoped<Presence>().AddScoped<CircuitHandler>(all => all.GetRequiredService<Presence>());
    }

    /// <summary>
    /// Whether a passkey was made or shown on a page of this host. What its browser says of that is signed. (The framework would compare it with the header Origin, which is 'null' here: our pages send no
    /// referrer, and a form of such a page no origin.)
    /// </summary>
    private static bool IsHere(PasskeyOriginValidationContext passkey) =>
        !passkey.CrossOrigin && Uri.TryCreate(passkey.Origin, UriKind.Absolute, out var origin) && origin.Authority == passkey.HttpContext.Request.Host.Value
        && (origin.Scheme == Uri.UriSchemeHttps || origin.Scheme == passkey.HttpContext.Request.Scheme);

    /// <summary>A cookie is worth what its session is.</summary>
    private static async Task ValidateAsync(CookieValidatePrincipalContext context)
    {
        var sessions = context.HttpContext.RequestServices.GetRequiredService<Sessions>();
        if (context.Principal is not { } who || Sessions.Of(who) is not { } session || await sessions.StandingAsync(session) is not { } standing || standing.Person != Seats.PersonOf(who))
        {
            context.RejectPrincipal();
            await context.HttpContext.SignOutAsync(IdentityConstants.ApplicationScheme);
        }
    }
}
