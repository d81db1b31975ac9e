using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Eddy.Apps;

namespace Eddy.Tests.Apps;

/// <summary>Apps at the door of the API.</summary>
internal static class TestApp
{
    public static byte[] Zip(params (string Path, string Text)[] files) => AppArchive.Write(files.Select(file => (file.Path, Encoding.UTF8.GetBytes(file.Text), DateTimeOffset.UnixEpoch)));

    public static async Task<HttpResponseMessage> SendAsync(HttpClient http, string path, byte[] zip, string? tree = null)
    {
        HttpResponseMessage? answer = null;
        await Patience.UntilAsync("files are checked", Patience.Long, async () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new ByteArrayContent(zip) };
            request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
            if (tree is not null)
            {
                request.Headers.TryAddWithoutValidation("If-Match", tree);
            }

            answer = await http.SendAsync(request, TestContext.Current.CancellationToken);
            return answer.StatusCode != HttpStatusCode.ServiceUnavailable;
        });
        return answer!;
    }

    public static Task<JsonElement> PlanAsync(HttpClient http, byte[] zip) => SendAsync(http, "/api/app/plan", zip).JsonAsync();

    public static Task<JsonElement> ImportAsync(HttpClient http, byte[] zip) => SendAsync(http, "/api/app", zip).JsonAsync();
}
