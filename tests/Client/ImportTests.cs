using System.Diagnostics;
using System.IO.Compression;
using Eddy.Tests.Apps;

namespace Eddy.Tests.Client;

public sealed class ImportTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Old = "class old(NebriOS):\n    listens_to = ['n']\n\n    def action(self):\n        print 'n', self.n\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_git_repository_is_cloned_here_and_comes_in_with_the_difference_first()
    {
        var (server, me) = await MakeAsync();
        using var _ = me;
        me.Write("repo/app/scripts/old.py", Old);
        me.Write("repo/app/workspace/a.txt", "a");
        me.Write("repo/app/setup.py", "no");
        Git(me.Folder, "init", "--quiet", "--initial-branch=main", "repo");
        Git(me.Folder, "-C", "repo", "add", ".");
        Git(me.Folder, "-C", "repo", "-c", "user.name=x", "-c", "user.email=x@acme.test", "commit", "--quiet", "-m", "app");
        var address = new Uri(Path.Combine(me.Folder, "repo")).ToString();

        (await me.RunAsync("import", address)).Error.ShouldContain("--from names the folder that has them");
        (await me.RunAsync("import", address, "--from", "app")).Error.ShouldContain("say --yes");
        var done = await me.DoAsync("import", address, "--from", "app", "--yes");

        done.ShouldContain("new     scripts/old.py  from Python 2: 1 place changed");
        done.ShouldContain("2 files imported as version 1.");
        (await server.Http.GetStringAsync("/api/files/scripts/old.py", Cancel)).ShouldContain("print('n', self.n)");
    }

    [Fact]
    public async Task An_address_is_no_option_of_git_and_no_program()
    {
        var (_, me) = await MakeAsync();
        using var __ = me;

        (await me.RunAsync("import", $"ext::sh -c touch% {me.Folder}/owned", "--yes")).Code.ShouldBe(1);
        (await me.RunAsync("import", "--yes", "--", $"--upload-pack=touch {me.Folder}/owned:x")).Code.ShouldBe(1);

        me.Has("owned").ShouldBeFalse();
    }

    [Fact]
    public async Task A_zip_and_a_folder_come_in_and_go_out_again()
    {
        var (server, me) = await MakeAsync();
        using var _ = me;
        File.WriteAllBytes(Path.Combine(me.Folder, "app.zip"), TestApp.Zip(("app/workspace/a.txt", "a"), ("app/docs/x.md", "no")));
        me.Write("app/workspace/b.txt", "b");
        me.Write("app/scripts/broken.py", "class x(:\n");

        (await me.DoAsync("import", "app.zip", "--yes")).ShouldContain("left out docs/x.md");
        var refused = await me.RunAsync("import", "app", "--yes");
        me.Delete("app/scripts/broken.py");
        await me.DoAsync("import", "app", "--yes");

        refused.Code.ShouldBe(1);
        refused.Out.ShouldMatch("(?m)^scripts/broken\\.py:1:\\d+: error: ");
        await me.DoAsync("export", "out.zip");
        using var zip = ZipFile.OpenRead(Path.Combine(me.Folder, "out.zip"));
        zip.Entries.Select(entry => entry.FullName).ShouldBe(["workspace/a.txt", "workspace/b.txt"]);
        (await me.RunAsync("export", "out.zip")).Code.ShouldBe(1);
        (await server.GetAsync("/api/files")).GetProperty("files").GetArrayLength().ShouldBe(2);
    }

    private async Task<(TestCaller Server, TestClient Me)> MakeAsync()
    {
        var tenant = await TestTenant.MakeAsync(database);
        return (new TestCaller(tenant, tenant.Client(shared.Web)), await TestClient.MakeAsync(shared.Web.Address, tenant.Key));
    }

    private static void Git(string folder, params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments) { WorkingDirectory = folder })!;
        git.WaitForExit();
        git.ExitCode.ShouldBe(0);
    }
}
