using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>
/// A rule that changes the guest's own runtime. It may harm the later runs of its own tenant; the host's order, limits and state stay right, a fresh cell knows nothing
/// of it, and so does the neighbour.
/// </summary>
[Trait("Category", "Long")]
public sealed class TamperTests(ShortCells cells) : IClassFixture<ShortCells>
{
    private const string Rule = """
        import builtins, gc, json, os, re, sys, types
        from attempt import own
        class go(Rule):
            listens_to = ["go"]
            def action(self):
                {0}
        class works(Rule):
            listens_to = ["works"]
            def action(self): self.worked = [self.works, (self.before or 0) + 1]

        """;

    /// <summary>By name: what a rule does, and how its run may end.</summary>
    public static TheoryData<string, string, string> Tampering => new()
    {
        { "the limit of changes", "limits = own('Line')._check.__func__.__globals__['limits']; limits.CHANGES = 10 ** 9\n        for i in range(60): self['k%d' % i] = i", "lie" },
        { "the limit of a value", "limits = own('Line')._check.__func__.__globals__['limits']; limits.VALUE = limits.PROCESS = 10 ** 9; self.x = 'x' * 100_000", "lie" },
        { "the limit of the log", "sys.stdout.room = 10 ** 9; print('x' * 100_000)", "lie" },
        { "the check of changes", "line = own('Line'); type(line)._check = lambda *_: None\n        for i in range(60): self['k%d' % i] = i", "lie" },
        { "the check of keys", "kvps = sys._getframe(1).f_globals['kvps']; kvps.check_key = lambda key: None; self['a\\n'] = 1", "lie" },
        { "how values are written", "kvps = sys._getframe(1).f_globals['kvps']; kvps.encode = lambda *_: '1e999'; self.x = 1", "lie" },
        { "how values are written, as other steps", "kvps = sys._getframe(1).f_globals['kvps']; kvps.encode = lambda *_: '1],0,0,0],0,[3,1,16,1,0,0'; self.x = 1", "lie|Ran" },
        { "another process by its bag", "own('Bag').pid = 16; self.x = 1", "Ran" },
        { "another process by its committed KVPs", "own('Line').state[16] = {'before': '41'}", "Ran" },
        { "what is committed", "own('Bag').committed['x'] = '5'", "Ran" },
        { "what is shared", "own('Line').state[0]['works'] = '5'", "Ran" },
        { "the rule that runs next", "own('Line').listeners.reverse()", "lie|Ran" },
        { "who listens", "line = own('Line'); line.by_key.clear(); line.star = ()", "lie|Ran" },
        { "the queue of runs", "[one.clear() for one in gc.get_objects() if type(one).__name__ == 'deque']", "lie|Ran" },
        { "the queue of frames", "own('Line').steps.clear()", "lie|Ran" },
        { "steps that did not happen", "own('Line').steps.append('[3,0,15,1,0,0]')", "lie|Ran" },
        { "the number of the slice", "own('Line').number = 99", "lie" },
        { "who sends", "own('Line').send = lambda *_: None", "WallTime|lie|Died|Ran" },
        { "the end of the run", "own('Line').run = lambda *_: ()", "lie|Ran" },
        { "the clocks", "f = sys._getframe(1).f_globals; f['clock'] = f['cpu_clock'] = lambda: -10 ** 18", "Ran|lie" },
        { "the microseconds", "f = sys._getframe(1).f_globals; f['clock'] = lambda: 'x'", "exit 77|lie|Died" },
        { "the frames of the cell", "[setattr(type(one), 'next', lambda self: os._exit(4)) for one in gc.get_objects() if type(one).__name__ == 'Frames']", "Ran" },
        { "print", "builtins.print = None; NAMES = self.action.__globals__; NAMES['__builtins__'].clear()", "Ran|NameError|KeyError|lie|AttributeError|TypeError|ImportError" },
        { "json and re", "json.dumps = json.loads = re.compile = None", "Ran" },
        { "all modules", "sys.modules.clear()", "Ran" },
        { "a trace of every line", "sys.settrace(lambda *_: 1 / 0); sys.setprofile(lambda *_: 1 / 0)", "ZeroDivisionError|Ran|exit 77|Died" },
        { "the class of the next rule", "[setattr(one, 'action', lambda self: 1 / 0) for one in gc.get_objects() if isinstance(one, type) and one.__name__ == 'works']", "Ran" },
        { "the base of all rules", "type(self).__mro__[1].__setattr__ = None", "Ran|lie" },
        { "text that lies about its length", "class s(str):\n            def isascii(self): return True\n            def __len__(self): return 0\n        self.x = s('é' * 50)", "Ran" },
        { "an outcome that is an error", "raise type('WallTime', (Exception,), {})('It took longer than 9 s, which is the limit.')", "WallTime" },
        { "a code of its own", "own('Line')._run.__func__.__code__ = (lambda *_: None).__code__", "Ran|lie|Died|exit 77" },
        { "how lists are compared", "sys.setswitchinterval(100); sys.setrecursionlimit(60)", "Ran|RecursionError|lie|exit 77|Died" },
        { "memory of the interpreter", "import ctypes; ctypes.memset(id(type(self)), 255, 64)", "Died" },
        { "small numbers", "import ctypes; ctypes.memmove(id(7) + 24, ctypes.byref(ctypes.c_int(8)), 4)", "Ran|lie" },
    };

