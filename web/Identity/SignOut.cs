namespace Eddy.Identity;

/// <summary>Ends what the cookie began. A form of another site can not: it does not bring the cookie along.</summary>
internal static class SignOut
{
    public static void MapSignOut(this IEndpointRouteBuilder app) =>
        app.MapPost("/sign-out", async (PersonSignIn signIn) =>
        {
            await signIn.SignOutAsync();
            return Results.LocalRedirect("~/sign-in");
        }).DisableAntiforgery().ExcludeFromDescription();
}
