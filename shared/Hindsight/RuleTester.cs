using System.Collections.Concurrent;
using System.Data.Common;
using System.Text;
using Eddy.Files;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>Runs a tenant's tests, over the files in force or with drafts in their place, in a cell that has nothing of the tenant's data and no way to the log, the outbox or the network.</summary>
public sealed class RuleTester(TreeReader trees, FileStore files, RuleSandbox sandbox, TimeProvider time)
{
    // One run of tests of a tenant at a time: they hold a cell for as long as they take.
    private readonly ConcurrentDictionary<TenantId, SemaphoreSlim> _turns = new();

    /// <param name="drafts">Files as they would be; without a text one would be gone.</param>
    /// <param name="path">One file of tests alone; null for all.</param>
    /// <returns>Nothing where there are no tests, which costs no cell.</returns>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<RanTests> RunAsync(TenantId tenant, string timeZone, IReadOnlyList<Draft> drafts, string? path, CancellationToken cancel)
    {
        var tests = Over(await files.ReadTestsAsync(tenant, cancel), drafts, FilePath.IsTest).Where(test => path is null || test.Path == path).ToList();
        if (tests.Count == 0)
        {
            return new RanTests([], []);
        }

        var tree = await trees.TreeAsync(tenant, timeZone, cancel);
        tree = tree with
        {
            Files = Over(tree.Files, drafts, static path => FilePath.IsModule(path) && !path.StartsWith("tests/", StringComparison.Ordinal)),
            Data = [.. tree.Data.Where(data => drafts.All(draft => draft.Path != data.Path)).Concat(drafts
                .Where(draft => draft.Text is not null && draft.Path.StartsWith("libraries/", StringComparison.Ordinal) && !FilePath.IsModule(draft.Path))
                .Select(draft => new CellData(draft.Path, Encoding.UTF8.GetBytes(draft.Text!))))],
        };
        var turn = _turns.GetOrAdd(tenant, _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancel);
        try
        {
            using var cell = await sandbox.OpenLookAsync(tree, time.GetUtcNow(), new Dictionary<string, string>(), watches: false, cancel);
            return await cell.TestAsync(tests, cancel);
        }
        catch (DbException database)
        {
            throw new SandboxUnavailable($"The database did not answer what a test asks for: {database.Message}");
        }
        finally
        {
            turn.Release();
        }
    }

    private static List<CellFile> Over(IReadOnlyList<CellFile> files, IReadOnlyList<Draft> drafts, Func<string, bool> isOne) =>
        [.. files.Where(file => drafts.All(draft => draft.Path != file.Path))
            .Concat(drafts.Where(draft => draft.Text is not null && isOne(draft.Path)).Select(draft => new CellFile(draft.Path, draft.Text!)))
            .OrderBy(file => file.Path, StringComparer.Ordinal)];
}

/// <summary>A file as it would be.</summary>
/// <param name="Text">Null where it would be gone.</param>
public sealed record Draft(string Path, string? Text);
