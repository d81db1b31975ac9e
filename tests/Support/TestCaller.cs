using System.Net;
using System.Text;
using System.Text.Json;

namespace Eddy.Tests;

/// <summary>Somebody with a tenant's key, at the product's doors.</summary>
public sealed record TestCaller(TestTenant Tenant, HttpClient Http)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public Task<HttpResponseMessage> PostAsync(string body, string query = "", string type = "application/json", params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/in" + query) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)) };
        request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
            }
        }

        return Http.SendAsync(request, Cancel);
    }

    /// <summary>Sends an event to an address that says it all.</summary>
    public Task<HttpResponseMessage> PostToAsync(string address) => Http.PostAsync(address, new StringContent("{\"n\": 1}", Encoding.UTF8, "application/json"), Cancel);

    /// <summary>Sends it in and waits for all that it causes; the answer says what that was.</summary>
    public Task<JsonElement> SettleAsync(string body, string query = "", string type = "application/json", params (string Name, string Value)[] headers) =>
        PostAsync(body, query, type, [("Prefer", "wait=60"), .. headers]).JsonAsync();

    /// <summary>Sends it in and does not wait.</summary>
    public Task<JsonElement> SendAsync(string body, string query = "", string type = "application/json", params (string Name, string Value)[] headers) =>
        PostAsync(body, query, type, headers).JsonAsync(HttpStatusCode.Accepted);

    public Task<JsonElement> GetAsync(string path, HttpStatusCode status = HttpStatusCode.OK) => Http.GetAsync(path, Cancel).JsonAsync(status);

    public async Task<JsonElement> SharedAsync() => (await GetAsync("/api/shared")).GetProperty("kvps");

    public async Task<JsonElement> ProcessAsync(long pid) => (await GetAsync($"/api/processes/{pid}")).GetProperty("kvps");

    public Task<HttpResponseMessage> PutAsync(string path, string body, string type = "application/json") =>
        Http.PutAsync(path, new StringContent(body, Encoding.UTF8, type), Cancel);

    /// <summary>Saves a file, whatever it says: again while the web, which has just started, has no sandbox yet.</summary>
    public async Task<JsonElement> SaveAsync(string path, string text)
    {
        var (status, answer) = (HttpStatusCode.ServiceUnavailable, "");
        await Patience.UntilAsync("a file is checked", Patience.Long, async () =>
        {
            using var response = await PutAsync("/api/files/" + path, text, "text/plain");
            (status, answer) = (response.StatusCode, await response.Content.ReadAsStringAsync(Cancel));
            return status != HttpStatusCode.ServiceUnavailable;
        });
        ((int)status).ShouldBeInRange(200, 299, answer);
        return JsonDocument.Parse(answer).RootElement;
    }
}
