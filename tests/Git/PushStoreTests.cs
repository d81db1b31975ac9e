using System.Text;
using Eddy.Apps;
using Eddy.Files;
using Eddy.Git;
using Eddy.Postgres;

namespace Eddy.Tests.Git;

/// <summary>Between webs the database decides which push is taken.</summary>
public sealed class PushStoreTests(TestDatabase database)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Of_pushes_that_build_on_one_version_one_is_taken_whatever_they_change()
    {
        using var dbs = new EddyDbs(database.App);
        var (files, pushes) = (new FileStore(dbs, TimeProvider.System), new GitStore(dbs));
        var tenant = (await TestTenant.MakeAsync(database)).Id;

        // Neither has a file: a branch that only got a commit more is another branch all the same.
        var outcomes = await Task.WhenAll(Enumerable.Range(0, 4).Select(n => PushAsync(0, n)));

        outcomes.OfType<ImportOutcome.Imported>().Count().ShouldBe(1);
        outcomes.OfType<ImportOutcome.Changed>().Count().ShouldBe(3);
        var version = (await pushes.VersionsAsync(tenant, 0, Cancel)).ShouldHaveSingleItem();
        using var pack = new MemoryStream();
        await pushes.CopyPackAsync(tenant, version.Version, pack, Cancel);
        Encoding.ASCII.GetString(pack.ToArray()).ShouldBe($"pack {version.Tip![0]}");

        // A save since then refuses a push, and what a run saves in workspace/ does not.
        await SaveAsync("README.md");
        (await PushAsync(version.Version, 5)).ShouldBeOfType<ImportOutcome.Changed>();
        var saved = (await pushes.VersionsAsync(tenant, version.Version, Cancel)).ShouldHaveSingleItem();
        saved.Tip.ShouldBeNull();
        await SaveAsync("workspace/a.txt");
        (await PushAsync(saved.Version, 6)).ShouldBeOfType<ImportOutcome.Imported>();
        (await pushes.VersionsAsync((await TestTenant.MakeAsync(database)).Id, 0, Cancel)).ShouldBeEmpty();

        Task<ImportOutcome> PushAsync(long builtOn, int n) =>
            files.PushAsync(tenant, new AppPlan(builtOn, [], [], null), new GitPush(new string((char)('0' + n), 40), new MemoryStream(Encoding.ASCII.GetBytes($"pack {n}"))), "ann@acme.test", Cancel);

        async Task SaveAsync(string path) =>
            (await files.SaveAsync(tenant, path, "a"u8.ToArray(), FileCheck.Nothing, "ann@acme.test", WriteCondition.None, Cancel)).ShouldBeOfType<SaveOutcome.Saved>();
    }
}
