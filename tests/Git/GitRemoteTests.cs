using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Eddy.Git;
using Eddy.Tenants;
using Eddy.Tests.Access;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Git;

/// <summary>The tenant's files as a git remote, by the git that people have.</summary>
public sealed class GitRemoteTests(TestWay way) : IClassFixture<TestWay>
{
    private const string Hot = "class hot(Rule):\n    listens_to = [\"temperature\"]\n\n    def action(self):\n        self.alert = \"hot\"\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_pushed_is_one_version_in_force_and_what_is_saved_in_the_browser_is_fetched()
    {
        var caller = await way.CallerAsync(("scripts/hot.py", Hot), ("README.md", "# Rooms\n"));
        await caller.SaveAsync("workspace/seen.txt", "data of rules");
        using var clone = await TestClone.MakeAsync(way.Web, caller.Tenant);
        clone.Read("scripts/hot.py").ShouldBe(Hot);
        File.Exists(Path.Combine(clone.Folder, "workspace/seen.txt")).ShouldBeFalse();
        (await clone.GitAsync("log", "--format=%an|%s", "--reverse")).ShouldBe("key:test|Save scripts/hot.py\nkey:test|Save README.md\n");

        clone.Write("scripts/hot.py", Hot.Replace("\"hot\"", "\"very hot\"", StringComparison.Ordinal));
        clone.Write("scripts/cold.py", Hot.Replace("class hot", "class cold", StringComparison.Ordinal).Replace("alert", "cold", StringComparison.Ordinal));
        clone.Write(".gitignore", "*.pyc\n");
        File.Delete(Path.Combine(clone.Folder, "README.md"));
        await clone.CommitAsync("one");
        var tip = await clone.CommitAsync("two");
        var said = await clone.GitAsync("push");

        said.ShouldContain("remote: Checking 2 files…");
        said.ShouldContain("is in force: 2 files saved, 1 deleted.");
        var files = (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().ToDictionary(file => file.GetProperty("path").GetString()!, file => file);
        files.Keys.ShouldBe(["scripts/cold.py", "scripts/hot.py", "workspace/seen.txt"]);
        files["scripts/cold.py"].GetProperty("version").GetInt64().ShouldBe(files["scripts/hot.py"].GetProperty("version").GetInt64());
        files["scripts/hot.py"].GetProperty("author").GetString().ShouldBe("key:test");
        (await caller.SettleAsync("""{"temperature": 95}""")).GetProperty("kvps").GetProperty("alert").GetString().ShouldBe("very hot");
        await clone.GitAsync("-c", "protocol.version=0", "fetch", "-q");
        (await clone.GitAsync("rev-parse", "origin/main")).Trim().ShouldBe(tip);
        (await clone.GitAsync("push")).ShouldContain("Everything up-to-date");

        // What the browser does comes on top of it, and what git alone has stays.
        await caller.SaveAsync("scripts/hot.py", Hot);
        (await caller.Http.DeleteAsync("/api/files/scripts/cold.py", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        await clone.GitAsync("pull", "-q");
        clone.Read("scripts/hot.py").ShouldBe(Hot);
        clone.Read(".gitignore").ShouldBe("*.pyc\n");
        File.Exists(Path.Combine(clone.Folder, "scripts/cold.py")).ShouldBeFalse();
        (await clone.GitAsync("log", "--format=%s", "-4")).ShouldBe("Delete scripts/cold.py\nSave scripts/hot.py\ntwo\none\n");
        (await clone.GitAsync("fsck", "--strict")).ShouldNotContain("error");
    }

    [Fact]
    public async Task What_does_not_compile_is_refused_with_file_and_line_and_nothing_changes()
    {
        var caller = await way.CallerAsync(("scripts/hot.py", Hot));
        using var clone = await TestClone.MakeAsync(way.Web, caller.Tenant);
        clone.Write("scripts/good.py", Hot.Replace("class hot", "class good", StringComparison.Ordinal));
        clone.Write("scripts/bad.py", "class bad(Rule):\n    listens_to = [\"n\"]\n\n    def action(self):\n        self.x = (\n");
        clone.Write("requirements.txt", "== nothing\n");
        await clone.CommitAsync("broken");

        var said = await clone.FailAsync("push");

        said.ShouldContain("remote: scripts/bad.py, line 5:");
        said.ShouldContain("remote: requirements.txt, line 1:");
        said.ShouldContain("remote: Nothing was taken.");
        said.ShouldContain("! [remote rejected] main -> main (could not be in force)");
        (await caller.GetAsync("/api/files")).GetProperty("files").GetArrayLength().ShouldBe(1);
        clone.Write("scripts/bad.py", "class bad(Rule):\n    listens_to = [\"n\"]\n\n    def action(self):\n        self.x = 1\n");
        File.Delete(Path.Combine(clone.Folder, "requirements.txt"));
        await clone.CommitAsync("mended");
        await clone.GitAsync("push", "-q");
        (await caller.SettleAsync("""{"n": 1}""")).GetProperty("kvps").GetProperty("x").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task An_edit_in_the_browser_is_never_lost_by_a_push_not_by_force_either()
    {
        var caller = await way.CallerAsync(("scripts/hot.py", Hot));
        using var clone = await TestClone.MakeAsync(way.Web, caller.Tenant);
        await caller.SaveAsync("README.md", "# Saved in the browser\n");
        clone.Write("scripts/cold.py", Hot.Replace("class hot", "class cold", StringComparison.Ordinal));
        await clone.CommitAsync("cold");

        (await clone.FailAsync("push")).ShouldContain("! [rejected]");
        (await clone.FailAsync("push", "--force")).ShouldContain("remote: What is pushed does not build on the newest version");
        (await clone.FailAsync("push", "origin", ":main")).ShouldContain("remote: refs/heads/main is what is in force and can not be deleted.");
        (await clone.FailAsync("push", "origin", "main:other")).ShouldContain("is no branch here");
        await clone.GitAsync("tag", "v1");
        (await clone.FailAsync("push", "origin", "v1")).ShouldContain("remote: refs/tags/v1 is not kept");
        (await caller.Http.GetStringAsync("/api/files/README.md", Cancel)).ShouldBe("# Saved in the browser\n");

        await clone.GitAsync("pull", "-q", "--rebase");
        await clone.GitAsync("push", "-q");
        (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString()).ShouldBe(["README.md", "scripts/cold.py", "scripts/hot.py"]);

        // Nor by one that was begun before the save: what it was judged by is not there any more.
        var tip = await clone.HeadAsync();
        clone.Write("scripts/late.py", Hot.Replace("class hot", "class late", StringComparison.Ordinal));
        var late = await clone.CommitAsync("late");
        await caller.SaveAsync("README.md", "# Saved again\n");
        (await PushBytesAsync(caller, $"{tip} {late} refs/heads/main")).ShouldContain("ng refs/heads/main");
        (await caller.Http.GetStringAsync("/api/files/README.md", Cancel)).ShouldBe("# Saved again\n");
    }

    [Fact]
    public async Task Of_two_pushes_at_once_one_is_taken()
    {
        var caller = await way.CallerAsync(("scripts/hot.py", Hot));
        using var one = await TestClone.MakeAsync(way.Web, caller.Tenant);
        using var other = await TestClone.MakeAsync(way.Web, caller.Tenant);
        one.Write("README.md", "one\n");
        other.Write("README.md", "other\n");
        await one.CommitAsync("one");
        await other.CommitAsync("other");

        var pushes = await Task.WhenAll(one.TryAsync("push"), other.TryAsync("push"));

        pushes.Count(taken => taken).ShouldBe(1);
        (await caller.Http.GetStringAsync("/api/files/README.md", Cancel)).ShouldBe(pushes[0] ? "one\n" : "other\n");
    }

    [Fact, Trait("Category", "Long")]
    public async Task A_repository_that_is_gone_is_made_again_with_the_same_commits()
    {
        var caller = await way.CallerAsync(("scripts/hot.py", Hot));
        using var clone = await TestClone.MakeAsync(way.Web, caller.Tenant);
        clone.Write("requirements.txt", "# none yet\n");
        clone.Write("pages/index.html", "<p>{{ temperature }}</p>\n");
        var data = new byte[900_000];
        foreach (var name in (string[])["libraries/a.bin", "libraries/b.bin"])
        {
            Random.Shared.NextBytes(data);
            Directory.CreateDirectory(Path.Combine(clone.Folder, "libraries"));
            await File.WriteAllBytesAsync(Path.Combine(clone.Folder, name), data, Cancel);
        }

        await clone.CommitAsync("pages");
        await clone.GitAsync("push", "-q");
        await caller.SaveAsync("scripts/hot.py", Hot + "\n");
        await clone.GitAsync("pull", "-q");
        var tip = await clone.HeadAsync();

        var folder = way.Web.Services.GetRequiredService<GitCache>().Folder;
        foreach (var repository in Directory.EnumerateDirectories(folder, $"{caller.Tenant.Id}*"))
        {
            Directory.Delete(repository, recursive: true);
        }

        using var again = await TestClone.MakeAsync(way.Web, caller.Tenant);
        (await again.HeadAsync()).ShouldBe(tip);
        (await caller.Http.GetAsync("/api/files/requirements.lock", Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);
        File.Delete(Path.Combine(clone.Folder, "requirements.txt"));
        clone.Write("README.md", "# Goes on\n");
        await clone.CommitAsync("goes on");
        await clone.GitAsync("push", "-q");
        await again.GitAsync("pull", "-q");
        again.Read("README.md").ShouldBe("# Goes on\n");
        (await caller.Http.GetAsync("/api/files/requirements.lock", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        // One that has lost what it has at its end is made anew at once, one that has lost something else when git has failed with it.
        var broken = Directory.EnumerateDirectories(folder, $"{caller.Tenant.Id}*").Single();
        Directory.Delete(Path.Combine(broken, "objects"), recursive: true);
        await caller.SaveAsync("README.md", "# Mended\n");
        await again.GitAsync("pull", "-q");
        again.Read("README.md").ShouldBe("# Mended\n");
        Directory.Delete(Path.Combine(broken, "objects"), recursive: true);
        await again.GitAsync("fetch", "-q");
        (await again.GitAsync("ls-remote")).ShouldContain(await again.HeadAsync());
        foreach (var pack in Directory.EnumerateFiles(Path.Combine(broken, "objects", "pack")))
        {
            File.Delete(pack);
        }

        (await TestClone.DoAsync(Path.GetTempPath(), null, ["clone", TestClone.Address(way.Web, caller.Tenant.Slug, caller.Tenant.Key), Path.Combine(clone.Folder, "failed")])).ShouldContain("fatal");
        // Whoever was told so may ask again before that request is at its end.
        await Patience.UntilAsync("it is made anew", Patience.Long, () => again.TryAsync("clone", "-q", TestClone.Address(way.Web, caller.Tenant.Slug, caller.Tenant.Key), Path.Combine(clone.Folder, "last")));
        (await TestClone.DoAsync(Path.Combine(clone.Folder, "last"), 0, ["rev-parse", "HEAD"])).Trim().ShouldBe(await again.HeadAsync());
        (await again.GitAsync("log", "--format=%H")).ShouldContain(tip);
    }

    [Fact]
    public async Task A_repository_is_its_tenants_and_a_key_does_what_its_scopes_say()
    {
        var (caller, stranger) = (await way.CallerAsync(("scripts/hot.py", Hot)), await way.CallerAsync());
        var reader = await caller.Tenant.AddKeyAsync("reader", Scope.Read);
        var sender = await caller.Tenant.AddKeyAsync("sender", Scope.Ingest);
        var ann = await caller.Tenant.AsAsync(way.Web, "ann@acme.test", "viewer");

        (await CloneAsync(caller.Tenant.Slug, stranger.Tenant.Key)).ShouldContain($"remote: There is no repository {caller.Tenant.Slug}.git for this key.");
        (await CloneAsync("nobody-has-this", stranger.Tenant.Key)).ShouldContain("remote: There is no repository nobody-has-this.git for this key.");
        (await CloneAsync(caller.Tenant.Slug, "eddy_none")).ShouldContain("There is no such key");
        (await CloneAsync(caller.Tenant.Slug, sender)).ShouldContain("remote: The key 'sender' lacks the scope 'read'.");
        using var asked = await new HttpClient().GetAsync(new Uri(way.Web.Address, $"/git/{caller.Tenant.Slug}.git/info/refs?service=git-upload-pack"), Cancel);
        asked.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        asked.Headers.WwwAuthenticate.Single().Scheme.ShouldBe("Basic");

        using var clone = await TestClone.MakeAsync(way.Web, caller.Tenant, reader);
        clone.Write("README.md", "# No\n");
        await clone.CommitAsync("no");
        (await clone.FailAsync("push")).ShouldContain("remote: The key 'reader' lacks the scope 'write', so it fetches and does not push.");
        await clone.GitAsync("remote", "set-url", "origin", TestClone.Address(way.Web, caller.Tenant.Slug, ann.Http.DefaultRequestHeaders.Authorization!.Parameter!));
        await clone.GitAsync("fetch", "-q");
        (await clone.FailAsync("push")).ShouldContain("remote: ann@acme.test may not push");
        (await PushBytesAsync(caller with { Tenant = caller.Tenant with { Key = stranger.Tenant.Key } }, "")).ShouldContain("There is no repository");
        (await caller.GetAsync("/api/files")).GetProperty("files").GetArrayLength().ShouldBe(1);

        async Task<string> CloneAsync(string slug, string key) => await TestClone.DoAsync(Path.GetTempPath(), 128, ["ls-remote", TestClone.Address(way.Web, slug, key)]);
    }

    /// <summary>Pushes as no git does, without a pack; what came back, as text.</summary>
    private async Task<string> PushBytesAsync(TestCaller caller, string command)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(way.Web.Address, $"/git/{caller.Tenant.Slug}.git/git-receive-pack"))
        {
            Content = new ByteArrayContent([.. command.Length == 0 ? [] : PacketLine.Of($"{command}\0report-status"), .. PacketLine.Flush]),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"x:{caller.Tenant.Key}")));
        using var client = new HttpClient();
        using var response = await client.SendAsync(request, Cancel);
        return await response.Content.ReadAsStringAsync(Cancel);
    }
}
