using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;

namespace Eddy.Tests.Endpoints;

/// <summary>API scripts as callers meet them: over HTTP, on the tenant's own host.</summary>
public sealed class EndpointDoorTests(TestWay way) : IClassFixture<TestWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_function_answers_at_the_tenant_s_host_and_at_no_other()
    {
        var caller = await way.CallerAsync(("api/hello.py", "def world(request):\n    response = HttpResponse('<b>hi</b>')\n    response['X-Mine'] = 'yes'\n    response['Server'] = 'mine'\n    response.set_cookie('seen', 1)\n    return response\n"));
        var other = await way.CallerAsync();

        using var answer = await AskAsync(caller, HttpMethod.Get, "/api/v1/hello/world");

        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldBe("<b>hi</b>");
        answer.Content.Headers.ContentType!.ToString().ShouldBe("text/html; charset=utf-8");
        answer.Headers.GetValues("X-Mine").ShouldBe(["yes"]);
        answer.Headers.Contains("Server").ShouldBeFalse();
        answer.Headers.GetValues("Set-Cookie").ShouldHaveSingleItem().ShouldStartWith("seen=1");
        answer.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        answer.Headers.Contains("Eddy-Call").ShouldBeTrue();
        using var elsewhere = await AskAsync(other, HttpMethod.Get, "/api/v1/hello/world");
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        using var platform = await caller.Http.GetAsync("/api/v1/hello/world", Cancel);
        platform.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task What_failed_is_a_problem_without_a_trace_for_its_caller_and_on_record_for_its_tenant()
    {
        var caller = await way.CallerAsync(("api/one.py", "def it(request):\n    raise KeyError('of the tenant alone')\n"));

        using var answer = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it");

        answer.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        var said = await answer.Content.ReadAsStringAsync(Cancel);
        JsonDocument.Parse(said).RootElement.GetProperty("type").GetString().ShouldBe("/docs/problems#script-failed");
        said.ShouldNotContain("alone");
        var record = (await caller.GetAsync("/api/calls")).GetProperty("calls").EnumerateArray().ShouldHaveSingleItem();
        record.GetProperty("id").GetString().ShouldBe(answer.Headers.GetValues("Eddy-Call").Single());
        record.GetProperty("error").GetProperty("traceback").GetString()!.ShouldContain("line 2, in it");
        record.GetProperty("status").GetInt32().ShouldBe(500);
    }

    [Fact]
    public async Task A_key_of_the_tenant_is_known_and_one_of_another_is_not()
    {
        var caller = await way.CallerAsync(("api/one.py", "@key_required('write')\ndef it(request):\n    return [request.api_key, 'Authorization' in request.headers]\n"));
        var other = await way.CallerAsync();

        using var mine = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it", authorization: "Bearer " + await caller.Tenant.AddKeyAsync("robot", "write"));
        (await mine.Content.ReadAsStringAsync(Cancel)).ShouldBe("""["robot", false]""");
        using var foreign = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it", authorization: "Bearer " + await other.Tenant.AddKeyAsync("robot", "write"));
        foreign.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var none = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it");
        none.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    [Fact]
    public async Task Pages_of_origins_that_a_function_names_may_ask_it()
    {
        var caller = await way.CallerAsync(("api/one.py", "@cors('https://shop.example')\ndef it(request):\n    return 1\n\ndef closed(request):\n    return 1\n"));

        using var asked = await AskAsync(caller, HttpMethod.Options, "/api/v1/one/it", headers: [("Origin", "https://shop.example"), ("Access-Control-Request-Method", "POST"), ("Access-Control-Request-Headers", "x-a")]);
        asked.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        asked.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://shop.example"]);
        asked.Headers.GetValues("Access-Control-Allow-Headers").ShouldBe(["x-a"]);
        asked.Headers.Contains("Access-Control-Allow-Credentials").ShouldBeFalse();
        using var taken = await AskAsync(caller, HttpMethod.Post, "/api/v1/one/it", headers: [("Origin", "https://shop.example")]);
        taken.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://shop.example"]);
        using var others = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it", headers: [("Origin", "https://evil.example")]);
        others.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
        using var closed = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/closed", headers: [("Origin", "https://shop.example")]);
        closed.Headers.Contains("Access-Control-Allow-Origin").ShouldBeFalse();
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused_before_anything_runs()
    {
        var caller = await way.CallerAsync(("api/one.py", "def it(request):\n    shared.ran = True\n    return len(request.RAW)\n"));

        using var large = await AskAsync(caller, HttpMethod.Post, "/api/v1/one/it", new ByteArrayContent(new byte[(5 << 20) + 1]));
        large.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        using var fits = await AskAsync(caller, HttpMethod.Post, "/api/v1/one/it", new ByteArrayContent(new byte[5 << 20]));
        (await fits.Content.ReadAsStringAsync(Cancel)).ShouldBe((5 << 20).ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task A_cookie_can_neither_be_ours_nor_of_the_domain_above()
    {
        var caller = await way.CallerAsync(("api/one.py", "def it(request):\n    r = HttpResponse('x')\n    r.headers['Set-Cookie'] = ['__Host-eddy-site=forged; Path=/; Secure', 'a=b; Domain=localhost; Path=/']\n    return r\n\ndef told(request):\n    return request.headers.get('Cookie')\n"));

        using var answer = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it");
        answer.Headers.GetValues("Set-Cookie").ShouldBe(["a=b; Path=/"]);
        using var told = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/told", headers: [("Cookie", "mine=1; __Host-eddy-site=secret")]);
        (await told.Content.ReadAsStringAsync(Cancel)).ShouldBe("mine=1");
    }

    [Fact]
    public async Task A_header_that_brings_another_along_fails()
    {
        var caller = await way.CallerAsync(("api/one.py", "def it(request):\n    r = HttpResponse('x')\n    r['X-A'] = 'a\\r\\nSet-Cookie: b=c'\n    return r\n"));

        using var answer = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it");

        answer.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        answer.Headers.Contains("Set-Cookie").ShouldBeFalse();
    }

    [Theory]
    [InlineData("Set-Cookie: __Host-eddy-site=forged; Path=/; Secure; x")]
    [InlineData("Transfer-Encoding: chunked, x")]
    [InlineData("X A")]
    [InlineData("")]
    public async Task A_name_that_is_no_header_s_fails(string name)
    {
        var caller = await way.CallerAsync(("api/one.py", $"def it(request):\n    r = HttpResponse('x')\n    r[{JsonSerializer.Serialize(name)}] = 'a'\n    return r\n"));

        using var answer = await AskAsync(caller, HttpMethod.Get, "/api/v1/one/it");

        answer.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        answer.Headers.Contains("Set-Cookie").ShouldBeFalse();
    }

    [Fact]
    public async Task The_api_is_described_from_names_hints_and_docstrings()
    {
        var caller = await way.CallerAsync(("api/shop.py", "def order(request, amount: int, note: str = '') -> dict:\n    \"\"\"Takes an order.\n\n    It is paid later.\"\"\"\n    return {}\n\n@members_only\ndef orders(request):\n    return []\n"));

        using var answer = await AskAsync(caller, HttpMethod.Get, "/api/v1/openapi.json");

        using var described = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        described.RootElement.GetProperty("openapi").GetString().ShouldBe("3.1.0");
        var paths = described.RootElement.GetProperty("paths");
        paths.EnumerateObject().Select(path => path.Name).ShouldBe(["/api/v1/shop/order"]);
        var get = paths.GetProperty("/api/v1/shop/order").GetProperty("get");
        get.GetProperty("summary").GetString().ShouldBe("Takes an order.");
        get.GetProperty("parameters").ToString().ShouldBe("""[{"name":"amount","in":"query","required":true,"schema":{"type":"integer"}},{"name":"note","in":"query","required":false,"schema":{"type":"string"}}]""");
        using var more = await AskAsync(caller, HttpMethod.Get, "/api/v1/openapi.json", authorization: "Bearer " + caller.Tenant.Key);
        (await more.Content.ReadAsStringAsync(Cancel)).ShouldContain("/api/v1/shop/orders");
    }

    private async Task<HttpResponseMessage> AskAsync(TestCaller caller, HttpMethod method, string path, HttpContent? content = null, string? authorization = null, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient(new HttpClientHandler { UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = way.Web.Address };
        using var request = new HttpRequestMessage(method, path) { Content = content };
        // What is refused by its length is not sent.
        request.Headers.ExpectContinue = content is not null;
        request.Headers.Host = $"{caller.Tenant.Slug}.localhost:{way.Web.Address.Port}";
        if (authorization is not null)
        {
            request.Headers.Authorization = AuthenticationHeaderValue.Parse(authorization);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request, Cancel);
    }
}
