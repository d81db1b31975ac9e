namespace Eddy.Tests.Client;

/// <summary>A folder beside a tenant: pull, status, diff, push.</summary>
public sealed class CopyTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Rule = "class a(Rule):\n    listens_to = [\"n\"]\n\n    def check(self):\n        return self.n > 1\n\n    def action(self):\n        self.seen = True\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_pulled_edited_and_pushed_is_one_version_of_the_tree()
    {
        var (server, me) = await MakeAsync(("scripts/a.py", Rule), ("workspace/old.txt", "old"));
        using var _ = me;

        (await me.DoAsync("pull")).ShouldContain("2 files from version 2");
        me.Read("scripts/a.py").ShouldBe(Rule);
        me.Write("scripts/a.py", Rule.Replace("> 1", "> 2", StringComparison.Ordinal));
        me.Write("libraries/b.py", "X = 1\n");
        File.WriteAllBytes(Path.Combine(me.Folder, "workspace", "c.bin"), [0, 255, 1]);
        me.Write("scripts/__pycache__/a.pyc", "no");
        me.Write("scripts/.a.py.swp", "no");
        me.Delete("workspace/old.txt");

        (await me.DoAsync("status")).ShouldContain("here   changed scripts/a.py");
        (await me.DoAsync("diff")).ShouldContain("-        return self.n > 1\n+        return self.n > 2");
        (await me.DoAsync("push", "--dry")).ShouldContain("4 files would be saved; nothing was.");
        (await me.DoAsync("push")).ShouldContain("4 files saved as version 3");

        (await PathsAsync(server)).ShouldBe(["libraries/b.py 3", "scripts/a.py 3", "workspace/c.bin 3"]);
        (await server.Http.GetByteArrayAsync("/api/files/workspace/c.bin", Cancel)).ShouldBe([0, 255, 1]);
        (await me.DoAsync("push")).ShouldContain("Nothing to push");
        (await me.DoAsync("status")).ShouldStartWith("The same as");
        File.ReadAllText(Path.Combine(me.Folder, ".eddy", ".gitignore")).ShouldBe("*\n");
    }

    [Fact]
    public async Task What_both_sides_changed_apart_is_put_together_and_what_they_changed_at_one_place_is_told_and_left()
    {
        var (server, me) = await MakeAsync(("scripts/a.py", Rule), ("scripts/b.py", Rule.Replace("class a", "class b", StringComparison.Ordinal)), ("workspace/gone.txt", "1"), ("workspace/kept.txt", "1"));
        using var _ = me;
        await me.DoAsync("pull");
        await server.SaveAsync("scripts/a.py", Rule.Replace("self.seen = True", "self.seen = False", StringComparison.Ordinal));
        await server.SaveAsync("scripts/b.py", Rule.Replace("class a", "class theirs", StringComparison.Ordinal));
        await server.Http.DeleteAsync("/api/files/workspace/gone.txt", Cancel);
        await server.Http.DeleteAsync("/api/files/workspace/kept.txt", Cancel);
        me.Write("scripts/a.py", Rule.Replace("[\"n\"]", "[\"n\", \"m\"]", StringComparison.Ordinal));
        me.Write("scripts/b.py", Rule.Replace("class a", "class mine", StringComparison.Ordinal));
        me.Write("workspace/kept.txt", "edited");

        (await me.RunAsync("push")).Error.ShouldContain("since you pulled. Nothing was pushed; eddy pull first.");
        var pulled = await me.RunAsync("pull");

        pulled.Code.ShouldBe(1);
        pulled.Out.ShouldContain("merged  scripts/a.py");
        pulled.Out.ShouldContain("both    scripts/b.py  changed here, changed there; yours is left");
        pulled.Out.ShouldContain("both    workspace/kept.txt  changed here, removed there; yours is left");
        me.Read("scripts/a.py").ShouldBe(Rule.Replace("[\"n\"]", "[\"n\", \"m\"]", StringComparison.Ordinal).Replace("= True", "= False", StringComparison.Ordinal));
        me.Read("scripts/b.py").ShouldContain("class mine");
        me.Has("workspace/gone.txt").ShouldBeFalse();
        (await me.DoAsync("diff", "--there", "scripts/b.py")).ShouldContain("-class theirs(Rule):\n+class mine(Rule):");
        (await me.RunAsync("push")).Code.ShouldBe(1);

        await me.RunAsync("pull", "--theirs", "scripts/b.py");
        me.Read("scripts/b.py").ShouldContain("class theirs");
        await me.DoAsync("pull", "--mine");
        me.Read("workspace/kept.txt").ShouldBe("edited");
        (await me.DoAsync("push")).ShouldContain("2 files saved");
        (await server.Http.GetStringAsync("/api/files/workspace/kept.txt", Cancel)).ShouldBe("edited");
        (await server.Http.GetStringAsync("/api/files/scripts/a.py", Cancel)).ShouldBe(me.Read("scripts/a.py"));
    }

    [Fact]
    public async Task A_file_that_does_not_compile_refuses_all_and_is_told_as_compilers_do()
    {
        var (server, me) = await MakeAsync(("scripts/a.py", Rule));
        using var _ = me;
        await me.DoAsync("pull");
        me.Write("scripts/a.py", Rule + "\nclass b(Rule)\n");
        me.Write("workspace/with.txt", "it");

        var checked_ = await me.RunAsync("push", "--check");
        var pushed = await me.RunAsync("push");

        (checked_.Code, pushed.Code).ShouldBe((1, 1));
        checked_.Error.ShouldMatch("(?m)^scripts/a\\.py:10:\\d+: error: .+$");
        pushed.Error.ShouldContain("scripts/a.py could not be in force");
        (await PathsAsync(server)).ShouldBe(["scripts/a.py 1"]);
    }

    [Fact]
    public async Task A_folder_that_had_the_files_before_is_known_by_what_is_in_them()
    {
        var (server, me) = await MakeAsync([.. Enumerable.Range(0, 12).Select(i => ($"workspace/{i}.txt", $"text {i}"))]);
        using var _ = me;
        me.Write("workspace/3.txt", "text 3");
        me.Write("workspace/4.txt", "mine");

        var pulled = await me.RunAsync("pull");

        pulled.Out.ShouldContain("both    workspace/4.txt  new here, new there; yours is left");
        pulled.Out.ShouldContain("10 files from version 12");
        me.Read("workspace/4.txt").ShouldBe("mine");
        Enumerable.Range(5, 7).ShouldAllBe(i => me.Read($"workspace/{i}.txt") == $"text {i}");
        (await PathsAsync(server)).Count().ShouldBe(12);
    }

    [Fact]
    public async Task A_folder_of_another_tenant_and_one_in_which_all_is_missing_are_not_pushed()
    {
        var (server, me) = await MakeAsync(("workspace/a.txt", "a"));
        using var _ = me;
        await me.DoAsync("pull");
        me.Delete("workspace/a.txt");

        (await me.RunAsync("push")).Error.ShouldContain("Every file of the tenant is missing here.");
        var other = await TestTenant.MakeAsync(database);
        (me.Environment["EDDY_URL"], me.Environment["EDDY_KEY"]) = (shared.Web.Address.ToString(), other.Key);
        (await me.RunAsync("push", "--yes")).Error.ShouldContain($"and the key is for {other.Slug}");
        (await PathsAsync(server)).ShouldBe(["workspace/a.txt 1"]);
        me.Environment.Clear();
        await me.DoAsync("push", "--yes");
        (await PathsAsync(server)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Json_is_for_scripts()
    {
        var (_, me) = await MakeAsync(("workspace/a.txt", "a"));
        using var __ = me;
        (await me.DoAsync("pull", "--json")).Trim().ShouldBe("""{"version":1,"taken":[{"path":"workspace/a.txt","kind":"new"}],"merged":[],"clashes":[],"unsafe":[]}""");
        me.Write("workspace/a.txt", "b");
        (await me.DoAsync("status", "--json")).ShouldContain("""{"path":"workspace/a.txt","here":"changed","there":"same","clashes":false}""");
        (await me.DoAsync("push", "--json")).Trim().ShouldBe("""{"version":2,"saved":true,"files":[{"path":"workspace/a.txt","kind":"changed","findings":[]}]}""");
    }

    private async Task<(TestCaller Server, TestClient Me)> MakeAsync(params (string Path, string Text)[] files)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var server = new TestCaller(tenant, tenant.Client(shared.Web));
        foreach (var (path, text) in files)
        {
            await server.SaveAsync(path, text);
        }

        return (server, await TestClient.MakeAsync(shared.Web.Address, tenant.Key));
    }

    private static async Task<IEnumerable<string>> PathsAsync(TestCaller server) =>
        (await server.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Select(file => $"{file.GetProperty("path")} {file.GetProperty("version")}");
}
