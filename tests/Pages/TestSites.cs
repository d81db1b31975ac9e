using System.Net;
using Eddy.Access;
using Eddy.Pages;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Pages;

/// <summary>A tenant's host, asked as a browser without scripts does.</summary>
internal static class TestSites
{
    /// <summary>Renders a page as whoever this is; as everybody where nobody is named.</summary>
    public static Task<PageRendering> RenderAsync(this TestWay way, TestTenant tenant, PageSet set, string path, long? pid = null, ActorAccess? rights = null, string zone = "UTC") =>
        set.RenderAsync(
            tenant.Id, path, pid, new PageReader(rights, null), TimeZoneInfo.FindSystemTimeZoneById(zone), way.Web.Services.GetRequiredService<PageSources>(), TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken);

    public static async Task<(HttpStatusCode Status, string Text, HttpResponseMessage Answer)> SeeAsync(this TestWeb web, TestTenant tenant, string path, HttpMethod? method = null, string? tag = null)
    {
        using var http = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, new Uri(web.Address, path));
        request.Headers.Host = $"{tenant.Slug}.localhost:{web.Address.Port}";
        request.Headers.Accept.ParseAdd("text/html");
        if (tag is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", tag);
        }

        var answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), answer);
    }
}
