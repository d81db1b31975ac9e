using System.Text.Json;
using Eddy.Tests.Rules;

namespace Eddy.Tests.Processes;

/// <summary>What rules do with processes other than their own.</summary>
public sealed class ProcessTests(TestWay way, TestDatabase database) : IClassFixture<TestWay>, IAsyncLifetime
{
    private TestDatabase? _own;

    private const string Do = """
        class do(Rule):
            listens_to = ["do"]
            def action(self):
        {0}

        """;

    [Fact]
    public async Task A_run_makes_a_child_and_reads_its_parent_and_children()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class hire(Rule):
                listens_to = ["name"]
                def check(self):
                    return self.PARENT is None
                def action(self):
                    new_child.task = "desk"
                    new_child.due = 3

            class task(Rule):
                listens_to = ["task"]
                def action(self):
                    self.seen = f"{parent.name} {parent.pid == self.PARENT.pid} {len(parent.CHILDREN)}"
                    parent.tasks = (parent.tasks or 0) + 1

            class count(Rule):
                listens_to = ["tasks"]
                def action(self):
                    self.due = [child.due for child in children]
                    self.same = [child == one for child, one in zip(children, self.CHILDREN)]
            """));

        var answer = await caller.SettleAsync("""{"name": "Ada"}""");

        Errors(answer).ShouldBeEmpty();
        var kvps = answer.GetProperty("kvps");
        (kvps.GetProperty("tasks").GetInt32(), kvps.GetProperty("due").ToString(), kvps.GetProperty("same").ToString()).ShouldBe((1, "[3]", "[true]"));
        var child = (await caller.GetAsync("/api/processes?key.task=desk")).GetProperty("processes").EnumerateArray().ShouldHaveSingleItem();
        child.GetProperty("kvps").GetProperty("seen").GetString().ShouldBe("Ada True 1");
        child.GetProperty("kvps").GetProperty("PARENT").ToString().ShouldContain($"{answer.GetProperty("pid")}");
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task A_rule_wakes_in_the_parent_by_what_its_children_do()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class make(Rule):
                listens_to = ["make"]
                def action(self):
                    for n in range(self.make):
                        Process.objects.create(PARENT=self, n=n)

            class finished(Rule):
                listens_to = ["child.done"]
                def action(self):
                    self.finished = (self.finished or []) + [[child.n, child.PARENT == self, event.key, event.pid == child.pid]]
                    child.thanked = True

            class thanked(Rule):
                listens_to = ["thanked"]
                def action(self):
                    self.parent_knows = parent.finished[-1][0] == self.n
            """));
        var pid = (await caller.SettleAsync("""{"make": 3}""")).GetProperty("pid").GetInt64();
        var children = (await caller.GetAsync("/api/processes?key.n=1")).GetProperty("processes").EnumerateArray().ShouldHaveSingleItem();

        var answer = await caller.SettleAsync("""{"done": true}""", $"?pid={children.GetProperty("pid")}");

        Errors(answer).ShouldBeEmpty();
        answer.GetProperty("kvps").GetProperty("thanked").GetBoolean().ShouldBeTrue();
        answer.GetProperty("kvps").GetProperty("parent_knows").GetBoolean().ShouldBeTrue();
        (await caller.GetAsync($"/api/processes?parent={pid}")).GetProperty("processes").GetArrayLength().ShouldBe(3);
        (await caller.GetAsync($"/api/processes?parent={pid}&key.n=1")).GetProperty("processes").GetArrayLength().ShouldBe(1);
        (await caller.ProcessAsync(pid)).GetProperty("finished").ToString().ShouldBe("""[[1,true,"done",true]]""");
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task A_rule_wakes_in_each_child_by_what_its_parent_does()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class make(Rule):
                listens_to = ["make"]
                def action(self):
                    for n in range(self.make):
                        Process.objects.create(PARENT=self, n=n)

            class told(Rule):
                listens_to = ["parent.rate"]
                def action(self):
                    self.rate = [parent.rate, event.value, event.pid == parent.pid, self.n]

            class raised(Rule):
                listens_to = ["raise_by"]
                def action(self):
                    if self.raise_by == 2:
                        new_child.n = 9
                    self.rate = self.rate + self.raise_by

            class moved(Rule):
                listens_to = ["leave"]
                def action(self):
                    one = Process.objects.get(n=1)
                    one.PARENT = None
                    one.save()
                    self.rate = 0
            """));
        var pid = (await caller.SettleAsync("""{"make": 2}""")).GetProperty("pid").GetInt64();

        Errors(await caller.SettleAsync("""{"rate": 5}""", $"?pid={pid}")).ShouldBeEmpty();
        (await RatesAsync()).ShouldBe("[5,5,true,0] [5,5,true,1]");
        Errors(await caller.SettleAsync("""{"raise_by": 1}""", $"?pid={pid}")).ShouldBeEmpty();
        (await RatesAsync()).ShouldBe("[6,6,true,0] [6,6,true,1]");
        Errors(await caller.SettleAsync("""{"raise_by": 2}""", $"?pid={pid}")).ShouldBeEmpty();
        (await RatesAsync()).ShouldBe("[8,8,true,0] [8,8,true,1] [8,8,true,9]");
        Errors(await caller.SettleAsync("""{"leave": 2}""", $"?pid={pid}")).ShouldBeEmpty();
        (await RatesAsync()).ShouldBe("[0,0,true,0] [8,8,true,1] [0,0,true,9]");
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);

        async Task<string> RatesAsync() => string.Join(' ', (await caller.GetAsync("/api/processes?order=oldest")).GetProperty("processes").EnumerateArray()
            .Where(process => process.GetProperty("pid").GetInt64() != pid).OrderBy(process => process.GetProperty("pid").GetInt64())
            .Select(process => process.GetProperty("kvps").GetProperty("rate").ToString()));
    }

    [Fact]
    public async Task A_run_that_calls_out_finds_and_changes_others_too_and_is_done_again_where_they_changed_meanwhile()
    {
        await using var site = await TestSite.StartAsync();
        await using var worker = await TestWorker.StartAsync(_own ??= await database.OfItsOwnAsync(), site.Held);
        await using var web = await TestWeb.StartAsync(_own);
        var tenant = await TestTenant.MakeAsync(_own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/a.py", """
            class order(Rule):
                listens_to = ["order"]
                def action(self):
                    stock = Process.objects.get(kind="stock")
                    http.get(f"SITE/hold?order={self.order}")
                    stock.left = stock.left - self.order
                    stock.save()
                    Process.objects.create(PARENT=self, kind="delivery", left=stock.left)
            """.Replace("SITE", site.Address, StringComparison.Ordinal));
        var stock = (await caller.SettleAsync("""{"kind": "stock", "left": 100}""")).GetProperty("pid").GetInt64();

        var orders = Enumerable.Range(1, 4).Select(n => caller.SettleAsync($$"""{"order": {{n}}}""")).ToList();
        await Patience.UntilAsync("all call", () => site.Waiting == 4);
        await caller.SettleAsync("""{"left": 50}""", $"?pid={stock}");
        site.LetGo(100);
        var answers = await Task.WhenAll(orders);

        answers.SelectMany(Errors).ShouldBeEmpty();
        (await caller.ProcessAsync(stock)).GetProperty("left").GetInt32().ShouldBe(40);
        var deliveries = (await caller.GetAsync("/api/processes?kind=delivery")).GetProperty("processes").EnumerateArray().ToList();
        deliveries.Count.ShouldBe(4);
        deliveries.Min(one => one.GetProperty("kvps").GetProperty("left").GetInt32()).ShouldBe(40);
        await new TestLog(_own).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact]
    public async Task A_cascade_over_many_processes_goes_on_over_slices_and_dead_cells()
    {
        _own ??= await database.OfItsOwnAsync();
        await using var worker = await TestWorker.StartAsync(_own, "Pump:Runs=3");
        await using var web = await TestWeb.StartAsync(_own);
        var tenant = await TestTenant.MakeAsync(_own);
        var caller = new TestCaller(tenant, tenant.Client(web));
        await caller.SaveAsync("scripts/a.py", """
            import os
            class make(Rule):
                listens_to = ["make"]
                def action(self):
                    for n in range(self.make):
                        Process.objects.create(PARENT=self, n=n)

            class work(Rule):
                listens_to = ["n"]
                def check(self):
                    return self.PARENT is not None
                def action(self):
                    if self.n == 4:
                        os._exit(1)
                    self.done = self.n

            class total(Rule):
                listens_to = ["child.done"]
                def action(self):
                    self.total = (self.total or 0) + child.done
            """);

        var answer = await caller.SettleAsync("""{"make": 9}""");

        Errors(answer).ShouldHaveSingleItem().GetProperty("kind").GetString().ShouldBe("Died");
        answer.GetProperty("kvps").GetProperty("total").GetInt32().ShouldBe(36 - 4);
        await new TestLog(_own).ShouldBeSoundAsync(tenant.Id);
    }

    [Fact]
    public async Task The_examples_of_the_page_do_what_they_say()
    {
        var caller = await way.CallerAsync(("scripts/hire.py", RulesPage.BlockWith("class hire(Rule):")), ("scripts/restock.py", RulesPage.BlockWith("class restock(Rule):")));

        var pid = (await caller.SettleAsync("""{"new_hire": "Ada"}""")).GetProperty("pid").GetInt64();
        var task = (await caller.GetAsync("/api/processes?key.task=laptop")).GetProperty("processes")[0].GetProperty("pid").GetInt64();
        Errors(await caller.SettleAsync("""{"done": true}""", $"?pid={task}")).ShouldBeEmpty();
        (await caller.ProcessAsync(pid)).GetProperty("ready").GetBoolean().ShouldBeTrue();
        await caller.SettleAsync("""{"kind": "item", "name": "pen", "count": 3}""");
        var answer = await caller.SettleAsync("""{"sold": "pen"}""");
        Errors(answer).ShouldBeEmpty();
        answer.GetProperty("kvps").GetProperty("low").ToString().ShouldBe("""["pen"]""");
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        if (_own is not null)
        {
            await _own.DisposeAsync();
        }
    }

    /// <summary>What a rule asks, and what it gets, over ten processes of kind 'item' with n from 0 to 9, and three others.</summary>
    public static TheoryData<string, string> Queries => new()
    {
        { "[p.n for p in Process.objects.filter(kind='item')]", "[0,1,2,3,4,5,6,7,8,9]" },
        { "[p.n for p in Process.objects.filter(kind='item', n=3)]", "[3]" },
        { "[p.n for p in Process.objects.filter(kind='item', n=3.0)]", "[3]" },
        { "[p.n for p in Process.objects.filter(n__lt=2)]", "[0,1]" },
        { "[p.n for p in Process.objects.filter(n__lte=2, n__gt=0)]", "[1,2]" },
        { "[p.n for p in Process.objects.filter(n__gte=8)]", "[8,9]" },
        { "[p.n for p in Process.objects.filter(kind='item').exclude(n__lt=8)]", "[8,9]" },
        { "[p.n for p in Process.objects.filter(kind='item', n__ne=3)[:4]]", "[0,1,2,4]" },
        { "[p.n for p in Process.objects.filter(n__in=[2, 7, 'x'])]", "[2,7]" },
        { "[p.n for p in Process.objects.filter(kind='item', note__isnull=True)]", "[0,2,4,6,8]" },
        { "[p.n for p in Process.objects.filter(kind='item', note__isnull=False)]", "[1,3,5,7,9]" },
        { "[p.n for p in Process.objects.filter(kind='item', note=None)]", "[0,2,4,6,8]" },
        { "[p.n for p in Process.objects.filter(note__contains='dd 5')]", "[5]" },
        { "[p.n for p in Process.objects.filter(note__startswith='odd')]", "[1,3,5,7,9]" },
        { "[p.n for p in Process.objects.filter(tags__contains='t3')]", "[3]" },
        { "[p.n for p in Process.objects.filter(when__gte=date(2026, 1, 9))]", "[8,9]" },
        { "[p.n for p in Process.objects.filter(name__lt='item-3', kind='item')]", "[0,1,2]" },
        { "[p.n for p in Process.objects.filter(kind='item').order_by('-n')[:3]]", "[9,8,7]" },
        { "[p.n for p in Process.objects.filter(kind='item').order_by('note', '-n')]", "[1,3,5,7,9,8,6,4,2,0]" },
        { "[p.n for p in Process.objects.filter(kind='item')[2:5]]", "[2,3,4]" },
        { "Process.objects.filter(kind='item')[-1].n", "9" },
        { "Process.objects.filter(kind='item')[4].n", "4" },
        { "Process.objects.filter(kind='item').order_by('n')[-1].n", "9" },
        { "[len(Process.objects.filter(kind='item')), Process.objects.filter(kind='item').length, Process.objects.filter(kind='item').count(), Process.objects.count(kind='item')]", "[10,10,10,10]" },
        { "[p.n for p in Process.objects.filter(kind='item').sort(key=lambda p: -p.n)][:2]", "[9,8]" },
        { "[Process.objects.filter(kind='item').first().n, Process.objects.filter(kind='none').first()]", "[0,null]" },
        { "[Process.objects.filter(kind='item').exists(), Process.objects.filter(kind='none').exists()]", "[true,false]" },
        { "Process.objects.get(kind='item', n=4).name", "\"item-4\"" },
        { "Process.objects.get(PROCESS_ID=str(Process.objects.get(n=4).pid)).n", "4" },
        { "[p.n for p in Process.objects.filter(pid__in=[p.pid for p in Process.objects.filter(n__lt=2)])]", "[0,1]" },
        { "Process.objects.get(owner=Process.objects.get(kind='person')).n", "7" },
        { "Process.objects.get(n=7).owner.name", "\"Ada\"" },
        { "[p.name for p in Process.objects.filter(big=2**70)]", "[\"Ada\"]" },
        { "[p.name for p in Process.objects.filter(flag=True)]", "[\"Ada\"]" },
        { "[p.name for p in Process.objects.filter(flag=1)]", "[]" },
        { "sorted(Process.objects.get(n=2).as_dict())", """["kind","n","name","tags","when"]""" },
        { "Process.objects.get(n=2).__getattr__('name')", "\"item-2\"" },
    };

    [Theory, MemberData(nameof(Queries))]
    public async Task A_query_finds_what_it_asks_for(string expression, string expected)
    {
        var caller = await PopulatedAsync(expression);

        var answer = await caller.SettleAsync("""{"do": 1}""");

        Errors(answer).ShouldBeEmpty();
        JsonSerializer.Serialize(answer.GetProperty("kvps").GetProperty("got")).ShouldBe(expected.Replace("\"", "\"", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Process.objects.get(kind='none')", "DoesNotExist", "kind='none'")]
    [InlineData("Process.objects.get(kind='item')", "MultipleObjectsReturned", "more than one")]
    [InlineData("Process.objects.get(pid=987654)", "DoesNotExist", "pid=987654")]
    [InlineData("Process.objects.filter(n__lt=[1])", "TypeError", "n__lt compares numbers")]
    [InlineData("Process.objects.filter(kind='item')[3:].filter(n=1)", "TypeError", "filter first")]
    [InlineData("Process.objects.filter(kind='item')[99]", "IndexError", "99")]
    [InlineData("Process.objects.filter(n__in=range(1001)).count()", "ValueError", "n__in takes 1000 values at the most, and these are 1001")]
    [InlineData("len(Process.objects.filter(**{f'k{i}': i for i in range(101)}))", "ValueError", "a query has 100 conditions at the most, and this one 101")]
    [InlineData("list(Process.objects.order_by(*'abcdefghijk'))", "ValueError", "a query is ordered by 10 keys at the most, and this one by 11")]
    [InlineData("Process.objects.all()[200_000_000]", "ValueError", "a query goes to the process at 100000000 at the most, and this one to 200000000")]
    [InlineData("setattr(self, 'PROCESS_ID', 3)", "AttributeError", "can not be set")]
    [InlineData("setattr(self, 'PARENT', 'x')", "TypeError", "PARENT is a process or None")]
    public async Task What_can_not_be_asked_says_why(string expression, string kind, string message)
    {
        var caller = await PopulatedAsync(expression);

        var answer = await caller.SettleAsync("""{"do": 1}""");

        var error = Errors(answer).ShouldHaveSingleItem();
        (error.GetProperty("kind").GetString(), error.GetProperty("message").GetString()!.Contains(message, StringComparison.Ordinal)).ShouldBe((kind, true), error.ToString());
    }

    [Fact]
    public async Task A_query_sees_what_this_run_and_the_runs_before_it_have_changed()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class first(Rule):
                listens_to = ["do"]
                def action(self):
                    self.seen = []
                    p = Process.objects.create(kind="thing", n=1)
                    self.seen.append(Process.objects.count(kind="thing"))
                    p.n = 2
                    self.seen.append(Process.objects.count(n=2))
                    p.save()
                    self.seen.append(Process.objects.count(n=2))
                    self.kind = "thing"
                    self.seen.append(Process.objects.count(kind="thing"))
                    p.delete()
                    self.seen.append(Process.objects.count(kind="thing"))
                    Process.objects.create(kind="left", of=self)
                    self.go = 1

            class second(Rule):
                listens_to = ["go"]
                def action(self):
                    left, made = Process.objects.get_or_create(kind="left")
                    self.second = [made, left.of == self, [p.pid == self.pid for p in Process.objects.filter(kind="thing")]]
                    left.n = 5
                    left.save()

            class third(Rule):
                listens_to = ["n"]
                def check(self):
                    return self.kind == "left"
                def action(self):
                    self.of.third = event.previous is None and self.n
                    self.of.save()
            """));

        var answer = await caller.SettleAsync("""{"do": 1}""");

        Errors(answer).ShouldBeEmpty();
        var kvps = answer.GetProperty("kvps");
        kvps.GetProperty("seen").ToString().ShouldBe("[1,0,1,2,1]");
        kvps.GetProperty("second").ToString().ShouldBe("[false,true,[true]]");
        kvps.GetProperty("third").GetInt32().ShouldBe(5);
        (await caller.GetAsync("/api/processes?kind=thing")).GetProperty("processes").GetArrayLength().ShouldBe(1);
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task A_failed_run_leaves_no_process_behind()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class fail(Rule):
                listens_to = ["do"]
                def action(self):
                    Process.objects.create(kind="ghost")
                    new_child.kind = "ghost"
                    for other in Process.objects.filter(kind="real"):
                        other.touched = True
                        other.save()
                    raise ValueError("no")
            """));
        await caller.SettleAsync("""{"kind": "real"}""");

        var answer = await caller.SettleAsync("""{"do": 1}""");

        Errors(answer).ShouldHaveSingleItem();
        (await caller.GetAsync("/api/processes?kind=ghost")).GetProperty("processes").GetArrayLength().ShouldBe(0);
        (await caller.GetAsync("/api/processes?key.touched=true")).GetProperty("processes").GetArrayLength().ShouldBe(0);
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);
    }

    [Fact]
    public async Task Other_tenants_processes_are_not_found()
    {
        var other = await way.CallerAsync();
        var foreign = (await other.SettleAsync("""{"kind": "secret", "n": 1}""")).GetProperty("pid").GetInt64();
        var caller = await way.CallerAsync(("scripts/a.py", Do.Replace("{0}", """
                    self.got = [Process.objects.count(), Process.objects.filter(kind="secret").exists(), Process.objects.filter(PROCESS_ID=FOREIGN + 1000).exists()]
            """.Replace("FOREIGN", $"{foreign}", StringComparison.Ordinal), StringComparison.Ordinal)));

        var answer = await caller.SettleAsync("""{"do": 1}""");

        Errors(answer).ShouldBeEmpty();
        answer.GetProperty("kvps").GetProperty("got").ToString().ShouldBe("[1,false,false]");
    }

    private static List<JsonElement> Errors(JsonElement answer) =>
        [.. answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.GetProperty("error"))];

    private async Task<TestCaller> PopulatedAsync(string expression)
    {
        var caller = await way.CallerAsync(("scripts/do.py", Do.Replace("{0}", "        self.got = " + expression, StringComparison.Ordinal)), ("scripts/populate.py", """
            class populate(Rule):
                listens_to = ["populate"]
                def action(self):
                    ada = Process.objects.create(kind="person", name="Ada", big=2**70, flag=True)
                    Process.objects.create(kind="other", m=3)
                    for n in range(10):
                        p = Process.objects.create(kind="item", n=n, name=f"item-{n}", tags=[f"t{n}"], when=date(2026, 1, 1 + n))
                        if n % 2:
                            p.note = f"odd {n}"
                        if n == 7:
                            p.owner_id = ada
                        p.save()
            """));
        Errors(await caller.SettleAsync("""{"populate": 1}""")).ShouldBeEmpty();
        return caller;
    }
}
