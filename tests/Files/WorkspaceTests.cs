using System.Net;
using System.Text.Json;

namespace Eddy.Tests.Files;

/// <summary>What rules do with the files of <c>workspace/</c>.</summary>
public sealed class WorkspaceTests(TestWay way) : IClassFixture<TestWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>What a rule does where <c>prices.csv</c> has two lines, and what comes of it.</summary>
    public static TheoryData<string, string> Acts => new()
    {
        { "self.got = open('prices.csv').read()", "\"pen,2\\nink,7\\n\"" },
        { "self.got = [open(name).readline() for name in ('workspace/prices.csv', './prices.csv')]", """["pen,2\n","pen,2\n"]""" },
        { "import pathlib; self.got = open(pathlib.Path('prices.csv'), 'rb').read(3)", "\"pen\"" },
        { "import csv; self.got = [row for row in csv.reader(open('prices.csv', newline=''))]", """[["pen","2"],["ink","7"]]""" },
        { "with open('prices.csv') as f: self.got = [f.name, f.mode, f.readable(), f.writable(), [len(line) for line in f]]", """["prices.csv","r",true,false,[6,6]]""" },
        { "with open('new.txt', 'w') as f: print('one', file=f)\n        self.got = open('new.txt').read()", "\"one\\n\"" },
        { "with open('prices.csv', 'a') as f: f.write('cap,9\\n')\n        self.got = open('prices.csv').read()", "\"pen,2\\nink,7\\ncap,9\\n\"" },
        { "with open('prices.csv', 'r+b') as f: f.seek(4); f.write(b'3')\n        self.got = open('prices.csv').readline()", "\"pen,3\\n\"" },
        { "f = open('prices.csv', 'w'); empty = open('prices.csv').read(); f.write('x'); f.close(); self.got = [empty, open('prices.csv').read()]", """["","x"]""" },
        { "f = open('a', 'x', encoding='utf-16-le'); f.write('é'); f.flush(); self.got = list(open('a', 'rb').read())", "[233,0]" },
        { "with open('a', 'w') as f: f.write('1')\n        with open('a', 'a+') as f: f.write('2'); f.seek(0); self.got = f.read()", "\"12\"" },
        { "with open('sub/ü.json', 'w') as f: json.dump({'n': [1]}, f)\n        self.got = json.load(open('sub/ü.json'))", """{"n":[1]}""" },
    };

    [Theory, MemberData(nameof(Acts))]
    public async Task A_file_is_opened_read_and_written_as_elsewhere(string act, string expected)
    {
        var answer = await (await DoingAsync(act)).SettleAsync("""{"do": 1}""");

        Errors(answer).ShouldBeEmpty();
        JsonSerializer.Serialize(answer.GetProperty("kvps").GetProperty("got")).ShouldBe(JsonSerializer.Serialize(JsonDocument.Parse(expected).RootElement));
    }

    [Theory]
    [InlineData("open('none.csv')", "FileNotFoundError", "There is no such file in workspace/: 'none.csv'")]
    [InlineData("open('prices.csv', 'x')", "FileExistsError", "There is a file of that name in workspace/: 'prices.csv'")]
    [InlineData("open('prices.csv', 'rw')", "ValueError", "invalid mode: 'rw'")]
    [InlineData("open('prices.csv', 'rb', encoding='utf-8')", "ValueError", "takes no encoding")]
    [InlineData("open('prices.csv').write('x')", "UnsupportedOperation", "not writable")]
    [InlineData("open('prices.csv', 'rb').write(b'x')", "UnsupportedOperation", "not writable")]
    [InlineData("open('new', 'w').read()", "UnsupportedOperation", "not readable")]
    [InlineData("open('/etc/passwd')", "PermissionError", "Operation not permitted")]
    [InlineData("open('/workspace/prices.csv')", "PermissionError", "Operation not permitted")]
    [InlineData("open('../scripts/do.py')", "PermissionError", "Operation not permitted")]
    [InlineData("open('a/../../x', 'w')", "PermissionError", "Operation not permitted")]
    [InlineData("workspace.save('prices.csv')", "FileNotFoundError", "it has written no such file")]
    [InlineData("workspace.save(5)", "TypeError", "not int")]
    [InlineData("open(' a', 'w').write('x'); workspace.save(' a')", "ValueError", "no space at its ends")]
    [InlineData("open('a\\\\b', 'w').write('x'); workspace.save('a\\\\b')", "ValueError", "no backslashes")]
    [InlineData("open('a', 'w').write('x' * 1048577); workspace.save('a')", "ValueError", "a has 1048577 bytes, and a file of workspace/ has at most 1048576")]
    [InlineData("[(open(str(i), 'w').write('x'), workspace.save(str(i))) for i in range(21)]", "ValueError", "a run saves at most 20 files")]
    [InlineData("[(open(str(i), 'w').write('x' * 1000000), workspace.save(str(i))) for i in range(5)]", "ValueError", "4194304 bytes together")]
    public async Task What_can_not_be_done_raises_and_nothing_is_saved(string act, string kind, string message)
    {
        var caller = await DoingAsync("open('before', 'w').write('x'); workspace.save('before')\n        " + act);

        var error = Errors(await caller.SettleAsync("""{"do": 1}""")).ShouldHaveSingleItem();

        (error.GetProperty("kind").GetString(), error.GetProperty("message").GetString()!.Contains(message, StringComparison.Ordinal)).ShouldBe((kind, true), error.ToString());
        (await PathsAsync(caller)).ShouldBe(["scripts/do.py", "workspace/prices.csv"]);
    }

    [Fact]
    public async Task What_a_run_saves_is_a_version_of_the_file_and_later_runs_of_its_cascade_read_it()
    {
        var caller = await way.CallerAsync(("scripts/do.py", """
            class write(Rule):
                listens_to = ["n"]
                def action(self):
                    with open("log.txt", "a") as log:
                        log.write(f"{self.n}\n")
                        workspace.save("log.txt")
                    self.wrote = self.n

            class read(Rule):
                listens_to = ["wrote"]
                def action(self):
                    self.lines = open("log.txt").read().split()
            """));

        await caller.SettleAsync("""{"n": 1}""");
        var answer = await caller.SettleAsync("""{"n": 2}""");

        Errors(answer).ShouldBeEmpty();
        answer.GetProperty("kvps").GetProperty("lines").ToString().ShouldBe("""["1","2"]""");
        (await caller.Http.GetStringAsync("/api/files/workspace/log.txt", Cancel)).ShouldBe("1\n2\n");
        var file = (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Last();
        (file.GetProperty("path").GetString(), file.GetProperty("version").GetInt64(), file.GetProperty("author").GetString()).ShouldBe(("workspace/log.txt", 2, "rule:scripts/do.py:write"));
        var run = await caller.GetAsync($"/api/runs/{answer.GetProperty("runs")[0].GetProperty("id")}");
        run.GetProperty("log").GetString().ShouldBe("saved workspace/log.txt, 4 bytes\n");
        // No rule has changed, and so no cell is loaded anew.
        run.GetProperty("treeVersion").GetInt64().ShouldBe(1);
        (await VersionsAsync(caller, "workspace/log.txt")).ShouldBe(["1 1\n", "2 1\n2\n"]);
    }

    [Fact]
    public async Task What_is_not_saved_and_what_a_run_saves_that_fails_or_says_no_is_gone_with_it()
    {
        var caller = await way.CallerAsync(("scripts/do.py", """
            class unsaved(Rule):
                listens_to = ["n"]
                def action(self):
                    open("a", "w").write("1")

            class fails(Rule):
                listens_to = ["n"]
                def action(self):
                    open("b", "w").write("1")
                    workspace.save("b")
                    1 / 0

            class says_no(Rule):
                listens_to = ["n"]
                def check(self):
                    open("c", "w").write("1")
                    workspace.save("c")

            class looks(Rule):
                listens_to = ["n"]
                def action(self):
                    self.found = []
                    for name in "abc":
                        try:
                            open(name)
                            self.found.append(name)
                        except FileNotFoundError:
                            pass
            """));

        var answer = await caller.SettleAsync("""{"n": 1}""");

        answer.GetProperty("kvps").GetProperty("found").ToString().ShouldBe("[]");
        (await PathsAsync(caller)).ShouldBe(["scripts/do.py"]);
    }

    [Fact]
    public async Task What_is_the_same_as_before_is_no_new_version()
    {
        var caller = await DoingAsync("open('prices.csv', 'a').close(); workspace.save('prices.csv'); workspace.save('prices.csv')");

        Errors(await caller.SettleAsync("""{"do": 1}""")).ShouldBeEmpty();

        (await VersionsAsync(caller, "workspace/prices.csv")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task People_and_rules_save_one_file_and_each_save_is_a_version_of_its_own()
    {
        var caller = await DoingAsync("with open('prices.csv', 'a') as f: f.write('rule\\n')\n        workspace.save('prices.csv')");
        for (var i = 0; i < 3; i++)
        {
            await caller.SettleAsync("""{"do": 1}""");
        }

        var tag = (await caller.Http.GetAsync("/api/files/workspace/prices.csv", Cancel)).Headers.ETag!;
        (await caller.PutAsync("/api/files/workspace/prices.csv", "person\n", "text/plain")).StatusCode.ShouldBe(HttpStatusCode.OK);
        await caller.SettleAsync("""{"do": 1}""");

        var stale = new HttpRequestMessage(HttpMethod.Put, "/api/files/workspace/prices.csv") { Content = new StringContent("late"), Headers = { { "If-Match", tag.Tag } } };
        (await caller.Http.SendAsync(stale, Cancel)).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        (await caller.Http.GetStringAsync("/api/files/workspace/prices.csv", Cancel)).ShouldBe("person\nrule\n");
        (await VersionsAsync(caller, "workspace/prices.csv")).Count.ShouldBe(6);
        (await caller.Http.DeleteAsync("/api/files/workspace/prices.csv", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await caller.SettleAsync("""{"do": 1}""");
        (await caller.Http.GetStringAsync("/api/files/workspace/prices.csv", Cancel)).ShouldBe("rule\n");
        (await VersionsAsync(caller, "workspace/prices.csv")).Count.ShouldBe(8);
    }

    [Fact]
    public async Task A_person_and_rules_that_save_at_once_lose_no_save()
    {
        var caller = await DoingAsync("open('at_once', 'w').write(str(self.pid)); workspace.save('at_once')");

        await Task.WhenAll(Enumerable.Range(0, 20).Select(async n =>
        {
            using var saved = await caller.PutAsync("/api/files/workspace/at_once", "person " + n, "text/plain");
            saved.IsSuccessStatusCode.ShouldBeTrue(await saved.Content.ReadAsStringAsync(Cancel));
        }).Concat(Enumerable.Range(0, 20).Select(async _ => Errors(await caller.SettleAsync("""{"do": 1}""")).ShouldBeEmpty())));

        (await VersionsAsync(caller, "workspace/at_once")).Count.ShouldBe(40);
    }

    [Fact]
    public async Task While_files_load_none_is_opened_or_saved()
    {
        var caller = await way.CallerAsync(("scripts/a.py", "open('prices.csv')"), ("scripts/b.py", "workspace.save('prices.csv')"), ("scripts/do.py", """
            class do(Rule):
                listens_to = ["do"]
            """));

        await caller.SettleAsync("""{"do": 1}""");

        var faults = (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Take(2).Select(file => file.GetProperty("loadFaults")[0].GetProperty("message").GetString());
        faults.ShouldBe(["RuntimeError: files of workspace/ can not be opened while files load, only in a run", "RuntimeError: no file can be saved while files load, only in a run"]);
    }

    [Fact]
    public async Task Another_tenants_files_are_not_there()
    {
        await DoingAsync("pass");
        var other = await way.CallerAsync(("scripts/do.py", """
            class do(Rule):
                listens_to = ["do"]
                def action(self):
                    open("prices.csv")
            """));

        Errors(await other.SettleAsync("""{"do": 1}""")).ShouldHaveSingleItem().GetProperty("kind").GetString().ShouldBe("FileNotFoundError");
    }

    private async Task<TestCaller> DoingAsync(string act)
    {
        var caller = await way.CallerAsync(("scripts/do.py", $"""
            class do(Rule):
                listens_to = ["do"]
                def action(self):
                    {act}
            """));
        await caller.SaveAsync("workspace/prices.csv", "pen,2\nink,7\n");
        return caller;
    }

    private static async Task<List<string?>> PathsAsync(TestCaller caller) => [.. (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString())];

    private async Task<List<string>> VersionsAsync(TestCaller caller, string path) => await new TestLog(way.Database).TextsAsync(
        caller.Tenant.Id, $"select version || ' ' || coalesce(convert_from(content, 'utf8'), '-') from file_versions where tenant_id = $1 and path = '{path}' order by version");

    private static List<JsonElement> Errors(JsonElement answer) =>
        [.. answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.GetProperty("error"))];
}