    [Theory, MemberData(nameof(Tampering))]
    public async Task The_host_stays_right(string name, string action, string expected)
    {
        var sandbox = cells.Sandbox;
        var tenant = new TestTenant(
            sandbox, ("scripts/rule.py", Rule.Replace("{0}", action, StringComparison.Ordinal)), ("libraries/attempt.py", Attempt.Source("attempt")));
        tenant.Have(16, "before", "1");
        var neighbour = TestTenant.WithRule(sandbox, "class works(Rule):\n    listens_to = ['works']\n    def action(self): self.worked = self.works\n");
        ArrivalSet[] arrivals = [TestTenant.Arrival(15, ("go", "1")), TestTenant.Arrival(16, ("works", "7"))];

        var runs = new List<RunEnded>();
        for (var taken = 0; taken < arrivals.Length || tenant.Owed.Count > 0;)
        {
            // A cell may leave work for the next slice, and not without having done something.
            var transcript = await tenant.RunAsync(arrivals[taken..]);
            transcript.Steps.ShouldNotBeEmpty(name);
            taken += transcript.ArrivalsTaken;
            runs.AddRange(transcript.Steps.OfType<RunEnded>());
        }

        runs.Select(run => (run.Rule, run.Pid)).ShouldBe([("scripts/rule.py:go", 15L), ("scripts/rule.py:works", 16L)], name);
        runs.ShouldAllBe(run => run.Changes.All(change => change.Pid == run.Pid || change.Pid == 0) && run.Changes.Count <= CellFixture.Limits().Changes && run.Log == null);
        var outcome = runs[0].Outcome == RunOutcome.Ran ? "Ran" : runs[0].Outcome == RunOutcome.Failed ? runs[0].Error!.Kind : Attempt.Outcome(runs[0], null);
        expected.Split('|').ShouldContain(one => one == outcome || one == "Died" && runs[0].Error!.Kind == "Died", $"{name}: {outcome} {runs[0].Error}");
        tenant.Kvp(16, "before").ShouldBe("1", name);
        (await neighbour.OneRunAsync(1, ("works", "1"))).Outcome.ShouldBe(RunOutcome.Ran);

        // A fresh cell has the state that the host holds, and rules as they are written.
        sandbox.Drop(tenant.Tree.Tenant);
        await tenant.OneRunAsync(16, ("works", "8"));
        tenant.Kvp(16, "worked").ShouldBe("[8,2]", name);
    }
}
