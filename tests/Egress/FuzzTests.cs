using System.Collections.Concurrent;
using CsCheck;
using Eddy.Egress;
using Eddy.Tenants;
using Microsoft.Extensions.Logging;

namespace Eddy.Tests.Egress;

/// <summary>Whatever a cell asks and whatever a server answers, a call ends with an answer or a fault, and never with an error that is ours.</summary>
public sealed class FuzzTests
{
    private static readonly string[] Pieces =
    [
        "http", "https", ":", "/", "//", "://", "@", "\\", "?", "#", "%", "%00", "%2e", "..", ".", "[", "]", "::1", "127.0.0.1", "0x7f.1", "localhost", "a", "xn--", "xn--a", "\u00e9", "\u3002", "\ud83d\ude00",
        "\ud800", " ", "\t", "\r\n", "\0", ":80", ":0", ":99999", "-", "_", ";", "&", "=", "\u202e", "\u00ad", "\uff0e", "\u2100", "ß", "user:pw", "%zz", "%c3%a9", "64:ff9b::", "fe80::1%25eth0", "1e999", "'", "\"", "<", "|", "^", "`", "{",
    ];

    private static readonly Gen<string> Text = Gen.Select(Gen.OneOf(Gen.OneOf(Pieces), Gen.String).List[0, 8], pieces => string.Concat(pieces));

    [Fact]
    public async Task Any_request_ends_with_a_fault_where_nobody_may_be_called()
    {
        var log = new Errors();
        await using var calls = new OutgoingCalls(new EgressOptions { CallTime = TimeSpan.FromSeconds(5) }, null, TimeProvider.System, log, _ => Task.FromResult<System.Net.IPAddress[]>([]));
        var tenant = TenantId.New();

        var request = Gen.Select(
            Gen.OneOf(Gen.OneOf("GET", "POST", "HEAD"), Text), Gen.OneOf(Gen.Select(Text, text => "https://" + text), Gen.Select(Text, text => "http://a.test/" + text), Text),
            Gen.Select(Gen.OneOf(Gen.OneOf("Host", "Connection", "Content-Type", "Content-Length", "Authorization", "Cookie", "Range", "Date", "Expires"), Text), Text).List[0, 4],
            (method, url, headers) => new CallRequest(method, url, [.. headers.Select(header => KeyValuePair.Create(header.Item1, header.Item2))], ReadOnlyMemory<byte>.Empty));
        await request.SampleAsync(
            async one =>
            {
                var answer = await calls.CallAsync(tenant, one, new CallTrail(), TestContext.Current.CancellationToken);
                answer.Fault.ShouldNotBeNull().Message.ShouldNotBeNullOrWhiteSpace();
            },
            iter: 5000, threads: 1);

        log.ShouldBeEmpty();
    }

    [Fact]
    public async Task Any_answer_comes_back_or_is_a_fault_and_any_redirect_can_be_remembered()
    {
        var log = new Errors();
        var answers = new ConcurrentQueue<string>();
        await using var server = new RawServer(async call =>
        {
            answers.TryDequeue(out var answer);
            await call.WriteAsync(answer!);
            call.HangUp();
        });
        await using var calls = new OutgoingCalls(new EgressOptions { Allow = [server.Place], CallTime = TimeSpan.FromSeconds(5) }, null, TimeProvider.System, log);
        var tenant = TenantId.New();
        var trail = new CallTrail();

        var answer = Gen.OneOf(
            Gen.Select(Text, text => $"HTTP/1.1 302 Go\r\nLocation: {text}\r\nContent-Length: 0\r\n\r\n"),
            Gen.Select(Text, Text, (name, value) => $"HTTP/1.1 200 OK\r\n{name}: {value}\r\nContent-Length: 0\r\n\r\n"),
            Gen.Select(Text, Text, (line, body) => $"HTTP/1.1 {line}\r\nTransfer-Encoding: chunked\r\n\r\n{body}"),
            Text);
        await answer.SampleAsync(
            async one =>
            {
                answers.Clear();
                // A GET that fails before a byte of the answer is sent again on a new connection.
                for (var i = 0; i < 10; i++)
                {
                    answers.Enqueue(one);
                }

                var request = TestCalls.Request("GET", server.Url, "");
                var answered = await calls.CallAsync(tenant, request, new CallTrail(), TestContext.Current.CancellationToken);
                foreach (var (name, value) in answered.Headers)
                {
                    (name + value).ShouldNotContain('\n');
                    (name + value).ShouldNotContain('\r');
                }

                trail.Replay(request, answered, new CallRecord("GET", "", "", null, 0, 0, 0, null, []));
            },
            iter: 500, threads: 1);

        log.ShouldBeEmpty();
    }

    private sealed class Errors : ConcurrentQueue<string>, ILogger<OutgoingCalls>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (logLevel >= LogLevel.Error)
            {
                Enqueue(formatter(state, exception));
            }
        }
    }
}
