using System.Text.Json;

namespace Eddy.Tests.Processes;

/// <summary>Models: classes of processes.</summary>
public sealed class ModelTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Models = """
        class Service(Model):
            name = Field(required=True)
            added = Field(default=lambda: 7)
            tags = Field(default=list)

        class Status(Model):
            kind = "service_status"
            service = Reference(Service, required=True)
            also = ReferenceList(Service)
            running = Field(default=False)
            before = Reference("Status")
        """;

    /// <summary>What a rule does with the models above, and what comes of it.</summary>
    public static TheoryData<string, string> Acts => new()
    {
        { "s = Service(name='db'); self.got = [s.PROCESS_ID, s.name, s.added, s.tags]", """[null,"db",7,[]]""" },
        { "s = Service(name='db'); s.save(); self.got = [s.PROCESS_ID == s.process().pid, s.kind, s.process().kind, s.process().name]", """[true,"service","service","db"]""" },
        { "Service(name='db').save(); Service(name='web').save(); self.got = [s.name for s in Service.filter()]", """["db","web"]""" },
        { "Service(name='db').save(); self.got = [Service.get(name='db').added, Service.count(), Service.count(name='x')]", "[7,1,0]" },
        { "s = Service.create(name='db'); s.name = 'new'; before = Service.get().name; s.save(); self.got = [before, Service.get().name]", """["db","new"]""" },
        { "a, made = Service.get_or_create(name='db'); b, again = Service.get_or_create(name='db'); self.got = [made, again, a == b]", "[true,false,true]" },
        { "s = Service.create(name='db'); t = Status.create(service=s); self.got = [t.service.name, type(t.service).__name__, t.process().service_id == s, t.process().service.name, t.running]", """["db","Service",true,"db",false]""" },
        { "s = Service.create(name='db'); Status.create(service=s); Status.create(service=Service.create(name='x')); self.got = [Status.count(service=s), Status.get(service=s.PROCESS_ID).service.name, Status.count(service__in=[s]), Status.filter().exclude(service=s).count()]", """[1,"db",1,1]""" },
        { "s = [Service.create(name=n) for n in 'abc']; t = Status.create(service=s[0], also=s[1:]); self.got = [[one.name for one in t.also], Status.count(also=s[2]), Status.count(also=s[0])]", """[["b","c"],1,0]""" },
        { "t = Status.create(service=Service.create(name='db')); u = Status.create(service=t.service, before=t); self.got = [u.before == t, type(u.before).__name__, t.before]", """[true,"Status",null]""" },
        { "s = Service.create(name='db'); s.delete(); self.got = [Service.count(), Process.objects.count(kind='service')]", "[0,0]" },
        { "s = Service.create(name='db', tags=['x']); s.tags.append('y'); s.save(); self.got = Service.get().tags", """["x","y"]""" },
        { "s = Service.create(name='db'); self.service = s; self.all = [s]; self.got = [self.service.name, self.all[0] == s, self.service == s]", """["db",true,true]""" },
        { "[Service.create(name=n, added=i) for i, n in enumerate('cab')]; self.got = [[s.name for s in Service.filter().order_by('name')], [s.name for s in Service.filter().order_by('-added')], Service.filter(added__gte=1)[0].name]", """[["a","b","c"],["b","a","c"],"a"]""" },
        { "from nebriosmodels import NebriOSModel, NebriOSField, NebriOSReference, NebriOSReferenceList; self.got = [NebriOSModel is Model, NebriOSField is Field, NebriOSReference is Reference, NebriOSReferenceList is ReferenceList]", "[true,true,true,true]" },
    };

    [Theory, MemberData(nameof(Acts))]
    public async Task A_model_does_what_the_page_says(string act, string expected)
    {
        var answer = await RunAsync(act);

        Errors(answer).ShouldBeEmpty();
        JsonSerializer.Serialize(answer.GetProperty("kvps").GetProperty("got")).ShouldBe(expected);
    }

    [Theory]
    [InlineData("Service().save()", "ValueError", "Service can not be saved without name")]
    [InlineData("Status(running=True).save()", "ValueError", "without service")]
    [InlineData("Service(nam='x')", "TypeError", "Service has no field nam; its fields are name, added, tags")]
    [InlineData("Service.get(name='none')", "DoesNotExist", "name='none'")]
    [InlineData("self.x = Service(name='new')", "TypeError", "save() it first")]
    [InlineData("Status(service='db')", "TypeError", "a process is named by its number")]
    public async Task What_a_model_can_not_do_says_why(string act, string kind, string message)
    {
        var error = Errors(await RunAsync(act)).ShouldHaveSingleItem();

        (error.GetProperty("kind").GetString(), error.GetProperty("message").GetString()!.Contains(message, StringComparison.Ordinal)).ShouldBe((kind, true), error.ToString());
    }

    [Fact]
    public async Task Saving_a_model_wakes_those_who_listen_to_its_fields()
    {
        var caller = await way.CallerAsync(("libraries/models.py", Models), ("scripts/a.py", """
            from models import Service
            class make(Rule):
                listens_to = ["make"]
                def action(self):
                    Service(name="db").save()

            class named(Rule):
                listens_to = ["name"]
                def check(self):
                    return self.kind == "service"
                def action(self):
                    shared.named = Service.get(PROCESS_ID=self.pid).name
            """));

        Errors(await caller.SettleAsync("""{"make": 1}""")).ShouldBeEmpty();

        (await caller.SharedAsync()).GetProperty("named").GetString().ShouldBe("db");
    }

    private async Task<JsonElement> RunAsync(string act)
    {
        var caller = await way.CallerAsync(("libraries/things.py", Models), ("scripts/do.py", $"""
            from things import *
            class do(Rule):
                listens_to = ["do"]
                def action(self):
                    {act}
            """));
        return await caller.SettleAsync("""{"do": 1}""");
    }

    private static List<JsonElement> Errors(JsonElement answer) =>
        [.. answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.GetProperty("error"))];
}
