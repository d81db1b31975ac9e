using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Eddy.Sites;
using Microsoft.AspNetCore.Http;

namespace Eddy.Tests.Sites;

/// <summary>How often a site is asked.</summary>
public sealed class SitePaceTests(TestDatabase database)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_asks_too_often_is_told_to_come_later_and_who_has_another_address_is_answered()
    {
        await using var web = await TestWeb.StartAsync(database, "Sites:AddressRequests=1");
        var tenant = await TestTenant.MakeAsync(database);
        using var eager = Client("127.0.0.2");
        using var calm = Client("127.0.0.3");

        using var refused = await RefusedAsync(eager, web, tenant);

        await ShouldBeAProblemAsync(refused);
        using var answered = await AskAsync(calm, web, tenant);
        answered.StatusCode.ShouldBe(HttpStatusCode.OK);
        // The platform counts for itself.
        using var platform = await eager.GetAsync(new Uri(web.Address, "/health/live"), Cancel);
        platform.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task A_site_that_many_ask_takes_nothing_from_another()
    {
        await using var web = await TestWeb.StartAsync(database, "Sites:TenantRequests=1");
        var (tenant, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        using var client = Client("127.0.0.2");

        using var refused = await RefusedAsync(client, web, tenant);

        await ShouldBeAProblemAsync(refused);
        using var answered = await AskAsync(client, web, other);
        answered.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("2001:db8:1:2:3:4:5:6", "2001:db8:1:2:ffff::1", true)]
    [InlineData("2001:db8:1:2::1", "2001:db8:1:3::1", false)]
    [InlineData("192.0.2.1", "::ffff:192.0.2.1", true)]
    [InlineData("192.0.2.1", "192.0.2.2", false)]
    public void A_net_that_one_has_counts_as_one(string one, string other, bool isOne) => (SitePace.PlaceOf(IPAddress.Parse(one)) == SitePace.PlaceOf(IPAddress.Parse(other))).ShouldBe(isOne);

    private static async Task ShouldBeAProblemAsync(HttpResponseMessage refused)
    {
        refused.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        refused.Headers.RetryAfter!.Delta!.Value.ShouldBeGreaterThanOrEqualTo(TimeSpan.FromSeconds(1));
        refused.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        var problem = JsonDocument.Parse(await refused.Content.ReadAsStringAsync(Cancel)).RootElement;
        problem.GetProperty("type").GetString().ShouldBe("/docs/problems#too-many-requests");
        problem.GetProperty("status").GetInt32().ShouldBe(StatusCodes.Status429TooManyRequests);
    }

    /// <summary>Asks until that is too often; two a second are not.</summary>
    private static async Task<HttpResponseMessage> RefusedAsync(HttpClient client, TestWeb web, TestTenant tenant)
    {
        HttpResponseMessage? refused = null;
        await Patience.UntilAsync("it is too often", Patience.Long, async () =>
        {
            foreach (var answer in await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => AskAsync(client, web, tenant))))
            {
                if (refused is null && answer.StatusCode == HttpStatusCode.TooManyRequests)
                {
                    refused = answer;
                }
                else
                {
                    answer.Dispose();
                }
            }

            return refused is not null;
        });
        return refused!;
    }

    private static async Task<HttpResponseMessage> AskAsync(HttpClient client, TestWeb web, TestTenant tenant)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(web.Address, "/_eddy/site.css"));
        request.Headers.Host = $"{tenant.Slug}.localhost:{web.Address.Port}";
        return await client.SendAsync(request, Cancel);
    }

    /// <summary>Calls from this address of the machine.</summary>
    private static HttpClient Client(string from) => new(new SocketsHttpHandler
    {
        ConnectCallback = async (context, cancel) =>
        {
            var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(new IPEndPoint(IPAddress.Parse(from), 0));
            await socket.ConnectAsync(context.DnsEndPoint, cancel);
            return new NetworkStream(socket, ownsSocket: true);
        },
    });
}
