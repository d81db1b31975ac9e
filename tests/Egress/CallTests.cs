using System.Diagnostics.Metrics;
using System.Text;
using Eddy.Egress;
using Eddy.Tenants;

namespace Eddy.Tests.Egress;

/// <summary>What goes out and what comes back when all is well, and how much of it.</summary>
public sealed class CallTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_call_goes_out_as_it_was_written_and_its_answer_comes_back()
    {
        await using var server = new RawServer("HTTP/1.1 201 Made\r\nContent-Length: 5\r\nX-One: a\r\nX-One: b\r\nSet-Cookie: c=1; Path=/\r\nSet-Cookie: d=2\r\nContent-Type: text/plain\r\nX-Latin: caf\u00e9\r\n\r\nhello");
        await using var calls = TestCalls.To(server);

        var answer = await calls.CallAsync(
            "POST", server.Url + "a/../b/%7Ec;p/%2e%2E/x?q=%20a+b&q=%c3%A9", "body",
            ("Host", server.Place), ("X-Mine", "yes"), ("Cookie", "k=v"), ("Content-Type", "text/x-odd"), ("User-Agent", "python-requests/2.28.1"), ("X-Latin", "na\u00efve"));

        answer.Status.ShouldBe(201);
        answer.Reason.ShouldBe("Made");
        answer.Text().ShouldBe("hello");
        answer.Headers.Where(header => header.Key == "X-One").Select(header => header.Value).ShouldBe(["a", "b"]);
        answer.Headers.Where(header => header.Key == "Set-Cookie").Select(header => header.Value).ShouldBe(["c=1; Path=/", "d=2"]);
        answer.Header("content-type").ShouldBe("text/plain");
        answer.Header("X-Latin").ShouldBe("caf\u00e9");
        var request = server.Requests.ShouldHaveSingleItem();
        request.ShouldStartWith("POST /a/../b/%7Ec;p/%2e%2E/x?q=%20a+b&q=%c3%A9 HTTP/1.1\r\n");
        request.ShouldEndWith("\r\n\r\nbody");
        foreach (var line in (string[])[$"Host: {server.Place}", "X-Mine: yes", "Cookie: k=v", "Content-Type: text/x-odd", "User-Agent: python-requests/2.28.1", "Content-Length: 4", "X-Latin: na\u00efve"])
        {
            request.ShouldContain("\r\n" + line + "\r\n");
        }
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("OPTIONS")]
    [InlineData("DELETE")]
    [InlineData("PUT")]
    [InlineData("PATCH")]
    [InlineData("PROPFIND")]
    [InlineData("get")]
    public async Task Any_method_goes_out(string method)
    {
        await using var server = new RawServer("HTTP/1.1 204 None\r\n\r\n");
        await using var calls = TestCalls.To(server);

        (await calls.CallAsync(method, server.Url, "")).Status.ShouldBe(204);

        server.Requests[0].ShouldStartWith(method.ToUpperInvariant() is "GET" ? "GET / " : method + " / ");
    }

    [Theory]
    [InlineData("CONNECT")]
    [InlineData("TRACE")]
    [InlineData("trace")]
    [InlineData("")]
    [InlineData("GE T")]
    [InlineData("GET\r\nX: y")]
    [InlineData("GET /evil HTTP/1.1\r\nHost: x\r\n\r\nGET")]
    [InlineData("G\u00c9T")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_method_that_is_none_or_not_for_rules_is_refused(string method)
    {
        await using var server = new RawServer(RawServer.Ok(""));
        await using var calls = TestCalls.To(server);

        (await calls.CallAsync(method, server.Url, "")).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        server.Connections.ShouldBe(0);
    }

    [Theory]
    [InlineData("X-A\r\nX-B", "v")]
    [InlineData("X-A", "v\r\nX-B: w")]
    [InlineData("X-A", "v\nX-B: w")]
    [InlineData("X-A", "v\rX-B: w")]
    [InlineData("X-A", "v\0")]
    [InlineData("X-A", "v\x7f")]
    [InlineData("X-A", "\u010a\u010d")]
    [InlineData("X-A", "\u560d\u560a")]
    [InlineData("X A", "v")]
    [InlineData("X-A:", "v")]
    [InlineData("", "v")]
    [InlineData("X-\u00c9", "v")]
    [InlineData("(X)", "v")]
    [InlineData("Host", "other.test")]
    [InlineData("host", "127.0.0.1:1")]
    [InlineData("Host", "127.0.0.1@evil.test")]
    [InlineData("Host", "")]
    public async Task A_header_that_could_make_two_requests_of_one_or_name_another_host_is_refused(string name, string value)
    {
        await using var server = new RawServer(RawServer.Ok(""));
        await using var calls = TestCalls.To(server);

        (await calls.GetAsync(server.Url, (name, value))).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        server.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task Headers_of_the_connection_do_not_go_out_and_the_length_is_that_of_the_body()
    {
        await using var server = new RawServer(RawServer.Ok(""));
        await using var calls = TestCalls.To(server);

        await calls.CallAsync(
            "POST", server.Url, "0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n",
            ("Transfer-Encoding", "chunked"), ("transfer-encoding", "identity, chunked"), ("Content-Length", "0"), ("content-length", "3"), ("Connection", "keep-alive, X-Hop"), ("X-Hop", "1"),
            ("Keep-Alive", "5"), ("Proxy-Connection", "x"), ("Proxy-Authorization", "Basic x"), ("TE", "trailers"), ("Trailer", "X"), ("Upgrade", "websocket"), ("Expect", "100-continue"), ("X-End", "1"));
        await calls.GetAsync(server.Url + "next");

        server.Requests.Select(request => request.Split("\r\n")[0]).ShouldBe(["POST / HTTP/1.1", "GET /next HTTP/1.1"]);
        var lines = server.Requests[0].Split("\r\n\r\n")[0].Split("\r\n")[1..].Select(line => line.Split(':')[0].ToLowerInvariant());
        lines.ShouldBe(["host", "x-end", "content-length"], ignoreOrder: true);
        server.Requests[0].ShouldContain("Content-Length: 40\r\n");
    }

    [Fact]
    public async Task Nothing_of_the_platform_goes_along()
    {
        using var activity = new System.Diagnostics.Activity("run").SetIdFormat(System.Diagnostics.ActivityIdFormat.W3C).Start();
        activity.AddBaggage("tenant", "acme");
        await using var server = new RawServer(RawServer.Ok("", "Set-Cookie: a=b\r\n"));
        await using var calls = TestCalls.To(server);

        await calls.GetAsync(server.Url);
        await calls.GetAsync(server.Url);

        server.Requests.ShouldBe([$"GET / HTTP/1.1\r\nHost: {server.Place}\r\n\r\n", $"GET / HTTP/1.1\r\nHost: {server.Place}\r\n\r\n"]);
    }

    [Fact]
    public async Task Headers_of_the_connection_do_not_come_back()
    {
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: 9\r\nX-Hop: 1\r\nX-Kept: 1\r\nProxy-Authenticate: Basic\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n");
        await using var calls = TestCalls.To(server);

        var answer = await calls.GetAsync(server.Url);

        answer.Text().ShouldBe("hello");
        answer.Headers.Select(header => header.Key).ShouldBe(["X-Kept"]);
    }

    [Fact]
    public async Task A_compressed_body_comes_back_compressed()
    {
        var memory = new MemoryStream();
        await using (var gzip = new System.IO.Compression.GZipStream(memory, System.IO.Compression.CompressionLevel.Optimal))
        {
            gzip.Write(new byte[50 << 20]);
        }

        var packed = memory.ToArray();

        await using var server = new RawServer(async call =>
        {
            await call.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {packed.Length}\r\n\r\n");
            await call.WriteAsync(packed);
        });
        await using var calls = TestCalls.To(server);

        var answer = await calls.GetAsync(server.Url, ("Accept-Encoding", "gzip"));

        answer.Body.Span.SequenceEqual(packed).ShouldBeTrue();
        answer.Header("Content-Encoding").ShouldBe("gzip");
        calls.Trail.Records[0].BytesIn.ShouldBe(packed.Length);
    }

    [Fact]
    public async Task A_head_has_its_length_and_no_body()
    {
        await using var server = new RawServer("HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n");
        await using var calls = TestCalls.To(server);

        var answer = await calls.CallAsync("HEAD", server.Url, "");

        answer.Text().ShouldBe("");
        answer.Header("Content-Length").ShouldBe("999999999");
    }

    [Fact]
    public async Task Each_call_is_in_the_trail_without_its_query()
    {
        await using var server = new RawServer(call => call.WriteAsync(call.Path == "/b" ? "HTTP/1.1 404 No\r\nContent-Length: 3\r\n\r\nwhy" : RawServer.Ok("hello")));
        await using var calls = TestCalls.To(server);

        await calls.CallAsync("PUT", server.Url + "a?token=geheim#x", "four");
        await calls.GetAsync(server.Url + "b");
        await calls.GetAsync("http://10.0.0.1/c?x");

        calls.Trail.Records.Select(record => (record.Method, record.Host, record.Path, record.Status, record.BytesOut, record.BytesIn, record.Fault)).ShouldBe(
        [
            ("PUT", "127.0.0.1", "/a", 200, 4, 5, null),
            ("GET", "127.0.0.1", "/b", 404, 0, 3, null),
            ("GET", "10.0.0.1", "/c", null, 0, 0, CallFaults.Refused),
        ]);
        calls.Trail.Records.ShouldAllBe(record => record.Milliseconds > 0 && record.Milliseconds < 10_000 && record.Secrets.Count == 0);
    }

    [Fact]
    public async Task A_run_has_its_share_of_calls_and_no_more()
    {
        await using var server = new RawServer(RawServer.Ok("x"));
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], Calls = 3 });
        for (var i = 0; i < 3; i++)
        {
            (await calls.GetAsync(server.Url)).Text().ShouldBe("x");
        }

        var fault = (await calls.GetAsync(server.Url)).Fault.ShouldNotBeNull();
        calls.Trail.Records.Count.ShouldBe(3);
        calls.Trail = new CallTrail();
        var other = await calls.GetAsync(server.Url);

        fault.Message.ShouldBe("A run may make 3 calls, and this was one more.");
        other.Text().ShouldBe("x");
        server.Requests.Count.ShouldBe(4);
    }

    [Fact]
    public async Task A_call_that_is_replayed_counts_and_is_not_made()
    {
        await using var server = new RawServer("HTTP/1.1 302 Go\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n");
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], Calls = 2, Redirects = 1 });
        var request = TestCalls.Request("GET", server.Url, "");
        var first = await calls.Out.CallAsync(calls.Tenant, request, calls.Trail, Ct);
        var again = new CallTrail();

        again.Replay(request, first, calls.Trail.Records[0]);
        calls.Trail = again;
        var second = await calls.GetAsync(server.Url + "next");
        var third = await calls.GetAsync(server.Url);

        second.Status.ShouldBe(302);
        third.Fault.ShouldNotBeNull().Message.ShouldContain("2 calls");
        again.Records.Count.ShouldBe(2);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Bodies_of_a_run_have_a_limit_each_way()
    {
        await using var server = new RawServer(RawServer.Ok(new string('x', 600)));
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], BodyBytes = 1000 });

        (await calls.GetAsync(server.Url)).Text().Length.ShouldBe(600);
        var second = await calls.GetAsync(server.Url);
        calls.Trail = new CallTrail();
        var large = await calls.CallAsync("POST", server.Url, new string('y', 1001));

        second.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.TooLarge);
        second.Fault.Message.ShouldContain("1000 bytes");
        large.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.TooLarge);
        server.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Connections_are_used_again_by_their_tenant_and_by_nobody_else()
    {
        await using var server = new RawServer(RawServer.Ok("x"));
        await using var calls = TestCalls.To(server);

        await calls.GetAsync(server.Url);
        await calls.GetAsync(server.Url);
        server.Connections.ShouldBe(1);
        await calls.Out.CallAsync(TenantId.New(), TestCalls.Request("GET", server.Url, ""), new CallTrail(), Ct);

        server.Connections.ShouldBe(2);
        calls.Out.Roads.ShouldBe(2);
    }

    [Fact]
    public async Task A_tenant_that_does_not_call_costs_nothing_after_a_while()
    {
        await using var server = new RawServer(RawServer.Ok("x"));
        var time = new HandClock();
        await using var calls = new OutgoingCalls(
            new EgressOptions { Allow = [server.Place] }, null, time, Microsoft.Extensions.Logging.Abstractions.NullLogger<OutgoingCalls>.Instance);
        await calls.CallAsync(TenantId.New(), TestCalls.Request("GET", server.Url, ""), new CallTrail(), Ct);
        calls.Roads.ShouldBe(1);

        time.Pass(TimeSpan.FromSeconds(29));
        calls.Roads.ShouldBe(1);
        time.Pass(TimeSpan.FromSeconds(30));

        calls.Roads.ShouldBe(0);
    }

    [Fact]
    public async Task A_tenant_has_only_so_many_calls_under_way_and_others_do_not_wait_for_it()
    {
        var open = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var (now, most) = (0, 0);
        await using var slow = new RawServer(async call =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            if (now == 2)
            {
                full.TrySetResult();
            }

            await open.Task;
            Interlocked.Decrement(ref now);
            await call.WriteAsync(RawServer.Ok("slow"));
        });
        await using var quick = new RawServer(RawServer.Ok("quick"));
        await using var calls = new TestCalls(new EgressOptions { Allow = [slow.Place, quick.Place], TenantCalls = 2 });

        var waiting = Enumerable.Range(0, 6).Select(_ => calls.GetAsync(slow.Url)).ToList();
        await full.Task;
        var other = await calls.Out.CallAsync(TenantId.New(), TestCalls.Request("GET", quick.Url, ""), new CallTrail(), Ct);
        open.SetResult();
        var answers = await Task.WhenAll(waiting);

        other.Text().ShouldBe("quick");
        answers.ShouldAllBe(answer => answer.Text() == "slow");
        most.ShouldBe(2);
    }

    [Fact]
    public async Task The_process_has_only_so_many_calls_under_way()
    {
        var (now, most) = (0, 0);
        await using var server = new RawServer(async call =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await Task.Yield();
            Interlocked.Decrement(ref now);
            await call.WriteAsync(RawServer.Ok("x"));
        });
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], ProcessCalls = 1 });

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => calls.Out.CallAsync(TenantId.New(), TestCalls.Request("GET", server.Url, ""), new CallTrail(), Ct)));

        most.ShouldBe(1);
    }

    [Fact]
    public async Task A_run_that_ends_stops_its_call_and_leaves_a_record()
    {
        var arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var gone = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawServer(async call =>
        {
            arrived.SetResult();
            await call.KeepSilentAsync();
            gone.SetResult();
        });
        await using var calls = TestCalls.To(server);
        using var run = new CancellationTokenSource();

        var calling = calls.Out.CallAsync(calls.Tenant, TestCalls.Request("GET", server.Url, ""), calls.Trail, run.Token);
        await arrived.Task;
        await run.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(calling);
        await gone.Task;
        calls.Trail.Records.ShouldHaveSingleItem().Fault.ShouldBe(CallFaults.Stopped);
    }

    [Fact]
    public async Task Calls_are_counted_by_the_kind_of_their_fault()
    {
        var kinds = new List<string>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, own) => { if (instrument.Name == "eddy_calls") { own.EnableMeasurementEvents(instrument); } } };
        listener.SetMeasurementEventCallback<long>((_, _, tags, _) =>
        {
            lock (kinds)
            {
                kinds.Add((string)tags[0].Value!);
            }
        });
        listener.Start();
        await using var server = new RawServer(RawServer.Ok("x"));
        await using var calls = TestCalls.To(server);

        await calls.GetAsync(server.Url);
        await calls.GetAsync("http://10.0.0.1/");

        lock (kinds)
        {
            kinds.ShouldContain("none");
            kinds.ShouldContain(CallFaults.Refused);
        }
    }

    [Fact]
    public async Task A_long_body_goes_both_ways()
    {
        var text = new StringBuilder();
        while (text.Length < 5 << 20)
        {
            text.Append(text.Length).Append(' ');
        }

        await using var server = new RawServer(async call =>
        {
            var body = call.Request[(call.Request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
            await call.WriteAsync(RawServer.Ok(body));
        });
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], CallTime = TimeSpan.FromMinutes(2) });

        (await calls.CallAsync("POST", server.Url, text.ToString())).Text().ShouldBe(text.ToString());
    }
}
