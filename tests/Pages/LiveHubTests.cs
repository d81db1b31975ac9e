using System.Net.WebSockets;
using System.Text;

namespace Eddy.Tests.Pages;

/// <summary>The line of open pages, spoken by hand: what a page of another origin, a stranger and another tenant's host get from it.</summary>
public sealed class LiveHubTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Public = """<meta name="eddy-access" content="public">""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_page_is_followed_from_its_own_origin_alone()
    {
        var caller = await way.CallerAsync(("pages/x.html", Public + "the page"));

        (await AskAsync(caller.Tenant, OriginOf(caller.Tenant), "Follow", "\"/x\",null")).ShouldContain("the page");
        (await AskAsync(caller.Tenant, "http://evil.localhost", "Follow", "\"/x\",null")).ShouldNotContain("the page");
        (await AskAsync(caller.Tenant, null, "Follow", "\"/x\",null")).ShouldNotContain("the page");
    }

    [Fact]
    public async Task Nobody_follows_what_is_for_members_or_another_tenant_s()
    {
        var caller = await way.CallerAsync(("pages/x.html", Public + "the page"), ("pages/m.html", "of members"));
        var other = await way.CallerAsync(("pages/y.html", Public + "another"));

        (await AskAsync(caller.Tenant, OriginOf(caller.Tenant), "Follow", "\"/m\",null")).ShouldContain("\"result\":null");
        (await AskAsync(other.Tenant, OriginOf(other.Tenant), "Follow", "\"/x\",null")).ShouldContain("\"result\":null");
        (await AskAsync(other.Tenant, OriginOf(other.Tenant), "Follow", "\"/_404\",null")).ShouldContain("\"result\":null");
    }

    [Fact]
    public async Task What_is_no_call_of_ours_is_refused_without_a_word_of_why()
    {
        var caller = await way.CallerAsync(("pages/x.html", Public + "the page"));

        var answer = await AskAsync(caller.Tenant, OriginOf(caller.Tenant), "Nothing", "1");

        answer.ShouldContain("\"error\"");
        answer.ShouldNotContain("   at ");
    }

    private string OriginOf(TestTenant tenant) => $"http://{tenant.Slug}.localhost:{way.Web.Address.Port}";

    /// <summary>What is answered until the call has its result, or the line ends.</summary>
    private async Task<string> AskAsync(TestTenant tenant, string? origin, string method, string arguments)
    {
        using var line = new ClientWebSocket();
        line.Options.SetRequestHeader("Host", $"{tenant.Slug}.localhost:{way.Web.Address.Port}");
        if (origin is not null)
        {
            line.Options.SetRequestHeader("Origin", origin);
        }

        await line.ConnectAsync(new UriBuilder(way.Web.Address) { Scheme = "ws", Path = "/_eddy/live" }.Uri, Cancel);
        var heard = new StringBuilder();
        try
        {
            await SayAsync("""{"protocol":"json","version":1}""");
            await SayAsync($$"""{"type":1,"invocationId":"1","target":"{{method}}","arguments":[{{arguments}}]}""");
            var buffer = new byte[16384];
            while (!heard.ToString().Contains("\"invocationId\":\"1\"", StringComparison.Ordinal))
            {
                var got = await line.ReceiveAsync(buffer, Cancel);
                if (got.MessageType == WebSocketMessageType.Close)
                {
                    break;
                }

                heard.Append(Encoding.UTF8.GetString(buffer, 0, got.Count));
            }
        }
        catch (WebSocketException)
        {
            // It was cut off.
        }

        return heard.ToString();

        Task SayAsync(string message) => line.SendAsync(Encoding.UTF8.GetBytes(message + "\u001e"), WebSocketMessageType.Text, true, Cancel);
    }
}
