using System.Net;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Eddy.Bench.Load;

/// <summary>Somebody who has signed in: the demo's account, by the form that people use.</summary>
/// <param name="Cookies">As the browser sends them.</param>
/// <param name="ApiKey">Of the demo tenant.</param>
internal sealed partial record Visitor(string Slug, string ApiKey, string Cookies)
{
    /// <summary>Makes the demo tenant where it is not there yet, and signs in.</summary>
    public static async Task<Visitor> EnterAsync(string root, Product product, CancellationToken cancel)
    {
        var address = new Uri($"http://localhost:{product.Port}");
        var facts = Path.Combine(product.Home, "demo.json");
        Tool.Run(Path.Combine(root, "eddy"), ["demo", "--url", address.ToString(), "--out", facts], cancel, ("EDDY_HOME", product.Home));
        var demo = JsonNode.Parse(await File.ReadAllTextAsync(facts, cancel))!;

        using var web = new HttpClient(new SocketsHttpHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = address };
        using var form = await web.GetAsync("/sign-in", cancel);
        var cookies = CookiesOf(form);
        var token = Token().Match(await form.Content.ReadAsStringAsync(cancel)).Groups[1].Value;
        using var sent = new HttpRequestMessage(HttpMethod.Post, "/sign-in")
        {
            Content = new FormUrlEncodedContent(
            [
                new("_handler", "sign-in"), new("__RequestVerificationToken", WebUtility.HtmlDecode(token)),
                new("Form.Email", (string?)demo["email"]), new("Form.Password", (string?)demo["password"]), new("Form.Passkey", ""),
            ]),
        };
        sent.Headers.Add("Cookie", cookies);
        sent.Headers.Add("Origin", address.GetLeftPart(UriPartial.Authority));
        using var answer = await web.SendAsync(sent, cancel);
        return answer.StatusCode == HttpStatusCode.Found
            ? new Visitor((string)demo["tenant"]!, (string)demo["apiKey"]!, $"{cookies}; {CookiesOf(answer)}")
            : throw new BenchFault($"The demo's account could not sign in ({(int)answer.StatusCode}).");
    }

    private static string CookiesOf(HttpResponseMessage answer) =>
        string.Join("; ", answer.Headers.TryGetValues("Set-Cookie", out var set) ? set.Select(one => one[..one.IndexOf(';', StringComparison.Ordinal)]) : []);

    [GeneratedRegex("name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"")]
    private static partial Regex Token();
}
