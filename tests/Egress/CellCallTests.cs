using Eddy.Egress;
using Eddy.Sandbox;
using Eddy.Tests.Rules;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Egress;

/// <summary>From a rule in a sealed cell to a real server and back, by each way that a rule has to call out.</summary>
public sealed class CellCallTests(CellFixture cells)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http", "answer = http.get(url + '/json', params={'q': 'a b'}, timeout=5); self.result = [answer.status, answer.json()['said'], answer.headers['x-one']]")]
    [InlineData("urllib", "import json, urllib.request; answer = urllib.request.urlopen(url + '/json?q=a+b', timeout=5); self.result = [answer.status, json.load(answer)['said'], answer.headers['x-one']]")]
    [InlineData("http.client", "from http.client import HTTPConnection; import json; c = HTTPConnection(url[7:]); c.request('GET', '/json?q=a+b'); answer = c.getresponse(); self.result = [answer.status, json.load(answer)['said'], answer.getheader('x-one')]")]
    [InlineData("requests", "import requests; answer = requests.get(url + '/json', params={'q': 'a b'}, timeout=5); self.result = [answer.status_code, answer.json()['said'], answer.headers['x-one']]")]
    [InlineData("session", "import requests; s = requests.Session(); s.get(url + '/json'); answer = s.get(url + '/json', params={'q': 'a b'}, verify=False, stream=True); self.result = [answer.status_code, answer.json()['said'], answer.headers['x-one']]")]
    [InlineData("urllib3", "import json, urllib3; answer = urllib3.PoolManager().request('GET', url + '/json?q=a+b'); self.result = [answer.status, json.loads(answer.data)['said'], answer.headers['x-one']]")]
    [InlineData("httplib2", "import httplib2, json; answer, body = httplib2.Http().request(url + '/json?q=a+b'); self.result = [answer.status, json.loads(body)['said'], answer['x-one']]")]
    public async Task A_rule_calls_out_and_reads_the_answer(string way, string code)
    {
        await using var server = new RawServer(RawServer.Ok("""{"said": "hello"}""", "X-One: 1\r\n"));

        var (ended, trail) = await RunAsync(server, code);

        ended.Error?.Message.ShouldBeNull(way);
        ended.Changes.ShouldHaveSingleItem().Value.ShouldBe("""[200,"hello","1"]""");
        server.Requests[^1].ShouldStartWith("GET /json?q=a+b HTTP/1.1\r\n");
        trail.Records.ShouldAllBe(record => record.Path == "/json" && record.Status == 200);
    }

    [Fact]
    public async Task The_example_of_the_page_does_what_it_says()
    {
        await using var server = new RawServer(RawServer.Ok("""{"rate": 0.95}"""));
        var example = RulesPage.BlockWith("class convert_currency(Rule):");

        var (ended, trail) = await RunAsync(server, example.Replace("https://rates.example", $"http://{server.Place}", StringComparison.Ordinal), "convert_currency", "amount", "20");

        ended.Error?.Message.ShouldBeNull();
        ended.Changes.ShouldHaveSingleItem().ShouldSatisfyAllConditions(change => change.Key.ShouldBe("euros"), change => change.Value.ShouldBe("19.0"));
        server.Requests[0].ShouldStartWith("GET /latest?to=EUR HTTP/1.1\r\n");
        trail.Records[0].Path.ShouldBe("/latest");
    }

    [Fact]
    public async Task Bodies_of_megabytes_go_both_ways()
    {
        await using var server = new RawServer(async call =>
        {
            var body = call.Request[(call.Request.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
            await call.WriteAsync(RawServer.Ok(body));
        });

        var (ended, trail) = await RunAsync(server, """
            data = bytes(range(256)) * 8192
            answer = http.post(url, data=data)
            self.result = [len(answer.content), answer.content == data]
            """);

        ended.Error?.Message.ShouldBeNull();
        ended.Changes.ShouldHaveSingleItem().Value.ShouldBe("[2097152,true]");
        trail.Records[0].ShouldSatisfyAllConditions(record => record.BytesOut.ShouldBe(2 << 20), record => record.BytesIn.ShouldBe(2 << 20));
    }

    [Fact]
    public async Task A_refusal_is_an_error_that_the_rule_may_catch_and_that_says_why()
    {
        await using var server = new RawServer(RawServer.Ok(""));

        var (caught, _) = await RunAsync(server, """
            import urllib.error, urllib.request
            said = []
            for attempt in (lambda: http.get("http://169.254.169.254/latest/"), lambda: urllib.request.urlopen("http://[::1]/"), lambda: http.get("ftp://example.com/")):
                try:
                    attempt()
                except OSError as error:
                    said.append(str(error))
            self.result = said
            """);
        var (failed, trail) = await RunAsync(server, "http.get('http://10.0.0.1/')");

        caught.Error?.Message.ShouldBeNull();
        caught.Changes[0].Value!.ShouldContain("169.254.169.254 is not called: its address is link-local");
        caught.Changes[0].Value!.ShouldContain("of the machine itself");
        caught.Changes[0].Value!.ShouldContain("Only http and https go out, not ftp.");
        failed.Outcome.ShouldBe(RunOutcome.Failed);
        failed.Error!.Message.ShouldContain("only public ones are called");
        trail.Records.ShouldHaveSingleItem().Fault.ShouldBe(CallFaults.Refused);
    }

    [Fact]
    public async Task What_is_no_http_is_told_so()
    {
        await using var server = new RawServer(RawServer.Ok(""));

        var (ended, _) = await RunAsync(server, "import smtplib; smtplib.SMTP('mail.example.com')");

        ended.Error!.Message.ShouldContain("only HTTP goes out of a rule");
        server.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task A_bomb_ends_the_cell_at_its_memory_and_nothing_else()
    {
        var memory = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(memory, System.IO.Compression.CompressionLevel.Optimal))
        {
            gzip.Write(new byte[200 << 20]);
        }

        var bomb = memory.ToArray();
        await using var server = new RawServer(async call =>
        {
            await call.WriteAsync($"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {bomb.Length}\r\n\r\n");
            await call.WriteAsync(bomb);
        });

        // Its memory has to be what ends it, however slowly this machine unpacks.
        var limits = CellFixture.Limits();
        limits.CpuTime = TimeSpan.FromSeconds(60);
        await using var sandbox = await CellFixture.StartAsync(limits);

        var (ended, _) = await RunAsync(server, "self.result = len(http.get(url).content)", sandbox);

        ended.Outcome.ShouldBe(RunOutcome.Killed);
        ended.Error!.Kind.ShouldBe("Memory");
    }

    [Fact]
    public async Task A_requests_that_the_tenant_brought_looks_for_no_certificates_either()
    {
        var tenant = new Eddy.Tests.Sandbox.TestTenant(
            await cells.Sandbox,
            ("libraries/requests/__init__.py", "from .adapters import HTTPAdapter"),
            ("libraries/requests/adapters.py", "class HTTPAdapter:\n    def cert_verify(self, conn, url, verify, cert):\n        raise OSError('there is no such file')"),
            ("scripts/rule.py", "import requests\nclass go(Rule):\n    listens_to = ['go']\n    def action(self):\n        requests.HTTPAdapter().cert_verify(None, 'https://a.test/', True, None)\n        self.own = requests.__file__"));

        (await tenant.PostAsync(7, ("go", "1"))).Steps.OfType<RunEnded>().ShouldHaveSingleItem().Error?.Message.ShouldBeNull();

        tenant.Kvp(7, "own").ShouldBe("\"libraries/requests/__init__.py\"");
    }

    [Fact]
    public async Task While_files_load_nothing_goes_out()
    {
        var tenant = new Eddy.Tests.Sandbox.TestTenant(await cells.Sandbox, ("scripts/a.py", "http.get('https://example.com/')"), ("scripts/b.py", "import urllib.request\nurllib.request.urlopen('https://example.com/')"));

        var loaded = await tenant.LoadAsync();

        loaded.Errors.Count.ShouldBe(2);
        loaded.Errors.ShouldAllBe(error => error.Message.Contains("only in a run"));
    }

    private async Task<(RunEnded Ended, CallTrail Trail)> RunAsync(RawServer server, string action, RuleSandbox? sandbox = null)
    {
        var lines = string.Join('\n', action.Split('\n').Select(line => "        " + line));
        return await RunAsync(server, $"class go(Rule):\n    listens_to = ['go']\n    def action(self):\n        url = 'http://{server.Place}'\n{lines}\n", "go", "go", "1", sandbox);
    }

    private async Task<(RunEnded Ended, CallTrail Trail)> RunAsync(RawServer server, string script, string rule, string key, string value, RuleSandbox? own = null)
    {
        var sandbox = own ?? await cells.Sandbox;
        var tenant = Eddy.Tests.Sandbox.TestTenant.WithRule(sandbox, script);
        await using var calls = TestCalls.To(server);
        var run = new OwedRun(
            "scripts/rule.py:" + rule, 7, [new SetEvent(1, 7, key, value, null)], Eddy.Tests.Sandbox.TestTenant.Now, "post", new Cascade(Guid.NewGuid(), "key:test", 0), 1, []);
        var state = new Dictionary<long, IReadOnlyDictionary<string, string>> { [0] = new Dictionary<string, string>(), [7] = new Dictionary<string, string> { [key] = value } };

        var ended = await sandbox.RunBesideAsync(
            tenant.Tree, new BesideRun(run, Eddy.Tests.Sandbox.TestTenant.Now, state), (request, ct) => calls.Out.CallAsync(tenant.Tree.Tenant, request, calls.Trail, ct), Ct);

        return (ended.Ended.ShouldNotBeNull(), calls.Trail);
    }
}
