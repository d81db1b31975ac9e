using Eddy.Egress;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Tests.Sandbox;

/// <summary>A run done over in hindsight tells what its check read, and where that stands.</summary>
public sealed class LookTests(CellFixture cells)
{
    private static readonly DateTimeOffset Then = new(2026, 3, 1, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_a_check_read_has_its_place_in_the_text()
    {
        var look = await LookAsync("""
            LIMIT = 90

            class hot(Rule):
                listens_to = ["temperature"]

                def check(self):
                    if self.kind == "freezer":
                        return self.temperature > 0
                    return self.temperature > LIMIT and self.door == "open"
            """, ("temperature", "72"), ("kind", "\"room\""));

        look.Ended!.Outcome.ShouldBe(RunOutcome.No);
        look.Answer.ShouldBe(new SeenValue("False", "false"));
        Told(look).ShouldBe(
        [
            "7:12-34 = False", "7:12-21 = 'room' (15 kind)", "8:20-40 not come to", "8:20-36 not come to",
            "9:16-64 = False", "9:16-40 = False", "9:16-32 = 72 (15 temperature)", "9:35-40 = 90", "9:45-64 not come to", "9:45-54 not come to",
        ]);
    }

    [Theory]
    [InlineData("    check = lambda self: self.temperature > 90", "3:26-47 = False|3:26-42 = 72 (15 temperature)")]
    [InlineData("    def check(self): return self.temperature > 90", "3:29-50 = False|3:29-45 = 72 (15 temperature)")]
    public async Task A_check_of_one_line_is_seen_too(string check, string told)
    {
        var look = await LookAsync("class hot(Rule):\n    listens_to = [\"temperature\"]\n" + check + "\n", ("temperature", "72"));

        string.Join('|', Told(look)).ShouldBe(told);
    }

    [Fact]
    public async Task A_check_that_is_inherited_is_told_where_it_stands()
    {
        var tree = Tree(("libraries/limits.py", "class Above:\n    def check(self):\n        return self[self.watched] > self.limit\n"),
            ("scripts/rule.py", "from limits import Above\n\nclass hot(Above, Rule):\n    listens_to = [\"temperature\"]\n    watched = \"temperature\"\n    limit = 90\n"));

        var look = await LookAsync(tree, false, ("temperature", "72"));

        look.Seen.ShouldAllBe(place => place.File == "libraries/limits.py");
        Told(look).ShouldBe(["3:16-47 = False", "3:16-34 = 72 (15 temperature)", "3:21-33 = 'temperature'", "3:37-47 = 90"]);
    }

    [Fact]
    public async Task What_is_read_again_and_again_is_told_once()
    {
        var look = await LookAsync("""
            class hot(Rule):
                listens_to = ["temperature"]

                def check(self):
                    return any(one > self.limit for one in self.readings)
            """, ("readings", "[1,2,3]"), ("limit", "9"));

        look.Seen.Single(place => place.Key == "limit").Times.ShouldBe(3);
        look.Seen.Single(place => place.Column == 20 && place.EndColumn == 23).Value!.Text.ShouldBe("3");
    }

    [Fact]
    public async Task The_clock_stands_at_the_moment_of_then()
    {
        var look = await LookAsync("""
            import time as machine
            from datetime import datetime as clock

            class hot(Rule):
                listens_to = ["temperature"]

                def check(self):
                    self.both = [datetime.now(), clock.now(timezone.utc), date.today(), machine.strftime("%Y-%m"), datetime(2020, 1, 1), isinstance(self.since, datetime), machine.time()]
                    return datetime.now() - self.since > timedelta(hours=1)
            """, true, ("since", """{"$datetime":"2026-03-01T09:00:00"}"""));

        look.Ended!.Error.ShouldBeNull();
        look.Ended.Changes.ShouldHaveSingleItem().Value.ShouldBe(
            """[{"$datetime":"2026-03-01T11:00:00"},{"$datetime":"2026-03-01T10:00:00+00:00"},{"$date":"2026-03-01"},"2026-03",{"$datetime":"2020-01-01T00:00:00"},true,1772359200.0]""");
    }

    [Fact]
    public async Task An_action_runs_only_where_it_is_asked_for()
    {
        const string text = "class hot(Rule):\n    listens_to = [\"temperature\"]\n    def action(self):\n        self.alert = \"Too hot\"\n        send_email(\"ops@acme.test\", \"hot\")\n";

        var without = await LookAsync(text, ("temperature", "95"));
        var with = await LookAsync(text, true, ("temperature", "95"));

        without.Ended!.Outcome.ShouldBe(RunOutcome.Ran);
        without.Ended.Changes.ShouldBeEmpty();
        without.Ended.Effects.ShouldBeEmpty();
        with.Ended!.Changes.ShouldHaveSingleItem().Key.ShouldBe("alert");
        with.Ended.Effects.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_check_that_raises_has_told_what_it_read_before()
    {
        var look = await LookAsync("class hot(Rule):\n    listens_to = [\"temperature\"]\n    def check(self):\n        return self.temperature > self.limit\n", ("temperature", "72"));

        look.Answer.ShouldBeNull();
        look.Ended!.Error!.Kind.ShouldBe("TypeError");
        look.Ended.Error.Line.ShouldBe(4);
        Told(look).ShouldBe(["4:16-45 not come to", "4:16-32 = 72 (15 temperature)", "4:35-45 = None (15 limit)"]);
    }

    [Fact]
    public async Task All_that_Python_can_write_means_the_same_with_witnesses()
    {
        var look = await LookAsync(""""
            import contextlib
            import functools

            class Base(Rule):
                def check(self):
                    return True

            class hot(Base):
                """Says what it is."""
                listens_to = ["temperature"]
                limit: int = 90

                @functools.cached_property
                def never(self):
                    return 1

                @staticmethod
                def double(number: int = 2, /, *rest, plus=0, **named) -> int:
                    """Twice."""
                    return number * 2 + plus + sum(rest) + len(named)

                def check(self):
                    """Looks at much."""
                    nonlocal_ = 0
                    def inner():
                        nonlocal nonlocal_
                        nonlocal_ += 1
                        return nonlocal_
                    first, *others = [inner(), *self.readings, -1]
                    table = {**{"a": 1}, "b": [x for x in others if x > 0 if x < 9], "c": {y: y for y in (1, 2)}}
                    if (n := len(others)) > 2: table["n"] = n
                    table["a"] += 1
                    del table["c"]
                    match self.kind:
                        case "freezer" | "fridge": cold = True
                        case str() as other if other != "x": cold = False
                        case _: cold = None
                    try:
                        self.missing.upper()
                    except AttributeError as wrong:
                        said = str(wrong)
                    else:
                        said = ""
                    chain = 1 < self.temperature < 100 != 5
                    text = f"{self.temperature:>5} {self.kind!r}"
                    part = self.readings[1:][0], self.readings[-1]
                    pick = (lambda v, by=2: v * by)(3)
                    assert super().check() and self.__class__.__name__ == "hot" and "kind" in self
                    for i, one in enumerate(self.readings):
                        if one == 2: break
                    else:
                        i = None
                    with contextlib.nullcontext(1) as made: pass
                    self.all = [first, table, cold, said, chain, text, part, pick, i, self.double(3, 4, plus=1, z=1), not self.kind, self.limit, 5 if cold else 6, *sorted({1, 2})]
                    return self.all[0] == 1
            """", true, ("temperature", "72"), ("kind", "\"room\""), ("readings", "[1,2,3]"));

        look.Ended!.Error.ShouldBeNull();
        look.Ended.Changes.ShouldHaveSingleItem().Value.ShouldBe(
            """[1,{"a":2,"b":[1,2,3],"n":4},false,"'NoneType' object has no attribute 'upper'",true,"   72 'room'",[2,3],6,1,12,false,90,6,1,2]""");
    }

    private static List<string> Told(Look look) =>
    [
        .. look.Seen.Select(place => $"{place.Line}:{place.Column}-{place.EndColumn} " + (place.Value is { } value ? $"= {value.Text}{(place.Key is { } key ? $" ({place.Pid} {key})" : "")}" : "not come to")),
    ];

    private static CellTree Tree(params (string Path, string Text)[] files) => new(TenantId.New(), 1, "Europe/Berlin", [.. files.Select(file => new CellFile(file.Path, file.Text))]);

    private Task<Look> LookAsync(string text, params (string Key, string Value)[] kvps) => LookAsync(text, false, kvps);

    private Task<Look> LookAsync(string text, bool acts, params (string Key, string Value)[] kvps) => LookAsync(Tree(("scripts/rule.py", text)), acts, kvps);

    private async Task<Look> LookAsync(CellTree tree, bool acts, params (string Key, string Value)[] kvps)
    {
        var cancel = TestContext.Current.CancellationToken;
        var state = new Dictionary<long, IReadOnlyDictionary<string, string>> { [0] = new Dictionary<string, string>(), [15] = kvps.ToDictionary(kvp => kvp.Key, kvp => kvp.Value) };
        using var cell = await (await cells.Sandbox).OpenLookAsync(tree, Then, state[0], watches: true, cancel);
        cell.Loaded.Errors.ShouldBeEmpty();
        var run = new OwedRun("scripts/rule.py:hot", 15, [new SetEvent(7, 15, kvps[0].Key, kvps[0].Value, null)], Then, "post", new Cascade(Guid.NewGuid(), "key:sensors", 0), 1, []);
        return await cell.LookAsync(new LookRun(new BesideRun(run, Then, state), acts), (_, _) => Task.FromResult(CallAnswer.Of(new CallFault(CallFaults.Refused, "Nothing is called."))), cancel);
    }
}
