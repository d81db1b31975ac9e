using System.Text.Json;

namespace Eddy.Tests.Rules;

/// <summary>The rows of the tables under "In a rule", "Other processes", "Models", "Mail and cards" and "Files" in <c>docs/rules.md</c>: each name does what its row says.</summary>
public sealed class InsideARuleRowTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public Task Self_key_and_self_item() => RowAsync("self['any key'] = 1; self.a = 2; del self.a; self.got = [self['any key'], self.a, 'a' in self, self.absent]", "[1,null,false,null]");

    [Fact]
    public Task Self_PROCESS_ID_and_self_pid() => RowAsync("self.got = [self.PROCESS_ID == self.pid, self.pid > 0]", "[true,true]");

    [Fact]
    public Task Self_last_actor() => RowAsync("before = self.last_actor; self.last_actor = 'anna@acme.test'; self.got = [before, self.last_actor]", """["key:test","anna@acme.test"]""");

    [Fact]
    public Task Self_kind() => RowAsync("self.kind = 'order'; self.got = [p.pid == self.pid for p in Process.objects.filter(kind='order')]", "[true]");

    [Fact]
    public Task Self_PARENT_and_self_CHILDREN() => RowAsync("new_child.n = 1; self.got = [self.PARENT, [one.n for one in self.CHILDREN], self.CHILDREN[0].PARENT.pid == self.pid]", "[null,[1],true]");

    [Fact]
    public Task Event_and_events() =>
        RowAsync("self.got = [event.key, event.value, event.previous, event.source, event.actor, event.id, type(event.at).__name__, [e.key for e in events]]", """["do",1,null,"post","key:test",1,"datetime",["do"]]""");

    [Fact]
    public Task Shared() => RowAsync("shared.rate = 2; shared['any key'] = 3; self.got = [shared.rate, shared['any key'], shared.absent, 'rate' in shared]", "[2,3,null,true]");

    [Fact]
    public Task Parent() => RowAsync("self.got = [parent]; self.PARENT = Process.objects.create(name='above'); self.above = self.PARENT.name", "[null]", ("above", "\"above\""));

    [Fact]
    public Task Children() => RowAsync("new_child.n = 1; self.got = [len(children), [one.n for one in children], children.filter(n=1).count(), children.get(n=1).n]", "[1,[1],1,1]");

    [Fact]
    public Task New_child() => RowAsync("new_child.a = 1; new_child.b = 2; self.got = [[one.a, one.b] for one in children]", "[[1,2]]");

    [Fact]
    public Task Process_objects() => RowAsync(
        "one = Process.objects.create(kind='x', n=1); two, made = Process.objects.get_or_create(kind='x', n=2); "
        + "self.got = [Process.objects.get(n=2) == two, made, [p.n for p in Process.objects.filter(kind='x')], [p.n for p in Process.objects.exclude(n=1).filter(kind='x')], Process.objects.count(kind='x')]",
        "[true,true,[1,2],[2],2]");

    [Fact]
    public Task A_query() => RowAsync(
        "[Process.objects.create(kind='x', n=n) for n in range(4)]; q = Process.objects.filter(kind='x'); "
        + "self.got = [[p.n for p in q.order_by('-n')], [p.n for p in q[:2]], q[3].n, q[-1].n, len(q), q.length, q.count(), q.exists(), q.first().n, q.last().n, [p.n for p in q.sort(key=lambda p: -p.n)], q.filter(n=9).first()]; q.delete(); self.left = q.count()",
        "[[3,2,1,0],[0,1],3,3,4,4,4,true,0,3,[3,2,1,0],null]", ("left", "0"));

    [Fact]
    public Task A_process() => RowAsync(
        "p = Process.objects.create(kind='x'); p.n = 1; before = Process.objects.get(pid=p.pid).n; p['any key'] = 2; p.PARENT = self; p.save(); again = Process.objects.get(pid=p.pid); "
        + "self.got = [before, again.as_dict()['n'], sorted(key for key, _ in again), again.PARENT == self, [c.n for c in self.CHILDREN], p.__getattr__('n'), p.__getitem__('n'), isinstance(self, Process)]; again.delete(); self.left = Process.objects.count(kind='x')",
        """[null,1,["any key","kind","n"],true,[1],1,1,true]""", ("left", "0"));

    [Fact]
    public Task Process_DoesNotExist_and_MultipleObjectsReturned() => RowAsync("""
        [Process.objects.create(kind='x') for _ in range(2)]
        self.got = []
        for n, kind in enumerate('yx'):
            try:
                Process.objects.get(kind=kind)
            except Process.DoesNotExist:
                self.got.append('none')
            except Process.MultipleObjectsReturned:
                self.got.append('many')
        """, """["none","many"]""");

    /// <summary>What a keyword finds among n from 0 to 3, where 2 and 3 have a name, and 3 a list.</summary>
    [Theory]
    [InlineData("n=2", "[2]")]
    [InlineData("name=None", "[0,1]")]
    [InlineData("PROCESS_ID=str(Process.objects.get(n=1).pid)", "[1]")]
    [InlineData("owner=self", "[0]")]
    [InlineData("n__ne=2", "[0,1,3]")]
    [InlineData("n__lt=1", "[0]")]
    [InlineData("n__lte=1", "[0,1]")]
    [InlineData("n__gt=2", "[3]")]
    [InlineData("n__gte=2", "[2,3]")]
    [InlineData("n__in=[1, 3]", "[1,3]")]
    [InlineData("name__contains='me 2'", "[2]")]
    [InlineData("tags__contains='red'", "[3]")]
    [InlineData("name__startswith='name 3'", "[3]")]
    [InlineData("name__isnull=True", "[0,1]")]
    [InlineData("name__isnull=False", "[2,3]")]
    public Task Keyword(string keyword, string found) => RowAsync(
        "[Process.objects.create(kind='x', n=n, name=f'name {n}' if n > 1 else None, tags=['red'] if n == 3 else [], owner_id=self if n == 0 else None) for n in range(4)]; "
        + $"self.got = [p.n for p in Process.objects.filter(kind='x', {keyword})]", found);

    [Fact]
    public Task Send_email() => RowAsync("send_email('ops@acme.test, b@acme.test', '{{n}} of {{shared.all}}', subject='S', pid=self, attach_variables=False); self.n = 1; shared.all = 2; self.got = 1", "1",
        after: async caller =>
        {
            var mail = (await caller.GetAsync("/api/outbox")).GetProperty("mails").EnumerateArray().ShouldHaveSingleItem();
            var whole = await caller.GetAsync($"/api/outbox/{mail.GetProperty("id")}");
            (whole.GetProperty("to").ToString(), whole.GetProperty("text").GetString()!.Trim(), whole.GetProperty("subject").GetString()!.StartsWith("S (PID:", StringComparison.Ordinal))
                .ShouldBe(("""["ops@acme.test","b@acme.test"]""", "1 of 2", true), whole.ToString());
        });

    [Fact]
    public Task Load_card() => RowAsync("load_card('heat', pid=self.pid, user='anna@acme.test'); self.got = 1", "1",
        after: async caller => (await caller.GetAsync("/api/cards?user=anna@acme.test")).GetProperty("cards").EnumerateArray().ShouldHaveSingleItem().GetProperty("name").GetString().ShouldBe("heat"));

    [Fact]
    public Task Secrets() => RowAsync("self.got = ['NONE' in secrets, len(secrets.token_hex(4))]", "[false,8]");

    [Fact]
    public Task Open_and_workspace_save() => RowAsync("open('a', 'w').write('1'); workspace.save('a'); self.got = open('a').read()", "\"1\"",
        after: async caller => (await caller.Http.GetStringAsync("/api/files/workspace/a", TestContext.Current.CancellationToken)).ShouldBe("1"));

    [Fact]
    public Task Print_log_and_logging() => RowAsync("import logging\nlogging.basicConfig(filename='x.log')\nprint('a'); log.info('b %d', 1); logging.warning('c'); self.got = 1", "1",
        after: async caller => (await caller.GetAsync("/api/runs/1")).GetProperty("log").GetString().ShouldBe("a\nINFO b 1\nWARNING c\n"));

    [Fact]
    public Task There_without_import() => RowAsync(
        "self.got = [datetime(2026, 1, 2, 3).isoformat(), date(2026, 1, 2).day, time(10).hour, timedelta(hours=1).seconds, str(timezone.utc), parse_datetime('1/2/2026 10:00:00 PM').hour, json.loads('[1]'), bool(re.match('a', 'ab')), math.floor(2.5), 0 <= random.random() < 1]",
        """["2026-01-02T03:00:00",2,10,3600,"UTC",22,[1],true,2,true]""");

    [Fact]
    public Task Model_Field_Reference_and_ReferenceList() => RowAsync("""
        class Service(Model):
            name = Field(required=True)
            up = Field(default=False)
        class Status(Model):
            service = Reference(Service, required=True)
            also = ReferenceList(Service)
        db, made = Service.get_or_create(name='db')
        Status(service=db, also=[db]).save()
        one = Status.get(service=db)
        self.got = [made, db.up, db.PROCESS_ID == db.process().pid, db.process().kind, one.service.name, [s.name for s in one.also], Service.count(), len(Service.filter(name='db')), len(Service.all()), Service.create(name='web').as_dict()['name']]
        db.delete()
        self.left = [s.name for s in Service.exclude(name='x')]
        """, """[true,false,true,"service","db",["db"],1,1,1,"web"]""", ("left", """["web"]"""));

    [Fact]
    public Task Nebriosmodels() => RowAsync(
        "from nebriosmodels import NebriOSModel, NebriOSField, NebriOSReference, NebriOSReferenceList\nself.got = [NebriOSModel is Model, NebriOSField is Field, NebriOSReference is Reference, NebriOSReferenceList is ReferenceList, isinstance(self, NebriOS)]",
        "[true,true,true,true,true]");

    [Fact]
    public Task Http_and_requests() => RowAsync(
        "import requests, urllib.request\nself.got = []\nfor call in (lambda: http.get('ftp://a.test/'), lambda: requests.get('http://127.0.0.1:1/'), lambda: urllib.request.urlopen('http://127.0.0.1:1/')):\n    try:\n        call()\n    except OSError:\n        self.got = self.got + ['refused']",
        """["refused","refused","refused"]""");

    private async Task RowAsync(string action, string got, (string Key, string Value)? also = null, Func<TestCaller, Task>? after = null)
    {
        var caller = await way.CallerAsync(("scripts/do.py", $"""
            class do(Rule):
                listens_to = ["do"]
                def action(self):
                    {action.ReplaceLineEndings("\n").TrimEnd().Replace("\n", "\n        ", StringComparison.Ordinal)}
            """));

        var answer = await caller.SettleAsync("""{"do": 1}""");

        answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.ToString()).ShouldBeEmpty();
        JsonSerializer.Serialize(answer.GetProperty("kvps").GetProperty("got")).ShouldBe(got);
        if (also is { } more)
        {
            JsonSerializer.Serialize(answer.GetProperty("kvps").GetProperty(more.Key)).ShouldBe(more.Value);
        }

        if (after is not null)
        {
            await after(caller);
        }
    }
}
