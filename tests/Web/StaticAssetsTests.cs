using System.Net;

namespace Eddy.Tests.Web;

/// <summary>What browsers load beside the pages.</summary>
public sealed class StaticAssetsTests(TestDatabase database)
{
    [Theory]
    [InlineData("/_content/BlazorMonaco/lib/monaco-editor/min/vs/editor/editor.main.js", 1_200_000)]
    [InlineData("/look/eddy.css", 40_000)]
    public async Task It_comes_packed(string path, int most)
    {
        var web = await database.WebAsync();
        using var browser = new HttpClient(new SocketsHttpHandler { AutomaticDecompression = DecompressionMethods.None }) { BaseAddress = web.Address };
        using var ask = new HttpRequestMessage(HttpMethod.Get, path);
        ask.Headers.AcceptEncoding.ParseAdd("gzip, br");

        using var answer = await browser.SendAsync(ask, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        answer.Content.Headers.ContentEncoding.ShouldHaveSingleItem();
        (await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length.ShouldBeLessThan(most);
        answer.Headers.ETag.ShouldNotBeNull();
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
    }
}
