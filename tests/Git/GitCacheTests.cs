using Eddy.Git;
using Eddy.Postgres;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Git;

public sealed class GitCacheTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_web_has_the_same_commits_and_keeps_what_is_in_use_and_little_else()
    {
        var above = Directory.CreateTempSubdirectory("eddy-caches-");
        var (first, second) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        foreach (var tenant in (TestTenant[])[first, second])
        {
            (await tenant.Client(shared.Web).PutAsync("/api/files/README.md", new StringContent("# Rooms\n"), Cancel)).IsSuccessStatusCode.ShouldBeTrue();
        }

        (await first.Client(shared.Web).PutAsync("/api/files/README.md", new StringContent("# Rooms and halls\n"), Cancel)).IsSuccessStatusCode.ShouldBeTrue();
        using var clone = await TestClone.MakeAsync(shared.Web, first);
        clone.Write("README.md", "# Rooms, by git\n");
        var tip = await clone.CommitAsync("by git");
        await clone.GitAsync("push", "-q");

        // What a web has left that was killed is removed, and nothing of one that lives.
        var left = above.CreateSubdirectory("eddy-git-left");
        await File.WriteAllTextAsync(Path.Combine(left.FullName, GitCache.LockName), "", Cancel);
        var other = above.CreateSubdirectory("eddy-git-other");
        var options = new GitOptions { Folder = above.FullName, Repositories = 1 };
        using (var one = new GitCache(new GitStore(new EddyDbs(database.App)), options, TimeProvider.System, NullLogger<GitCache>.Instance))
        using (var two = new GitCache(new GitStore(new EddyDbs(database.App)), new GitOptions { Folder = above.FullName, Repositories = 1, Versions = 1 }, TimeProvider.System, NullLogger<GitCache>.Instance))
        {
            string kept, idle;
            using (var here = one.Open(first.Id))
            using (var there = two.Open(first.Id))
            {
                (await here.Repository.SyncAsync(Cancel)).Tip.ShouldBe(tip);
                (await there.Repository.SyncAsync(Cancel)).ShouldBe(await here.Repository.SyncAsync(Cancel));
                using var beside = one.Open(second.Id);
                (await beside.Repository.SyncAsync(Cancel)).Tip.ShouldNotBeNull();
                (kept, idle) = (here.Repository.Folder, beside.Repository.Folder);
                Directory.Exists(kept).ShouldBeTrue();
            }

            left.Refresh();
            left.Exists.ShouldBeFalse();
            Directory.Exists(other.FullName).ShouldBeTrue();
            Directory.Exists(one.Folder).ShouldBeTrue();

            // One is kept: the two that nobody uses any more go when a third is opened.
            using var third = one.Open((await TestTenant.MakeAsync(database)).Id);
            (await third.Repository.SyncAsync(Cancel)).Tip.ShouldBeNull();
            Directory.Exists(kept).ShouldBeFalse();
            Directory.Exists(idle).ShouldBeFalse();
        }

        above.EnumerateDirectories().Select(folder => folder.Name).ShouldBe(["eddy-git-other"]);
        above.Delete(recursive: true);
    }
}
