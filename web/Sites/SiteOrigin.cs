namespace Eddy.Sites;

/// <summary>Whether what changes something was sent by a page of the tenant's own host: a form or a script elsewhere could else act with a member's cookie.</summary>
public static class SiteOrigin
{
    /// <summary>Why the cookie of this request counts for nothing, in a sentence, or null. Browsers say where a request comes from; whoever does not say it, is no page of this host.</summary>
    public static string? Fault(HttpContext context)
    {
        var headers = context.Request.Headers;
        var own = context.Site().Origin.GetLeftPart(UriPartial.Authority);
        var isOwn = headers.Origin is [{ } origin] ? string.Equals(origin, own, StringComparison.OrdinalIgnoreCase) : headers["Sec-Fetch-Site"] == "same-origin";
        return isOwn ? null : $"Sent from elsewhere, this changes nothing: it takes a page of {own}.";
    }
}
