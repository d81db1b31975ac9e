using System.Net;
using Eddy.Tests.Browser;

namespace Eddy.Tests.Sites;

/// <summary>A browser without scripts that goes between the platform and the hosts of tenants: cookies are kept by host, and it says of each request whence it comes.</summary>
internal sealed class TestVisitor(TestWeb web) : IDisposable
{
    private readonly Dictionary<string, Dictionary<string, string>> _cookies = new(StringComparer.Ordinal);
    private readonly HttpClient _http = new(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false });

    public Uri Platform => web.Address;

    public Uri SiteOf(TestTenant tenant) => new($"http://{tenant.Slug}.localhost:{web.Address.Port}");

    /// <summary>What this browser keeps for a host.</summary>
    public Dictionary<string, string> CookiesOf(Uri host) => _cookies.TryGetValue(host.Authority, out var kept) ? kept : _cookies[host.Authority] = new(StringComparer.Ordinal);

    /// <summary>What was said of cookies, with everything that limits them.</summary>
    public List<string> CookieLines { get; } = [];

    public void Dispose() => _http.Dispose();

    public Task<Seen> GetAsync(Uri address, params (string Name, string Value)[] headers) => SendAsync(HttpMethod.Get, address, null, headers);

    public Task<Seen> PostAsync(Uri address, (string Name, string Value)[] fields, params (string Name, string Value)[] headers) =>
        SendAsync(HttpMethod.Post, address, new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))), headers);

    /// <summary>Signs in on the platform.</summary>
    public async Task SignInAsync(string address)
    {
        using var forms = new Identity.TestForms(web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();
        foreach (var (name, value) in forms.Kept)
        {
            CookiesOf(Platform)[name] = value;
        }
    }

    /// <summary>Begins at the site, and goes to the platform; the answer is where that leads on to, and null where it does not.</summary>
    public async Task<(Seen Page, Uri? Next)> BeginAsync(TestTenant tenant, string to = "/")
    {
        var begun = await GetAsync(new Uri(SiteOf(tenant), "/_eddy/sign-in?to=" + Uri.EscapeDataString(to)));
        begun.Status.ShouldBe(HttpStatusCode.Redirect);
        var page = await GetAsync(begun.To!);
        return (page, page.Refresh);
    }

    /// <summary>All of the way; the answer is where it ends.</summary>
    public async Task<Uri> EnterAsync(TestTenant tenant, string to = "/")
    {
        var (_, next) = await BeginAsync(tenant, to);
        var entered = await GetAsync(next.ShouldNotBeNull());
        entered.Status.ShouldBe(HttpStatusCode.Redirect);
        return entered.To!;
    }

    private async Task<Seen> SendAsync(HttpMethod method, Uri address, HttpContent? body, (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, new UriBuilder(address) { Host = "127.0.0.1" }.Uri) { Content = body };
        request.Headers.Host = address.Authority;
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        if (CookiesOf(address) is { Count: > 0 } kept)
        {
            request.Headers.Add("Cookie", string.Join("; ", kept.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        }

        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        foreach (var line in answer.Headers.TryGetValues("Set-Cookie", out var lines) ? lines : [])
        {
            CookieLines.Add(line);
            var pair = line.Split(';')[0].Split('=', 2);
            if (pair[1].Length == 0)
            {
                CookiesOf(address).Remove(pair[0]);
            }
            else
            {
                CookiesOf(address)[pair[0]] = pair[1];
            }
        }

        var refresh = answer.Headers.TryGetValues("Refresh", out var next) ? new Uri(next.Single()["0; url=".Length..]) : null;
        var headersOf = answer.Headers.Concat(answer.Content.Headers).ToDictionary(header => header.Key, header => string.Join(", ", header.Value), StringComparer.OrdinalIgnoreCase);
        return new Seen(
            answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), answer.Headers.Location is { } to ? new Uri(address, to) : null, refresh, headersOf);
    }

    internal sealed record Seen(HttpStatusCode Status, string Text, Uri? To, Uri? Refresh, IReadOnlyDictionary<string, string> Headers);
}
