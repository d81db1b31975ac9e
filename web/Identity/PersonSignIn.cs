using System.Security.Claims;
using Eddy.People;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.Options;

namespace Eddy.Identity;

/// <summary>Signs people in and out; each sign-in is a session.</summary>
public sealed partial class PersonSignIn(
    UserManager<Person> people, IHttpContextAccessor contexts, IUserClaimsPrincipalFactory<Person> principals, IOptions<IdentityOptions> options, ILogger<SignInManager<Person>> log,
    IAuthenticationSchemeProvider schemes, IUserConfirmation<Person> confirmation, Sessions sessions)
    : SignInManager<Person>(people, contexts, principals, options, log, schemes, confirmation)
{
    /// <summary>Nobody's password, as costly to compare as anybody's.</summary>
    private static readonly Person Nobody = new();
    private static readonly string NobodysHash = new PasswordHasher<Person>().HashPassword(Nobody, "nobody has this password");

    /// <summary>By address and password. Who is locked, who has another password and who is not there answer alike, and take as long.</summary>
    public async Task<SignInResult> ByPasswordAsync(string given, string password)
    {
        var person = MailAddress.TryRead(given.Trim(), out var address) ? await UserManager.FindByNameAsync(address) : null;
        if (person?.PasswordHash is null || await UserManager.IsLockedOutAsync(person))
        {
            UserManager.PasswordHasher.VerifyHashedPassword(Nobody, NobodysHash, password);
            return SignInResult.Failed;
        }

        return await PasswordSignInAsync(person, password, isPersistent: true, lockoutOnFailure: true);
    }

    /// <summary>Whether who is signed in knows their password: asked before anything that would keep somebody else in.</summary>
    public async Task<bool> ProvesAsync(Person person, string? password) =>
        person.PasswordHash is not null && (await CheckPasswordSignInAsync(person, password ?? "", lockoutOnFailure: true)).Succeeded;

    /// <summary>
    /// By what a browser answered for a passkey. That is two factors, what one has and what one is or knows, so no code is asked for; and a guesser of passwords, who can lock an account, keeps nobody
    /// out of it who has a passkey. Null where nobody was asked for a passkey, or too long ago.
    /// </summary>
    public async Task<SignInResult?> ByPasskeyAsync(string answer)
    {
        PasskeyAssertionResult<Person> shown;
        try
        {
            shown = await PerformPasskeyAssertionAsync(answer);
        }
        catch (InvalidOperationException)
        {
            return null;
        }

        if (!shown.Succeeded)
        {
            Refused(Logger, shown.Failure);
            return SignInResult.Failed;
        }

        // With the count of its uses, by which a copy would be known.
        await UserManager.AddOrUpdatePasskeyAsync(shown.User, shown.Passkey);
        await SignInAsync(shown.User, isPersistent: true, "passkey");
        return SignInResult.Success;
    }

    /// <summary>The passkey that a browser made for this person; null where it is none, was made for somebody else, or nobody asked for it in the last minutes.</summary>
    public async Task<UserPasskeyInfo?> MadeForAsync(Person person, string answer)
    {
        try
        {
            var made = await PerformPasskeyAttestationAsync(answer);
            if (!made.Succeeded)
            {
                Refused(Logger, made.Failure);
            }

            return made.Succeeded && made.UserEntity.Id == person.Id.ToString() ? made.Passkey : null;
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    public override async Task SignInWithClaimsAsync(Person user, AuthenticationProperties? authenticationProperties, IEnumerable<Claim> additionalClaims)
    {
        var cancel = Context.RequestAborted;
        var current = Seats.PersonOf(Context.User) == user.Id ? Sessions.Of(Context.User) : null;
        if (current is null || !await sessions.RenewAsync(current.Value, user, cancel))
        {
            current = await sessions.BeginAsync(user, Device.Of(Context.Request.Headers.UserAgent.ToString()), cancel);
        }

        await base.SignInWithClaimsAsync(user, authenticationProperties, additionalClaims.Where(claim => claim.Type != Sessions.Claim).Append(new Claim(Sessions.Claim, current.Value.ToString())));
    }

    public override async Task SignOutAsync()
    {
        if (Seats.PersonOf(Context.User) is { } person && Sessions.Of(Context.User) is { } session)
        {
            await sessions.EndAsync(person, session, Context.RequestAborted);
        }

        await base.SignOutAsync();
    }

    [LoggerMessage(LogLevel.Information, "A passkey was refused.")]
    private static partial void Refused(ILogger log, Exception fault);
}
