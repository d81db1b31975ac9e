using Eddy.Egress;

namespace Eddy.Tests.Egress;

/// <summary>Redirects as the libraries in a cell follow them: one call for each hop.</summary>
public sealed class RedirectTests
{
    private static readonly (string, string)[] Credentials = [("Authorization", "Bearer geheim"), ("Cookie", "session=geheim"), ("Proxy-Authorization", "Basic geheim"), ("X-Other", "stays")];

    private static string To(string url) => $"HTTP/1.1 302 Found\r\nLocation: {url}\r\nContent-Length: 0\r\n\r\n";

    [Fact]
    public async Task A_redirect_is_told_and_not_followed()
    {
        await using var server = new RawServer(To("/next"));
        await using var calls = TestCalls.To(server);

        var answer = await calls.GetAsync(server.Url);

        answer.Status.ShouldBe(302);
        answer.Header("Location").ShouldBe("/next");
        server.Requests.Count.ShouldBe(1);
    }

    [Theory]
    [InlineData("http://169.254.169.254/latest/meta-data/")]
    [InlineData("http://[::ffff:10.0.0.1]/")]
    [InlineData("http://localhost:80/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("http://127.0.0.1:22/")]
    public async Task A_redirect_into_a_forbidden_net_is_checked_like_any_call(string target)
    {
        await using var server = new RawServer(To(target));
        await using var calls = TestCalls.To(server);

        var location = (await calls.GetAsync(server.Url)).Header("Location")!;
        var hop = await calls.GetAsync(location);

        location.ShouldBe(target);
        hop.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
    }

    [Fact]
    public async Task A_loop_of_redirects_ends_after_five()
    {
        await using var server = new RawServer(call => call.WriteAsync(To(call.Path == "/a" ? "/b" : "/a")));
        await using var calls = TestCalls.To(server);
        var url = server.Url + "a";
        CallAnswer answer;
        do
        {
            answer = await calls.GetAsync(url);
            url = answer.Fault is null ? new Uri(new Uri(url), answer.Header("Location")!).AbsoluteUri : url;
        }
        while (answer.Fault is null);

        answer.Fault.Message.ShouldContain("5 redirects");
        server.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task An_endless_chain_of_new_addresses_ends_after_five()
    {
        await using var server = new RawServer(call => call.WriteAsync(To($"/{int.Parse(call.Path[1..]) + 1}")));
        await using var calls = TestCalls.To(server);
        var made = 0;
        while ((await calls.GetAsync($"{server.Url}{made}")).Fault is null)
        {
            made++;
        }

        made.ShouldBe(6);
    }

    [Fact]
    public async Task Polling_an_address_that_redirects_is_no_loop()
    {
        await using var server = new RawServer(call => call.WriteAsync(call.Path == "/status" ? To("/work") : RawServer.Ok("busy")));
        await using var calls = TestCalls.To(server);

        for (var i = 0; i < 20; i++)
        {
            (await calls.GetAsync(server.Url + "status")).Status.ShouldBe(302);
            (await calls.GetAsync(server.Url + "work")).Text().ShouldBe("busy");
        }
    }

    [Fact]
    public async Task A_hop_to_another_origin_loses_the_credentials()
    {
        await using var other = new RawServer(RawServer.Ok("other"));
        await using var server = new RawServer(To(other.Url + "there"));
        await using var calls = TestCalls.To(server, other);

        await calls.GetAsync(server.Url, Credentials);
        await calls.GetAsync(other.Url + "there", Credentials);

        server.Requests[0].ShouldContain("Bearer geheim");
        other.Requests[0].ShouldNotContain("geheim");
        other.Requests[0].ShouldContain("X-Other: stays");
    }

    [Fact]
    public async Task A_hop_that_is_spelt_otherwise_than_the_redirect_loses_them_all_the_same()
    {
        await using var other = new RawServer(RawServer.Ok("other"));
        await using var server = new RawServer(To($"{other.Url}a/./%7euser/caf\u00c3\u00a9?x=[1]"));
        await using var calls = TestCalls.To(server, other);

        await calls.GetAsync(server.Url, Credentials);
        await calls.GetAsync(other.Url + "a/~user/caf%C3%A9?x=%5B1%5D", Credentials);

        other.Requests[0].ShouldNotContain("geheim");
    }

    [Fact]
    public async Task A_chain_that_left_its_origin_does_not_get_them_back_by_a_redirect_within_the_next()
    {
        await using var other = new RawServer(call => call.WriteAsync(call.Path == "/one" ? To("/two") : RawServer.Ok("two")));
        await using var server = new RawServer(To(other.Url + "one"));
        await using var calls = TestCalls.To(server, other);

        await calls.GetAsync(server.Url, Credentials);
        await calls.GetAsync(other.Url + "one", Credentials);
        await calls.GetAsync(other.Url + "two", Credentials);

        string.Join('\n', other.Requests).ShouldNotContain("geheim");
        other.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_next_call_that_is_read_differently_here_is_a_hop_while_it_is_a_get_and_the_rules_own_where_it_posts()
    {
        await using var other = new RawServer(RawServer.Ok("other"));
        await using var server = new RawServer(To(other.Url + "a\\..;//b"));
        await using var calls = TestCalls.To(server, other);

        await calls.GetAsync(server.Url);
        await calls.GetAsync(other.Url + "elsewhere", Credentials);
        await calls.GetAsync(server.Url);
        await calls.CallAsync("POST", other.Url + "token", "", Credentials);

        other.Requests[0].ShouldNotContain("geheim");
        other.Requests[1].ShouldContain("Bearer geheim");
    }

    [Fact]
    public async Task A_hop_within_one_origin_keeps_them()
    {
        await using var server = new RawServer(call => call.WriteAsync(call.Path == "/" ? To("/next") : RawServer.Ok("next")));
        await using var calls = TestCalls.To(server);

        await calls.GetAsync(server.Url, Credentials);
        await calls.GetAsync(server.Url + "next", Credentials);

        server.Requests[1].ShouldContain("Bearer geheim");
    }

    [Fact]
    public async Task A_call_of_the_rules_own_to_where_a_redirect_led_before_keeps_them()
    {
        await using var other = new RawServer(RawServer.Ok("other"));
        await using var server = new RawServer(To(other.Url + "there"));
        await using var calls = TestCalls.To(server, other);

        await calls.GetAsync(server.Url);
        await calls.GetAsync(other.Url + "there");
        await calls.GetAsync(other.Url + "there", Credentials);

        other.Requests[1].ShouldContain("Bearer geheim");
    }

    [Fact]
    public async Task A_hop_that_failed_is_still_a_hop_when_it_is_tried_again()
    {
        var tries = 0;
        await using var other = new RawServer(async call =>
        {
            if (Interlocked.Increment(ref tries) > 1)
            {
                await call.WriteAsync(RawServer.Ok("other"));
                return;
            }

            await call.WriteAsync("HTTP/1.1 20");
            call.HangUp();
        });
        await using var server = new RawServer(To(other.Url));
        await using var calls = TestCalls.To(server, other);

        await calls.GetAsync(server.Url, Credentials);
        (await calls.GetAsync(other.Url, Credentials)).Fault.ShouldNotBeNull();
        (await calls.GetAsync(other.Url, Credentials)).Text().ShouldBe("other");

        string.Join('\n', other.Requests).ShouldNotContain("geheim");
    }
}
