using Eddy.People;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Identity;

namespace Eddy.Identity;

/// <summary>What a browser has to know before it makes or shows a passkey. Its answer comes with a form.</summary>
internal static class PasskeysApi
{
    public static void MapPasskeys(this IEndpointRouteBuilder app)
    {
        var passkeys = app.MapGroup("/passkeys").ExcludeFromDescription();
        passkeys.MapPost("/request", async (HttpContext context, PersonSignIn signIn, IAntiforgery forms) =>
            await forms.IsRequestValidAsync(context) ? Results.Content(await signIn.MakePasskeyRequestOptionsAsync(null), "application/json") : Results.BadRequest());
        passkeys.MapPost("/creation", CreationAsync).RequireAuthorization();
    }

    private static async Task<IResult> CreationAsync(HttpContext context, PersonSignIn signIn, UserManager<Person> people, IAntiforgery forms)
    {
        if (!await forms.IsRequestValidAsync(context) || !context.Request.HasFormContentType || await people.GetUserAsync(context.User) is not { } person)
        {
            return Results.BadRequest();
        }

        // A passkey opens the account for ever: whoever finds a screen unlocked shall not make one.
        var form = await context.Request.ReadFormAsync(context.RequestAborted);
        if (!await signIn.ProvesAsync(person, form["password"]))
        {
            return Results.Text("This is not your password.", statusCode: StatusCodes.Status403Forbidden);
        }

        return Results.Content(await signIn.MakePasskeyCreationOptionsAsync(new PasskeyUserEntity { Id = person.Id.ToString(), Name = person.Email!, DisplayName = person.Email! }), "application/json");
    }
}
