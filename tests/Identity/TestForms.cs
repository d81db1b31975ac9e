using System.Net;
using System.Text.RegularExpressions;

namespace Eddy.Tests.Identity;

/// <summary>A browser without scripts: it keeps cookies, reads a page and sends one of its forms.</summary>
internal sealed partial class TestForms(TestWeb web) : IDisposable
{
    // Cookies that only encrypted connections carry are sent over loopback by browsers, and not by this client.
    private readonly Dictionary<string, string> _cookies = new(StringComparer.Ordinal);
    private readonly HttpClient _http = new(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = web.Address };

    public IReadOnlyCollection<string> Cookies => _cookies.Keys;

    public IReadOnlyDictionary<string, string> Kept => _cookies;

    /// <summary>All that was said of cookies.</summary>
    public List<string> CookieLines { get; } = [];

    public void Dispose() => _http.Dispose();

    public async Task<(HttpStatusCode Status, string Text, string? Location)> GetAsync(string path) => await SendAsync(new HttpRequestMessage(HttpMethod.Get, path));

    /// <summary>Reads the page and sends its form of this name with these fields.</summary>
    public async Task<(HttpStatusCode Status, string Text, string? Location)> SendAsync(string path, string form, params (string Name, string Value)[] fields)
    {
        var page = await GetAsync(path);
        var token = Token().Match(page.Text).Groups[1].Value;
        return await PostAsync(path, [("_handler", form), ("__RequestVerificationToken", token), .. fields]);
    }

    public Task<(HttpStatusCode Status, string Text, string? Location)> PostAsync(string path, params (string Name, string Value)[] fields) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value))) });

    public async Task<bool> SignInAsync(string address, string password) =>
        (await SendAsync("/sign-in", "sign-in", ("Form.Email", address), ("Form.Password", password))).Location == "/t";

    private async Task<(HttpStatusCode Status, string Text, string? Location)> SendAsync(HttpRequestMessage request)
    {
        if (_cookies.Count > 0)
        {
            request.Headers.Add("Cookie", string.Join("; ", _cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        }

        using var answer = await _http.SendAsync(request, TestContext.Current.CancellationToken);
        foreach (var line in answer.Headers.TryGetValues("Set-Cookie", out var lines) ? lines : [])
        {
            CookieLines.Add(line);
            var pair = line.Split(';')[0].Split('=', 2);
            if (pair[1].Length == 0)
            {
                _cookies.Remove(pair[0]);
            }
            else
            {
                _cookies[pair[0]] = pair[1];
            }
        }

        var location = answer.Headers.Location is { } to ? (to.IsAbsoluteUri ? to.PathAndQuery : to.OriginalString) : null;
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), location is null || location.StartsWith('/') ? location : "/" + location);
    }

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"", RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
