using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Rules;

/// <summary>What a rule's text is taken to read and write.</summary>
public sealed class RuleLookTests(CellFixture cells)
{
    /// <summary>What action does; what it reads and writes, with blanks between; and which of these may be more.</summary>
    public static TheoryData<string, string, string, string> Rows => new()
    {
        { "pass", "", "", "" },
        { "self.b = self.a", "a", "b", "" },
        { "self['any key'] = self['a']", "a", "any key", "" },
        { "self.b += 1", "b", "b", "" },
        { "self['b'] += 1", "b", "b", "" },
        { "del self.b, self['c']", "", "b c", "" },
        { "self.b.append(1)", "b", "b", "" },
        { "self.b['x'][0] = 1", "b", "b", "" },
        { "del self.b['x']", "b", "b", "" },
        { "self.b['x'].update(y=1)", "b", "b", "" },
        { "shared.b = shared.a", "shared.a", "shared.b", "" },
        { "shared.options['x']['y'] = 1", "shared.options", "shared.options", "" },
        { "x = 'b' in self and 'c' not in shared", "b shared.c", "", "" },
        { "self[self.a] = 1", "a", "", "writes" },
        { "self.b = self['x' + 'y']", "", "b", "reads" },
        { "x = getattr(self, 'a'), hasattr(self, 'c')\n        setattr(self, 'b', x)", "a c", "b", "" },
        { "setattr(self, self.a, 1)", "a", "", "writes" },
        { "self.__setattr__('b', self.__getitem__('a'))", "a", "b", "" },
        { "for b, c in self: pass", "", "", "reads" },
        { "x = self.as_dict()", "", "", "reads" },
        { "parent.total = parent.count", "parent.count", "parent.total", "" },
        { "self.PARENT.total = 1", "", "parent.total", "" },
        { "child.done = True", "", "child.done", "" },
        { "new_child.kind = 'line'\n        new_child['n'] = self.n", "n", "new_child.kind new_child.n", "" },
        { "for one in children:\n            one.done = one.a", "child.a", "child.done", "" },
        { "for i, one in enumerate(children.filter(open=True)):\n            one.n = i", "child.open", "child.n", "" },
        { "self.total = sum(one.price for one in children)", "child.price", "total", "" },
        { "one = Process.objects.get(kind='order', total__gt=self.a)\n        one.paid = one.sum", "a process.kind process.sum process.total", "process.paid", "" },
        { "one, made = Process.objects.get_or_create(kind='order')\n        one.paid = True", "process.kind", "process.kind process.paid", "" },
        { "Process.objects.create(kind='order', total=self.a)", "a", "process.kind process.total", "" },
        { "Process.objects.create(**self.a)", "a", "", "writes" },
        { "for one in Process.objects.filter(kind='a').exclude(b=1)[:3]:\n            one.done = True", "process.b process.kind", "process.done", "" },
        { "x = Process.objects.filter(PROCESS_ID=self.pid).first()\n        x.b = self.last_actor", "", "process.b", "" },
        { "[one.a for one in sorted(children, key=len)][0].b = 1", "child.a", "", "" },
        { "send_email(self.to, 'Hi {{name}}, {{shared.rate}} {{last_actor}}', subject=f'{{{{n}}}} {self.a}')", "a n name shared.rate to", "", "" },
        { "send_email('a@b.test', self.text)", "text", "", "reads" },
        { "helper(self, 1)", "hidden", "told", "" },
        { "helper(x=1, process=self)", "hidden", "told", "" },
        { "self.method(2)", "given", "kept", "" },
        { "foreign.act(self)", "", "", "reads writes" },
        { "foreign(shared)", "", "", "reads writes" },
        { "foreign([self])", "", "", "reads writes" },
        { "print(self)\n        x = str(self.a)", "a", "", "" },
        { "x = [self.a]\n        x.append(self.b)\n        x[0] = 1", "a b", "", "" },
        { "self.b = [lambda: self.a for _ in range(2)]", "a", "b", "" },
        { "Status(service=self.a, running=True).save()", "a", "process.kind process.running process.service_id", "" },
        { "one = Status.get(running=True)\n        one.running = False", "process.running", "process.running", "" },
        { "self.method, self.action", "", "", "" },
        { "self.method = 1", "", "method", "" },
        { "super().action()", "", "base", "" },
        { "self.PARENT = self.PARENT.PARENT", "", "PARENT", "" },
        { "for one in children.filter(open=True).order_by('-price').sort(key=len): pass", "child.open child.price", "", "" },
        { "Many(list=[self.a]).save()", "a", "process.kind process.list_ids", "" },
        { "one = Elsewhere.get(a=self.a)\n        one.b = 1", "a process.a", "process.b", "" },
        { "self['\\ud800'] = self['\\0']", "", "", "reads writes" },
        { $"self.{new string('k', 2000)} = self['{new string('k', 2000)}']", "", "", "reads" },
        { $"send_email(self.to, '{new string('x', 2000)} {{{{name}}}} {{{{{new string('k', 2000)}}}}}')", "name to", "", "" },
    };

    [Theory, MemberData(nameof(Rows))]
    public async Task Its_action_reads_and_writes(string action, string reads, string writes, string unknown)
    {
        var rule = (await LookAsync($"""
            import foreign
            from elsewhere import Elsewhere
            from decimal import Decimal

            class Many(Model):
                list = ReferenceList("Status")

            class Status(Model):
                service = Reference()
                running = Field(default=False)

            def helper(process, x):
                process.told = process.hidden
                x.not_a_process = 1

            class base(Rule):
                def action(self):
                    self.base = 1

            class x(base):
                listens_to = ["a"]

                def action(self):
                    {action}

                def method(self, n):
                    self.kept = self.given
            """.ReplaceLineEndings("\n"))).Single(look => look.Name == "x");

        string.Join(' ', rule.Reads).ShouldBe(reads);
        string.Join(' ', rule.Writes).ShouldBe(writes);
        string.Join(' ', new[] { rule.UnknownReads ? "reads" : "", rule.UnknownWrites ? "writes" : "" }.Where(word => word.Length > 0)).ShouldBe(unknown);
    }

