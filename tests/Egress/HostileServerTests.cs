using Eddy.Egress;

namespace Eddy.Tests.Egress;

/// <summary>Servers that mean no good: none holds a call longer than its time, or makes more of its answer than the limits.</summary>
public sealed class HostileServerTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\n";

    /// <summary>For what ends by its time and by nothing else.</summary>
    private static Task<CallFault> SoonFaultAsync(Func<RawCall, Task> answer) => FaultAsync(answer, TimeSpan.FromSeconds(1));

    /// <summary>For what ends by something else, however busy the machine is.</summary>
    private static async Task<CallFault> FaultAsync(Func<RawCall, Task> answer, TimeSpan? time = null)
    {
        await using var server = new RawServer(answer);
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], CallTime = time ?? TimeSpan.FromMinutes(2), BodyBytes = 1 << 20 });
        var answered = await calls.CallAsync("GET", server.Url, "");
        calls.Trail.Records.ShouldHaveSingleItem().Fault.ShouldBe(answered.Fault?.Kind);
        return answered.Fault.ShouldNotBeNull();
    }

    [Fact]
    public async Task Silence_is_a_timeout()
    {
        var fault = await SoonFaultAsync(call => call.KeepSilentAsync());

        fault.Kind.ShouldBe(CallFaults.Timeout);
        fault.Message.ShouldBe("127.0.0.1 was not done in 1 seconds.");
    }

    [Theory]
    [InlineData("")]
    [InlineData(Ok)]
    [InlineData(Ok + "Content-Length: 1000000\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nab")]
    public async Task What_trickles_byte_by_byte_is_a_timeout(string beginning)
    {
        var fault = await SoonFaultAsync(async call =>
        {
            await call.WriteAsync(beginning);
            var text = beginning.Length == 0 ? Ok : beginning.EndsWith("\r\n\r\n", StringComparison.Ordinal) && beginning.Contains("chunked", StringComparison.Ordinal) ? "1\r\nx\r\n" : "X-A: aaaaaaa";
            for (var i = 0; ; i++)
            {
                // A pace, not a wait: the test ends when the call gives up.
                await Task.Delay(20, call.Ct);
                await call.WriteAsync(text[(i % text.Length)..((i % text.Length) + 1)]);
            }
        });

        fault.Kind.ShouldBeOneOf(CallFaults.Timeout, CallFaults.Protocol);
    }

    [Fact]
    public async Task A_body_that_stops_is_a_timeout()
    {
        (await SoonFaultAsync(async call =>
        {
            await call.WriteAsync(Ok + "Content-Length: 10\r\n\r\nhalf");
            await call.KeepSilentAsync();
        })).Kind.ShouldBe(CallFaults.Timeout);
    }

    [Theory]
    [InlineData(Ok, "X-Endless: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n")]
    [InlineData(Ok + "X-One: ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("HTTP/1.1 200 ", "OOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOOO")]
    [InlineData("", "HTTP/1.1 200 OK")]
    [InlineData("", "\r\n\r\n\r\n\r\n\r\n\r\n")]
    public async Task Headers_without_an_end_are_too_large(string beginning, string more)
    {
        (await FaultAsync(async call =>
        {
            await call.WriteAsync(beginning);
            await call.FloodAsync(more);
        })).Kind.ShouldBeOneOf(CallFaults.TooLarge, CallFaults.Protocol);
    }

    [Theory]
    [InlineData("HTTP/1.1 100 Continue\r\n\r\n")]
    [InlineData("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")]
    [InlineData("HTTP/1.1 199 X\r\nX-Long: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\r\n")]
    public async Task A_flood_of_preliminary_answers_ends_with_the_time_of_the_call(string preliminary)
    {
        (await SoonFaultAsync(call => call.FloodAsync(preliminary))).Kind.ShouldBeOneOf(CallFaults.Timeout, CallFaults.TooLarge, CallFaults.Protocol);
    }

    [Fact]
    public async Task A_preliminary_answer_before_the_answer_is_passed_over()
    {
        await using var server = new RawServer("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + RawServer.Ok("answer"));
        await using var calls = TestCalls.To(server);

        (await calls.GetAsync(server.Url)).Text().ShouldBe("answer");
    }

    [Theory]
    [InlineData("")]
    [InlineData("Connection: close\r\n")]
    public async Task A_body_without_an_end_is_cut_off_at_the_limit(string header)
    {
        (await FaultAsync(async call =>
        {
            await call.WriteAsync(Ok + header + "\r\n");
            await call.FloodAsync(new string('x', 60_000));
        })).Kind.ShouldBe(CallFaults.TooLarge);
    }

    [Fact]
    public async Task Chunks_without_an_end_are_cut_off_at_the_limit()
    {
        (await FaultAsync(async call =>
        {
            await call.WriteAsync(Ok + "Transfer-Encoding: chunked\r\n\r\n");
            await call.FloodAsync("1000\r\n" + new string('x', 4096) + "\r\n");
        })).Kind.ShouldBe(CallFaults.TooLarge);
    }

    [Fact]
    public async Task A_body_that_is_announced_as_too_long_is_not_waited_for()
    {
        (await FaultAsync(async call =>
        {
            await call.WriteAsync(Ok + "Content-Length: 999999999999\r\n\r\n");
            await call.KeepSilentAsync();
        })).Kind.ShouldBe(CallFaults.TooLarge);
    }

    [Theory]
    [InlineData("zz\r\n")]
    [InlineData("-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("FFFFFFFFFFFFFFFFFF\r\nhello\r\n")]
    [InlineData("5 5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("\r\n\r\n")]
    [InlineData("5\r\nhelloXX0\r\n\r\n")]
    public async Task Chunks_that_make_no_sense_are_a_fault_of_the_server(string body)
    {
        (await FaultAsync(async call =>
        {
            await call.WriteAsync(Ok + "Transfer-Encoding: chunked\r\n\r\n" + body);
            call.HangUp();
        })).Kind.ShouldBe(CallFaults.Protocol);
    }

    [Theory]
    [InlineData("")]
    [InlineData("HTTP/1.1 20")]
    [InlineData(Ok + "X-A: b\r\n")]
    [InlineData(Ok + "Content-Length: 10\r\n\r\nhalf")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhel")]
    [InlineData(Ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")]
    public async Task Who_hangs_up_early_has_not_answered(string answer)
    {
        (await FaultAsync(async call =>
        {
            await call.WriteAsync(answer);
            call.HangUp();
        })).Kind.ShouldBe(CallFaults.Protocol);
    }

    [Theory]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("220 mail.test ESMTP\r\n")]
    [InlineData("HTTP/9.9 200 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 2000 OK\r\n\r\n")]
    [InlineData("HTTP/1.1 abc OK\r\n\r\n")]
    [InlineData("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")]
    [InlineData(Ok + "no header\r\n\r\n")]
    [InlineData(Ok + ": empty\r\n\r\n")]
    [InlineData(Ok + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!")]
    [InlineData(Ok + "Content-Length: -1\r\n\r\nhello")]
    public async Task What_is_no_answer_of_http_does_not_come_back_as_one(string answer)
    {
        await using var server = new RawServer(async call =>
        {
            await call.WriteAsync(answer);
            call.HangUp();
        });
        await using var calls = TestCalls.To(server);

        var answered = await calls.GetAsync(server.Url);

        // What the framework reads leniently must at least be one plain answer with nothing in its headers that could split it.
        if (answered.Fault is null)
        {
            answered.Status.ShouldBeInRange(200, 999);
            answered.Headers.ShouldAllBe(header => !header.Value.Contains('\r') && !header.Value.Contains('\n') && header.Key.Length > 0);
        }
        else
        {
            answered.Fault.Kind.ShouldBe(CallFaults.Protocol);
        }
    }

    [Fact]
    public async Task An_answer_that_is_followed_by_another_does_not_answer_the_next_call()
    {
        await using var server = new RawServer(call => call.WriteAsync(call.Path == "/one" ? RawServer.Ok("one") + RawServer.Ok("poison") : RawServer.Ok("two")));
        await using var calls = TestCalls.To(server);

        (await calls.GetAsync(server.Url + "one")).Text().ShouldBe("one");

        (await calls.GetAsync(server.Url + "two")).Text().ShouldBe("two");
    }

    [Fact]
    public async Task A_header_with_a_bare_line_break_is_not_two_headers()
    {
        await using var server = new RawServer(Ok + "X-A: one\rX-B: two\r\nContent-Length: 0\r\n\r\n");
        await using var calls = TestCalls.To(server);

        var answer = await calls.GetAsync(server.Url);

        (answer.Fault?.Kind ?? CallFaults.Protocol).ShouldBe(CallFaults.Protocol);
        answer.Headers.ShouldAllBe(header => !header.Value.Contains('\r'));
    }

    [Fact]
    public async Task A_post_is_never_sent_twice()
    {
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var server = new RawServer(async call =>
        {
            if (call.Path == "/first")
            {
                await call.WriteAsync(RawServer.Ok("x"));
                return;
            }

            // The request was read; the connection, which was used before, ends without an answer.
            call.HangUp();
        });
        await using var calls = TestCalls.To(server);
        (await calls.GetAsync(server.Url + "first")).Text().ShouldBe("x");

        (await calls.CallAsync("POST", server.Url + "order", "")).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Protocol);
        (await calls.CallAsync("DELETE", server.Url + "thing", "")).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Protocol);

        server.Requests.Count(request => request.StartsWith("POST", StringComparison.Ordinal)).ShouldBe(1);
        server.Requests.Count(request => request.StartsWith("DELETE", StringComparison.Ordinal)).ShouldBe(1);
    }

    [Fact]
    public async Task Nobody_at_the_port_is_no_connection()
    {
        var server = new RawServer(Ok);
        var (place, url) = (server.Place, server.Url);
        await server.DisposeAsync();
        await using var calls = new TestCalls(new EgressOptions { Allow = [place] });

        var fault = (await calls.GetAsync(url)).Fault.ShouldNotBeNull();

        fault.Kind.ShouldBe(CallFaults.Connect);
        fault.Message.ShouldContain("it refused");
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_said_to_be_unknown()
    {
        await using var calls = new TestCalls(new EgressOptions(), _ => throw new System.Net.Sockets.SocketException((int)System.Net.Sockets.SocketError.HostNotFound));

        var fault = (await calls.GetAsync("https://nowhere.test/")).Fault.ShouldNotBeNull();

        fault.ShouldBe(new CallFault(CallFaults.Dns, "The name nowhere.test is not known."));
    }

    [Fact]
    public async Task A_resolver_that_never_answers_holds_a_call_no_longer_than_its_time_and_a_tenant_has_few_of_them()
    {
        var never = new TaskCompletionSource<System.Net.IPAddress[]>();
        var asked = 0;
        await using var calls = new TestCalls(new EgressOptions { CallTime = TimeSpan.FromSeconds(0.5) }, _ =>
        {
            Interlocked.Increment(ref asked);
            return never.Task;
        });

        var answers = await Task.WhenAll(Enumerable.Range(0, 10).Select(i => calls.GetAsync($"https://slow{i}.test/")));

        answers.ShouldAllBe(answer => answer.Fault!.Kind == CallFaults.Timeout);
        asked.ShouldBe(4);
        never.SetResult([]);
    }

    [Fact]
    public async Task The_caller_may_be_less_patient_than_the_limit_but_not_more()
    {
        await using var server = new RawServer(call => call.KeepSilentAsync());
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], CallTime = TimeSpan.FromSeconds(0.7) });
        var request = TestCalls.Request("GET", server.Url, "");

        var quick = await calls.Out.CallAsync(calls.Tenant, request with { Patience = TimeSpan.FromSeconds(0.2) }, calls.Trail, TestContext.Current.CancellationToken);
        var slow = await calls.Out.CallAsync(calls.Tenant, request with { Patience = TimeSpan.FromHours(1) }, calls.Trail, TestContext.Current.CancellationToken);

        quick.Fault.ShouldNotBeNull().Message.ShouldContain("0.2 seconds");
        slow.Fault.ShouldNotBeNull().Message.ShouldContain("0.7 seconds");
    }

    [Fact]
    public async Task Too_many_headers_of_a_request_do_not_go_out()
    {
        await using var calls = new TestCalls(new EgressOptions());

        (await calls.GetAsync("https://example.com/", [.. Enumerable.Range(0, 201).Select(i => ($"X-{i}", "v"))])).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.TooLarge);
        (await calls.GetAsync("https://example.com/", ("X-Long", new string('x', 70_000)))).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.TooLarge);
        (await calls.GetAsync("https://example.com/" + new string('x', 20_000))).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.TooLarge);
    }
}
