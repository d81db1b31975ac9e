using System.Globalization;
using System.Text;
using System.Text.Json;
using Eddy.Endpoints;
using Eddy.Sandbox;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Endpoints;

/// <summary>API scripts through the whole way: a cell of the web's answers, the pump applies.</summary>
public sealed class EndpointTests(TestWay way) : IClassFixture<TestWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_function_answers_with_what_the_tenant_shares()
    {
        var caller = await CallerAsync(("api/info.py", "def company(request):\n    return {'name': shared.company, 'asked': request.GET.who}\n"));
        await ShareAsync(caller, "company", "\"Acme\"");

        var answer = await AskAsync(caller, "GET", "/api/v1/info/company", query: "who=ann");

        answer.Status.ShouldBe(200);
        TypeOf(answer).ShouldBe("application/json");
        TextOf(answer).ShouldBe("""{"name": "Acme", "asked": "ann"}""");
    }

    [Fact]
    public async Task What_it_changes_is_in_force_when_its_answer_goes_out_and_wakes_rules()
    {
        var caller = await CallerAsync(
            ("api/orders.py", "def add(request):\n    order = Process.objects.create(kind='order', total=request.POST.total)\n    shared.orders = (shared.orders or 0) + 1\n    return order\n"),
            ("scripts/tax.py", "class tax(Rule):\n    listens_to = ['total']\n    def check(self):\n        return True\n    def action(self):\n        self.tax = self.total * 2\n"));

        var answer = await AskAsync(caller, "POST", "/api/v1/orders/add", """{"total": 21}""", "application/json");

        answer.Status.ShouldBe(200);
        using var order = JsonDocument.Parse(TextOf(answer));
        var pid = order.RootElement.GetProperty("PROCESS_ID").GetInt64();
        (await caller.SharedAsync()).GetProperty("orders").GetInt32().ShouldBe(1);
        await Patience.UntilAsync("the rule has run", Patience.Long, async () => (await caller.ProcessAsync(pid)).TryGetProperty("tax", out var tax) && tax.GetInt32() == 42);
        var events = await caller.GetAsync($"/api/events?pid={pid}");
        events.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("source").GetString()).Distinct().Order().ShouldBe(["api", "rule"]);
    }

    [Fact]
    public async Task Counters_are_right_however_many_call()
    {
        var caller = await CallerAsync(("api/count.py", "def up(request):\n    shared.count = (shared.count or 0) + 1\n    return shared.count\n"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 40).Select(_ => AskAsync(caller, "POST", "/api/v1/count/up")));

        answers.Select(TextOf).Select(int.Parse).Order().ShouldBe(Enumerable.Range(1, 40));
        (await caller.SharedAsync()).GetProperty("count").GetInt32().ShouldBe(40);
    }

    [Fact]
    public async Task Requests_and_their_CPU_time_are_counted_in_what_the_tenant_has_used()
    {
        var caller = await CallerAsync(("api/sum.py", "def up(request):\n    return sum(range(100000))\n"));
        (await caller.GetAsync("/api/usage")).GetProperty("requests").GetInt64().ShouldBe(0);

        for (var i = 0; i < 3; i++)
        {
            (await AskAsync(caller, "GET", "/api/v1/sum/up")).Status.ShouldBe(200);
        }

        await Patience.UntilAsync("all are counted", Patience.Long, async () => (await caller.GetAsync("/api/usage")).GetProperty("requests").GetInt64() == 3);
        (await caller.GetAsync("/api/usage")).GetProperty("requestCpuMilliseconds").GetDouble().ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Get_or_create_makes_one_however_many_call()
    {
        var caller = await CallerAsync(("api/customers.py", "def seen(request):\n    customer, made = Process.objects.get_or_create(kind='customer', email=request.GET.email)\n    customer.visits = (customer.visits or 0) + 1\n    customer.save()\n    return made\n"));

        var answers = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => AskAsync(caller, "POST", "/api/v1/customers/seen", query: "email=ann@acme.test")));

        answers.Select(TextOf).Count(text => text == "true").ShouldBe(1);
        var found = await caller.GetAsync("/api/processes?kind=customer");
        var one = found.GetProperty("processes").EnumerateArray().ShouldHaveSingleItem();
        (await caller.ProcessAsync(one.GetProperty("pid").GetInt64())).GetProperty("visits").GetInt32().ShouldBe(16);
    }

    [Fact]
    public async Task A_request_comes_to_its_end_beside_events_that_change_what_it_reads_all_the_time()
    {
        var caller = await CallerAsync(("api/sum.py", "import time as clock\ndef take(request):\n    seen = shared.ticks or 0\n    clock.sleep(0.03)\n    shared.taken = seen\n    return seen\n"));
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var ticking = Task.Run(async () =>
        {
            for (var i = 1; !enough.IsCancellationRequested; i++)
            {
                await ShareAsync(caller, "ticks", i.ToString(CultureInfo.InvariantCulture));
            }
        }, Cancel);
        await Patience.UntilAsync("it ticks", Patience.Long, async () => (await caller.SharedAsync()).TryGetProperty("ticks", out _));

        var answer = await AskAsync(caller, "POST", "/api/v1/sum/take");

        await enough.CancelAsync();
        await ticking;
        answer.Status.ShouldBe(200);
        (await caller.SharedAsync()).GetProperty("taken").GetInt32().ShouldBe(int.Parse(TextOf(answer), CultureInfo.InvariantCulture));
    }

    [Theory]
    [InlineData("return 'ünï'", 200, "text/plain; charset=utf-8", "ünï")]
    [InlineData("return [1, None, date(2026, 3, 1)]", 200, "application/json", "[1, null, \"2026-03-01\"]")]
    [InlineData("return True", 200, "application/json", "true")]
    [InlineData("return None", 204, null, "")]
    [InlineData("return HttpResponse('<b>x</b>')", 200, "text/html; charset=utf-8", "<b>x</b>")]
    [InlineData("return HttpResponseForbidden('no')", 403, "text/html; charset=utf-8", "no")]
    [InlineData("return HttpResponseNotFound", 404, "text/html; charset=utf-8", "")]
    [InlineData("raise HttpResponseBadRequest('what?')", 400, "text/html; charset=utf-8", "what?")]
    [InlineData("return JsonResponse({'a': 1}, status=201)", 201, "application/json", "{\"a\": 1}")]
    [InlineData("return request.BODY['a']", 200, "application/json", "5")]
    [InlineData("return json.loads(request.BODY)", 200, "application/json", "{\"a\": 5}")]
    [InlineData("return [request.POST.a, request.POST['b'], request.FORM, request.method, request.META['REMOTE_ADDR'], request.headers['x-own']]", 200, "application/json", "[5, null, null, \"POST\", \"192.0.2.7\", \"yes\"]")]
    [InlineData("shared.kept = request.BODY\n    return shared.kept", 200, "application/json", "{\"a\": 5}")]
    public async Task An_answer_is_what_the_function_returns_or_raises(string body, int status, string? type, string text)
    {
        var caller = await CallerAsync(("api/one.py", $"def it(request):\n    {body}\n"));

        var answer = await AskAsync(caller, "POST", "/api/v1/one/it", """{"a": 5}""", "application/json");

        (answer.Status, TypeOf(answer), TextOf(answer)).ShouldBe((status, type, text));
    }

    [Fact]
    public async Task What_is_raised_as_an_answer_drops_what_was_set()
    {
        var caller = await CallerAsync(("api/one.py", "def it(request):\n    shared.x = 1\n    raise HttpResponse('stop', status=409)\n"));

        (await AskAsync(caller, "POST", "/api/v1/one/it")).Status.ShouldBe(409);

        (await caller.SharedAsync()).TryGetProperty("x", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Forms_and_files_are_read()
    {
        var caller = await CallerAsync(("api/form.py", "def take(request):\n    given = request.FILES.photo\n    return [request.FORM.name, request.FORM.tags, given.name, given.content_type, given.size, request.FORM.last_actor, len(request.RAW) > 100]\n"));
        const string Body = "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nAnn\r\n--x\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\na\r\n--x\r\nContent-Disposition: form-data; name=\"tags\"\r\n\r\nb\r\n"
            + "--x\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"p.png\"\r\nContent-Type: image/png\r\n\r\n12345\r\n--x--\r\n";

        TextOf(await AskAsync(caller, "POST", "/api/v1/form/take", Body, "multipart/form-data; boundary=x")).ShouldBe("""["Ann", ["a", "b"], "p.png", "image/png", 5, null, true]""");
    }

    [Fact]
    public async Task The_process_that_a_request_names_is_there()
    {
        var caller = await CallerAsync(("api/one.py", "def it(request):\n    if request.PROCESS is None:\n        return 'none'\n    request.PROCESS.seen = True\n    return request.PROCESS.room\n"));
        var pid = (await caller.SettleAsync("""{"room": "Lab"}""")).GetProperty("pid").GetInt64();

        TextOf(await AskAsync(caller, "GET", "/api/v1/one/it", query: $"pid={pid}")).ShouldBe("Lab");
        (await caller.ProcessAsync(pid)).GetProperty("seen").GetBoolean().ShouldBeTrue();
        TextOf(await AskAsync(caller, "GET", "/api/v1/one/it", query: "pid=999999")).ShouldBe("none");
        TextOf(await AskAsync(caller, "GET", "/api/v1/one/it")).ShouldBe("none");
    }

    [Theory]
    [InlineData("@members_only", null, null, 401)]
    [InlineData("@members_only", "ann@acme.test", null, 200)]
    [InlineData("@key_required('read')", null, null, 401)]
    [InlineData("@key_required('read')", null, "ingest", 403)]
    [InlineData("@key_required('read')", null, "read", 200)]
    [InlineData("@group_required('hr')", "ann@acme.test", null, 200)]
    [InlineData("@group_required('board')", "ann@acme.test", null, 403)]
    public async Task Who_may_not_call_is_told_so(string decorator, string? user, string? scope, int status)
    {
        var caller = await CallerAsync(("api/one.py", $"{decorator}\ndef it(request):\n    return 1\n"));

        var answer = await AskAsync(caller, "GET", "/api/v1/one/it", as_: new EndpointCaller(user, user is null ? [] : ["hr"], scope is null ? null : "sensors", scope is null ? [] : [scope]));

        answer.Status.ShouldBe(status);
        TypeOf(answer).ShouldBe(status == 200 ? "application/json" : "application/problem+json");
    }

    [Fact]
    public async Task Parameters_are_read_by_their_hints()
    {
        var caller = await CallerAsync(("api/one.py", "from decimal import Decimal\ndef it(request, amount: Decimal, day: date, often: int = 1, loud: bool = False):\n    return [amount, day, often, loud]\n"));

        TextOf(await AskAsync(caller, "GET", "/api/v1/one/it", query: "amount=1.50&day=2026-03-01&loud=yes")).ShouldBe("""["1.50", "2026-03-01", 1, true]""");
        var wrong = await AskAsync(caller, "GET", "/api/v1/one/it", query: "amount=much&day=2026-03-01");
        (wrong.Status, TextOf(wrong).Contains("amount is to be a number", StringComparison.Ordinal)).ShouldBe((400, true));
        TextOf(await AskAsync(caller, "GET", "/api/v1/one/it", query: "amount=1")).ShouldContain("day is missing");
    }

    [Fact]
    public async Task One_that_fails_leaves_nothing_and_is_on_record_with_its_trace()
    {
        var caller = await CallerAsync(("api/one.py", "def it(request):\n    shared.x = 1\n    print('so far')\n    return 1 / 0\n"));

        var reply = await ReplyAsync(caller, "POST", "/api/v1/one/it");

        reply.ShouldBeOfType<EndpointReply.Failed>().Error.ShouldSatisfyAllConditions(error => error.Kind.ShouldBe("ZeroDivisionError"), error => error.Line.ShouldBe(4));
        (await caller.SharedAsync()).TryGetProperty("x", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Mails_and_cards_of_a_request_go_out_with_it()
    {
        var caller = await CallerAsync(("api/one.py", "def it(request):\n    send_email('bob@example.test', 'Hello', subject='From the API')\n    load_card('welcome', user='ann@acme.test')\n    load_card('lost')\n    return 'sent'\n"));

        TextOf(await AskAsync(caller, "POST", "/api/v1/one/it")).ShouldBe("sent");

        (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem().GetProperty("subject").GetString().ShouldBe("From the API");
        (await caller.GetAsync("/api/cards")).GetProperty("cards").EnumerateArray().ShouldHaveSingleItem().GetProperty("name").GetString().ShouldBe("welcome");
    }

    [Fact]
    public async Task Modules_under_api_are_imported_by_rules_and_by_one_another()
    {
        var caller = await CallerAsync(
            ("api/prices.py", "FACTOR = 3\ndef price(request):\n    return FACTOR\n"),
            ("api/shop.py", "import prices\nimport api.prices\ndef it(request):\n    return [prices is api.prices, prices.FACTOR]\n"),
            ("scripts/one.py", "from api.prices import FACTOR\nclass one(Rule):\n    listens_to = ['n']\n    def check(self):\n        return True\n    def action(self):\n        self.m = self.n * FACTOR\n"));

        TextOf(await AskAsync(caller, "GET", "/api/v1/shop/it")).ShouldBe("[true, 3]");
        var pid = (await caller.SettleAsync("""{"n": 5}""")).GetProperty("pid").GetInt64();
        (await caller.ProcessAsync(pid)).GetProperty("m").GetInt32().ShouldBe(15);
    }

    [Theory]
    [InlineData("/api/v1/one/_hidden")]
    [InlineData("/api/v1/one/loads")]
    [InlineData("/api/v1/one/Shown")]
    [InlineData("/api/v1/one/it/")]
    [InlineData("/api/v1/two/it")]
    [InlineData("/api/v1/scripts/one/it")]
    public async Task Only_what_the_module_defines_in_public_is_there(string path)
    {
        var caller = await CallerAsync(("api/one.py", "from json import loads\nclass Shown: pass\ndef _hidden(request): return 1\ndef it(request): return 1\n"));

        (await ReplyAsync(caller, "GET", path)).ShouldBeOfType<EndpointReply.Absent>();
    }

    internal static async Task<EndpointReply> ReplyAsync(
        TestWay way, TestCaller caller, string method, string path, string body = "", string? type = null, string query = "", EndpointCaller? as_ = null, params (string Name, string Value)[] headers)
    {
        List<KeyValuePair<string, string>> all = [new("X-Own", "yes"), .. headers.Select(header => new KeyValuePair<string, string>(header.Name, header.Value))];
        if (type is not null)
        {
            all.Add(new("Content-Type", type));
        }

        var request = new EndpointRequest(method, "http://acme.test", path, query, "192.0.2.7", all, Encoding.UTF8.GetBytes(body), as_ ?? EndpointCaller.Anybody);
        return await way.Web.Services.GetRequiredService<EndpointServer>().AnswerAsync(caller.Tenant.Id, "UTC", path, request, null, Cancel);
    }

    internal static string TextOf(Answered answer) => Encoding.UTF8.GetString(answer.Body);

    private static string? TypeOf(Answered answer) => answer.Headers.Where(header => header.Key == "Content-Type").Select(header => header.Value).FirstOrDefault();

    private static Task<JsonElement> ShareAsync(TestCaller caller, string key, string json) => caller.PutAsync($"/api/shared/{key}", json).JsonAsync();

    private Task<TestCaller> CallerAsync(params (string Path, string Text)[] files) => way.CallerAsync(files);

    private Task<EndpointReply> ReplyAsync(TestCaller caller, string method, string path) => ReplyAsync(way, caller, method, path);

    private async Task<Answered> AskAsync(TestCaller caller, string method, string path, string body = "", string? type = null, string query = "", EndpointCaller? as_ = null)
    {
        var reply = await ReplyAsync(way, caller, method, path, body, type, query, as_);
        return reply is EndpointReply.Answer { Answered: var answer } ? answer
            : throw new InvalidOperationException(reply is EndpointReply.Failed failed ? $"{failed.Error.Kind}: {failed.Error.Message}\n{failed.Error.Traceback}" : reply.ToString());
    }
}