    [Fact]
    public async Task What_check_reads_is_told_apart()
    {
        var rule = (await LookAsync("class x(Rule):\n    listens_to = ['a']\n    def check(self): return self.a and self.b\n    def action(self): self.d = self.c\n")).ShouldHaveSingleItem();

        rule.CheckReads.ShouldBe(["a", "b"]);
        rule.Reads.ShouldBe(["a", "b", "c"]);
        (rule.Line, rule.EndLine).ShouldBe((1, 4));
    }

    [Fact]
    public async Task A_class_with_a_name_without_end_is_left_out() =>
        (await LookAsync($"class {new string('x', 2000)}(Rule):\n    listens_to = ['a']\n    def action(self): pass\n")).ShouldBeEmpty();

    [Theory]
    [InlineData("listens_to = ['a', 'shared.b', 'a']", "a shared.b", null)]
    [InlineData("listens_to = ['\\ud800']", null, null)]
    [InlineData("schedule = '\\ud800'", "", "")]
    [InlineData("listens_to = KEYS", "k", null)]
    [InlineData("listens_to = KEYS + ['b']", null, null)]
    [InlineData("schedule = '0 7 * * *'", "", "0 7 * * *")]
    [InlineData("schedule = 'x'.join([])", "", "")]
    public async Task What_wakes_it_is_told_where_it_is_no_computation(string line, string? listens, string? schedule)
    {
        var rule = (await LookAsync($"KEYS = ['k']\n\nclass x(Rule):\n    {line}\n    def action(self): pass\n")).ShouldHaveSingleItem();

        (rule.ListensTo is null ? null : string.Join(' ', rule.ListensTo)).ShouldBe(listens);
        rule.Schedule.ShouldBe(schedule);
    }

    [Fact]
    public async Task A_rule_whose_base_is_elsewhere_may_do_more_than_its_text_says()
    {
        var rule = (await LookAsync("from things import Base\n\nclass x(Base):\n    listens_to = ['a']\n    def action(self): self.b = 1\n")).ShouldHaveSingleItem();

        (rule.UnknownReads, rule.UnknownWrites).ShouldBe((true, true));
        rule.Writes.ShouldBe(["b"]);
    }

    [Fact]
    public async Task A_class_that_is_no_rule_is_not_told() =>
        (await LookAsync("class x:\n    listens_to = ['a']\n\nclass y(Rule):\n    def action(self): pass\n\nclass z(y):\n    pass\n")).ShouldBeEmpty();

    [Fact]
    public async Task What_the_platform_reads_for_it_is_read()
    {
        var rule = (await LookAsync("class x(Rule):\n    schedule = '0 7 * * *'\n    schedule_where = {'kind': 'order', 'open': True}\n    required = ['mail', ('first', 'last')]\n    per = 'room'\n    def action(self): pass\n")).ShouldHaveSingleItem();

        rule.Reads.ShouldBe(["first", "kind", "last", "mail", "open", "room"]);
    }

    [Theory]
    [InlineData("def f(one):\n    one.told = one.hidden\n    shared.x = g(one)\ndef g(two):\n    return two.deep\n", "process.deep process.hidden", "process.told shared.x")]
    [InlineData("class Token(Model):\n    @classmethod\n    def make(cls, user):\n        token = cls(user=user)\n        token.made = True\n        return token\n    def spend(self):\n        self.spent = self.made\n", "process.made", "process.kind process.made process.spent process.user")]
    [InlineData("def paid(request):\n    request.PROCESS.paid = request.POST.amount\n", "", "process.paid")]
    [InlineData("class Box:\n    def __init__(self):\n        self.x = 1\n", null, null)]
    public async Task A_library_is_told_as_a_whole(string text, string? reads, string? writes)
    {
        var look = (await LookAsync(text, "libraries/a.py")).SingleOrDefault();

        (look is null ? null : string.Join(' ', look.Reads), look is null ? null : string.Join(' ', look.Writes)).ShouldBe((reads, writes));
        (look?.Name ?? "").ShouldBeEmpty();
    }

    [Fact]
    public async Task Rules_in_the_manner_of_the_platform_before_have_no_findings_and_can_all_be_read()
    {
        var folder = Path.Combine(Repository.Root, "tests", "Rules", "manner");
        foreach (var file in Directory.EnumerateFiles(folder, "*.py", SearchOption.AllDirectories))
        {
            var compiled = await (await cells.Sandbox).CompileAsync(
                TenantId.New(), new CellFile(Path.GetRelativePath(folder, file), await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)), TestContext.Current.CancellationToken);

            compiled.Findings.ShouldBeEmpty(file);
            compiled.Rules.ShouldNotBeEmpty(file);
            compiled.Rules.ShouldAllBe(rule => !rule.UnknownReads && !rule.UnknownWrites, file);
        }
    }

    private async Task<IReadOnlyList<RuleLook>> LookAsync(string text, string path = "scripts/rule.py") =>
        (await (await cells.Sandbox).CompileAsync(TenantId.New(), new CellFile(path, text), TestContext.Current.CancellationToken)).Rules;
}
