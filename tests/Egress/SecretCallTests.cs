using System.IO.Compression;
using System.Net;
using System.Text;
using Eddy.Egress;
using Eddy.Postgres;
using Eddy.Secrets;
using Eddy.Tests.Secrets;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Eddy.Tests.Egress;

/// <summary>Secrets on their way: placeholders from the cell, values on the wire, placeholders again in what comes back.</summary>
public sealed class SecretCallTests(TestDatabase database) : IAsyncLifetime
{
    private const string Value = "s3cr3t/Value+with \"odd\" & ünusual=letters";

    private TestTenant _tenant = null!;
    private SecretStore _store = null!;
    private SecretKeeper _keeper = null!;
    private readonly CallTrail _trail = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tenant = await TestTenant.MakeAsync(database);
        _store = TestSecrets.Store(database, TestSecrets.Masters(TestSecrets.Line("one")));
        _keeper = TestSecrets.Keeper(_store);
    }

    [Fact]
    public async Task A_database_that_is_away_is_no_answer_and_nobodys_fault()
    {
        await using var nowhere = NpgsqlDataSource.Create("Host=/nowhere;Username=nobody");
        using var keeper = TestSecrets.Keeper(new SecretStore(new EddyDbs(nowhere), TestSecrets.Masters(TestSecrets.Line("one")), TimeProvider.System));
        await using var calls = new OutgoingCalls(new EgressOptions(), keeper, TimeProvider.System, NullLogger<OutgoingCalls>.Instance, _ => throw new InvalidOperationException("Not to be asked."));

        await Should.ThrowAsync<NpgsqlException>(() => calls.CallAsync(_tenant.Id, new CallRequest("GET", "https://example.com/", [], default), _trail, Ct));
    }

    public ValueTask DisposeAsync()
    {
        _keeper.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_placeholder_becomes_the_value_in_path_query_headers_and_body_spelled_as_it_must_be_there()
    {
        await using var server = new RawServer(RawServer.Ok("fine"));
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);
        var odd = await SetAsync("ODD", Value, server);
        var url = $"http://api.test:{server.Port}";

        await CallAsync(calls, "GET", $"{url}/of/{odd}/x?a=1&key={odd}", "", ("X-Api-Key", key), ("Authorization", "Bearer " + key));
        await CallAsync(calls, "POST", url + "/json", $$"""{"key":"{{odd}}"}""", ("Content-Type", "application/json; charset=utf-8"));
        await CallAsync(calls, "POST", url + "/form", $"a=b&key={odd}", ("Content-Type", "application/x-www-form-urlencoded"));
        await CallAsync(calls, "POST", url + "/text", $"key: {odd}", ("Content-Type", "text/plain"));

        var escaped = Uri.EscapeDataString(Value);
        server.Requests[0].ShouldStartWith($"GET /of/{escaped}/x?a=1&key={escaped} HTTP/1.1\r\n");
        server.Requests[0].ShouldContain("\r\nX-Api-Key: k3y-without-odd-letters\r\n");
        server.Requests[0].ShouldContain("\r\nAuthorization: Bearer k3y-without-odd-letters\r\n");
        System.Text.Json.JsonDocument.Parse(BodyOf(server.Requests[1])).RootElement.GetProperty("key").GetString().ShouldBe(Value);
        BodyOf(server.Requests[2]).ShouldBe($"a=b&key={escaped}");
        BodyOf(server.Requests[3]).ShouldBe($"key: {Value}");
        server.Requests.ShouldAllBe(request => !request.Contains(SecretSet.PlaceholderPrefix));
        _trail.Records.Select(record => string.Join(',', record.Secrets)).ShouldBe(["API_KEY,ODD", "ODD", "ODD", "ODD"]);
        _trail.Records[0].Path.ShouldBe($"/of/{odd}/x");
        (await _store.ListAsync(_tenant.Id, Ct)).ShouldAllBe(secret => secret.LastUsedAt != null);
    }

    [Fact]
    public async Task Within_http_basic_the_value_is_put_in_too()
    {
        await using var server = new RawServer(RawServer.Ok("fine"));
        await using var calls = Calls(server);
        var password = await SetAsync("PASSWORD", Value, server);

        await CallAsync(calls, "GET", server.Url, "", ("authorization", "Basic " + Convert.ToBase64String(Encoding.ASCII.GetBytes("ann:" + password))));

        server.Requests[0].ShouldContain($"\r\nauthorization: Basic {Convert.ToBase64String(Encoding.UTF8.GetBytes("ann:" + Value))}\r\n");
        _trail.Records[0].Secrets.ShouldBe(["PASSWORD"]);
    }

    [Fact]
    public async Task A_secret_goes_to_its_own_hosts_alone()
    {
        await using var server = new RawServer(RawServer.Ok("fine"));
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);

        var other = await CallAsync(calls, "GET", $"http://other.test:{server.Port}/", "", ("X-Api-Key", key));
        var query = await CallAsync(calls, "GET", $"http://other.test:{server.Port}/?{key}", "");
        var body = await CallAsync(calls, "POST", $"http://other.test:{server.Port}/", key);

        foreach (var answer in (CallAnswer[])[other, query, body])
        {
            answer.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
            answer.Fault.Message.ShouldContain("The secret 'API_KEY' is not for other.test");
        }

        server.Connections.ShouldBe(0);
        _trail.Records.ShouldAllBe(record => record.Secrets.Count == 0);
    }

    [Fact]
    public async Task A_secret_goes_only_over_https_unless_the_operator_named_the_place()
    {
        await using var calls = new OutgoingCalls(new EgressOptions(), _keeper, TimeProvider.System, NullLogger<OutgoingCalls>.Instance, _ => throw new InvalidOperationException("Not to be asked."));
        await _store.SetAsync(_tenant, "API_KEY", "k3y-without-odd-letters", "api.example.com");
        var key = (await _store.SetOfAsync(_tenant)).Placeholder("API_KEY");

        var answer = await CallAsync(calls, "GET", "http://api.example.com/", "", ("X-Api-Key", key));

        answer.Fault.ShouldBe(new CallFault(CallFaults.Refused, "The secret 'API_KEY' goes out only over https, not to http://api.example.com."));
    }

    [Fact]
    public async Task What_a_host_echoes_comes_back_as_the_placeholder()
    {
        await using var server = new RawServer(call =>
        {
            var value = call.Request.Split("X-Api-Key: ")[1].Split("\r\n")[0];
            var body = $"plain {value} base64 {Convert.ToBase64String(Encoding.Latin1.GetBytes("user:" + value))} url {Uri.EscapeDataString(value)} hex {Convert.ToHexString(Encoding.Latin1.GetBytes(value))}";
            return call.WriteAsync($"HTTP/1.1 200 You-sent-{value}\r\nContent-Length: {body.Length}\r\nX-Echo: <{value}>\r\nSet-Cookie: k={value}\r\n\r\n{body}");
        });
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y/without+odd=letters", server);

        var answer = await CallAsync(calls, "GET", server.Url, "", ("X-Api-Key", key));

        var all = answer.Text() + answer.Reason + string.Join(' ', answer.Headers.Select(header => header.Value));
        server.Requests[0].ShouldContain("k3y/without+odd=letters");
        all.ShouldNotContain("k3y");
        all.ShouldNotContain("azN5");
        all.ShouldNotContain(Convert.ToHexString("k3y"u8));
        answer.Text().ShouldStartWith($"plain {key} base64 ");
        answer.Header("X-Echo").ShouldBe($"<{key}>");
        answer.Header("Set-Cookie").ShouldBe($"k={key}");
    }

    [Fact]
    public async Task A_later_call_of_the_run_can_not_bring_it_back_either_and_nor_can_a_rotated_one()
    {
        var seen = "";
        await using var server = new RawServer(call =>
        {
            if (call.Request.Contains("X-Api-Key: ", StringComparison.Ordinal))
            {
                seen = call.Request.Split("X-Api-Key: ")[1].Split("\r\n")[0];
            }

            return call.WriteAsync(RawServer.Ok("it was " + seen));
        });
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-of-the-first-year", server);
        await CallAsync(calls, "GET", server.Url, "", ("X-Api-Key", key));
        await SetAsync("API_KEY", "k3y-of-the-second-year", server);

        var later = await CallAsync(calls, "GET", server.Url, "");

        seen.ShouldBe("k3y-of-the-first-year");
        later.Text().ShouldBe("it was " + key);
        server.Requests[1].ShouldContain("Accept-Encoding: identity");
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("deflate")]
    [InlineData("raw")]
    [InlineData("br")]
    [InlineData("gzip, br")]
    public async Task An_echo_that_is_packed_though_nobody_asked_for_it_is_unpacked_and_struck_out(string coding)
    {
        await using var server = new RawServer(async call =>
        {
            var body = Encoding.Latin1.GetBytes("it is " + call.Request.Split("X-Api-Key: ")[1].Split("\r\n")[0]);
            foreach (var one in coding.Split(", "))
            {
                body = Pack(body, one);
            }

            await call.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: {(coding == "raw" ? "deflate" : coding)}\r\nContent-Length: {body.Length}\r\n\r\n");
            await call.WriteAsync(body);
        });
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);

        var answer = await CallAsync(calls, "GET", server.Url, "", ("X-Api-Key", key), ("Accept-Encoding", "gzip, br"));

        answer.Text().ShouldBe("it is " + key);
        answer.Header("Content-Encoding").ShouldBeNull();
        server.Requests[0].ShouldContain("Accept-Encoding: identity\r\n");
        server.Requests[0].ShouldNotContain("gzip");
    }

    [Theory]
    [InlineData("zstd", CallFaults.Protocol)]
    [InlineData("x-own", CallFaults.Protocol)]
    [InlineData("gzip", CallFaults.Protocol)]
    [InlineData("br", CallFaults.Protocol)]
    [InlineData("deflate", CallFaults.Protocol)]
    [InlineData("gzip, gzip, gzip, gzip", CallFaults.Protocol)]
    public async Task What_can_not_be_looked_through_does_not_come_back(string coding, string kind)
    {
        await using var server = new RawServer($"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: 9\r\n\r\nno coding");
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);

        (await CallAsync(calls, "GET", server.Url, "", ("X-Api-Key", key))).Fault.ShouldNotBeNull().Kind.ShouldBe(kind);
    }

    [Theory]
    [InlineData("gzip")]
    [InlineData("br")]
    [InlineData("deflate")]
    public async Task A_bomb_is_not_unpacked_beyond_the_limit(string coding)
    {
        var bomb = Pack(new byte[50 << 20], coding);
        await using var server = new RawServer(async call =>
        {
            await call.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {bomb.Length}\r\n\r\n");
            await call.WriteAsync(bomb);
        });
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);

        var answer = await CallAsync(calls, "GET", server.Url, "", ("X-Api-Key", key));

        answer.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.TooLarge);
    }

    [Fact]
    public async Task A_redirect_that_carries_the_secret_in_its_address_leads_on_by_the_placeholder()
    {
        await using var server = new RawServer(call => call.WriteAsync(
            call.Path == "/" ? $"HTTP/1.1 302 Go\r\nLocation: http://other.test/?k={call.Request.Split("X-Api-Key: ")[1].Split("\r\n")[0]}\r\nContent-Length: 0\r\n\r\n" : RawServer.Ok("")));
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);

        var location = (await CallAsync(calls, "GET", server.Url, "", ("X-Api-Key", key))).Header("Location")!;
        var hop = await CallAsync(calls, "GET", location, "");

        location.ShouldBe($"http://other.test/?k={key}");
        hop.Fault.ShouldNotBeNull().Message.ShouldContain("is not for other.test");
    }

    [Fact]
    public async Task A_value_that_no_header_can_hold_is_not_put_in_one()
    {
        await using var server = new RawServer(RawServer.Ok(""));
        await using var calls = Calls(server);
        var lines = await SetAsync("PEM", "-----BEGIN-----\r\nX-Injected: yes\r\n-----END-----", server);
        var wide = await SetAsync("WIDE", "w\u0159ide-letters", server);

        (await CallAsync(calls, "GET", server.Url, "", ("X-Key", lines))).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        (await CallAsync(calls, "GET", server.Url, "", ("X-Key", wide))).Fault.ShouldNotBeNull().Message.ShouldNotContain("w\u0159ide");
        server.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task Another_tenants_placeholder_is_only_text()
    {
        await using var server = new RawServer(RawServer.Ok(""));
        await using var calls = Calls(server);
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);
        var other = await TestTenant.MakeAsync(database);
        await _store.SetAsync(other, "OWN", "an0ther-long-value", $"api.test:{server.Port}");

        await calls.CallAsync(other.Id, TestCalls.Request("GET", $"http://api.test:{server.Port}/", "", ("X-Api-Key", key)), _trail, Ct);

        server.Requests[0].ShouldContain("X-Api-Key: " + key);
        _trail.Records[0].Secrets.ShouldBeEmpty();
    }

    [Fact]
    public async Task Without_the_master_key_nothing_with_a_placeholder_goes_out()
    {
        await using var server = new RawServer(RawServer.Ok("plain"));
        var key = await SetAsync("API_KEY", "k3y-without-odd-letters", server);
        using var keeper = TestSecrets.Keeper(TestSecrets.Store(database, TestSecrets.Masters(TestSecrets.Line("other"))));
        await using var calls = Calls(server, keeper);

        var with = await CallAsync(calls, "GET", server.Url, "", ("X-Api-Key", key));
        var without = await CallAsync(calls, "GET", server.Url, "");

        with.Fault.ShouldNotBeNull().Message.ShouldContain("can not be opened here");
        without.Text().ShouldBe("plain");
        server.Requests.Count.ShouldBe(1);
    }

    private static byte[] Pack(byte[] body, string coding)
    {
        var memory = new MemoryStream();
        using (Stream stream = coding switch
        {
            "gzip" => new GZipStream(memory, CompressionLevel.Fastest),
            "deflate" => new ZLibStream(memory, CompressionLevel.Fastest),
            "raw" => new DeflateStream(memory, CompressionLevel.Fastest),
            _ => new BrotliStream(memory, CompressionLevel.Fastest),
        })
        {
            stream.Write(body);
        }

        return memory.ToArray();
    }

    private static string BodyOf(string request) => Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(request[(request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]));

    /// <summary>Sets a secret for the server, under its name and its address; gives its placeholder.</summary>
    private async Task<string> SetAsync(string name, string value, RawServer server)
    {
        await _store.SetAsync(_tenant, name, value, $"api.test:{server.Port}", server.Place);
        return (await _store.SetOfAsync(_tenant)).Placeholder(name);
    }

    private OutgoingCalls Calls(RawServer server, SecretKeeper? keeper = null) => new(
        new EgressOptions { Allow = [server.Place, $"api.test:{server.Port}", $"other.test:{server.Port}"], CallTime = TimeSpan.FromSeconds(10) }, keeper ?? _keeper, TimeProvider.System,
        NullLogger<OutgoingCalls>.Instance, _ => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

    private Task<CallAnswer> CallAsync(OutgoingCalls calls, string method, string url, string body, params (string Name, string Value)[] headers) =>
        calls.CallAsync(_tenant.Id, TestCalls.Request(method, url, body, headers), _trail, Ct);
}
