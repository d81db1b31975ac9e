using Eddy.Keys;
using Eddy.Problems;

namespace Eddy.Identity;

/// <summary>
/// What a browser sends with a person's cookie is taken from pages of this host alone. Forms have a token for that; this holds for every address and for connections that stay open, and also where a tenant's
/// host is so near that browsers bring the cookie along. Where a key is shown no cookie counts, and anybody may send.
/// </summary>
internal static class OwnPages
{
    public static void UseOwnPages(this IApplicationBuilder app) =>
        app.Use((context, next) => KeyGate.IsGuarded(context.Request.Path) || IsOwn(context)
            ? next(context)
            : new Problem(ProblemType.NotAllowed, "This was sent by a page of another host. Open the address itself, and do it there.").ExecuteAsync(context));

    private static bool IsOwn(HttpContext context)
    {
        var request = context.Request;
        var isRead = HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method);
        var isConnection = context.WebSockets.IsWebSocketRequest || string.Equals(request.Headers.Upgrade, "websocket", StringComparison.OrdinalIgnoreCase) || HttpMethods.IsConnect(request.Method);
        if (isRead && !isConnection)
        {
            return true;
        }

        return request.Headers.Origin switch
        {
            // Pages of ours send no referrer, and so their forms no origin; where the browser says whose they are, it is heard.
            [] or ["null"] when !isConnection => request.Headers["Sec-Fetch-Site"] is [] or ["same-origin" or "none"],
            [{ } origin] => Uri.TryCreate(origin, UriKind.Absolute, out var from) && string.Equals(from.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase),
            // No browser.
            _ => true,
        };
    }
}
