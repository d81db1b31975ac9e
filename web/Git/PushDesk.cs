using System.Globalization;
using System.Text;
using Eddy.Apps;
using Eddy.Files;
using Eddy.Packages;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Git;

/// <summary>
/// Takes a push as one version of the tenant's tree, or refuses it. Whatever was pushed lies beside the repository until the database has it: it decides, and this repository follows it as every other
/// web's does.
/// </summary>
internal sealed class PushDesk(FileStore files, FileKeeper keeper, ILogger<PushDesk> log)
{
    private const string PullFirst = "git pull --rebase, then push again.";
    private const int MostTold = 20;

    /// <param name="beside">Where the objects are that were pushed.</param>
    /// <param name="say">Tells whoever pushes, while they wait.</param>
    /// <exception cref="PushRefused">It is not taken; nothing has changed.</exception>
    /// <exception cref="GitFault">git can not read it.</exception>
    public async Task TakeAsync(TenantId tenant, string author, GitRepository repository, RefCommand command, string beside, Func<string, Task> say, CancellationToken cancel)
    {
        if (command.New == RefCommand.None)
        {
            throw new PushRefused("can not be deleted", [$"{RefCommand.Main} is what is in force and can not be deleted."]);
        }

        // One after the other: the second would be judged for nothing.
        await repository.Pushes.WaitAsync(cancel);
        try
        {
            var head = await repository.SyncAsync(cancel);
            await using var objects = repository.ReadBeside(beside);
            await SeeThatItFollowsAsync(repository, objects, head, command, beside, cancel);
            var plan = await PlanAsync(tenant, objects, head, command.New, say, cancel);
            await using var pack = await PackAsync(repository, head, command.New, beside, cancel);
            var outcome = await files.PushAsync(tenant, plan, new GitPush(command.New, pack), author, cancel);
            await say(outcome switch
            {
                ImportOutcome.Imported imported => Taken(imported, plan),
                ImportOutcome.Changed => throw new PushRefused("fetch first", ["Somebody saved while this was pushed. Nothing was taken: " + PullFirst]),
                ImportOutcome.TooMuch => throw new PushRefused("too much", [$"All that was pushed to a tenant has at most {GitStore.MostBytes:N0} bytes. Nothing was taken."]),
                _ => throw new PushRefused("too many files", [$"A tenant has at most {FileStore.MostFiles:N0} files. Nothing was taken."]),
            });
        }
        finally
        {
            repository.Pushes.Release();
        }

        try
        {
            await repository.SyncAsync(CancellationToken.None);
        }
        catch (Exception fault)
        {
            // It is taken. Whoever fetches next tries again.
            log.LogWarning("The repository of tenant {Tenant} does not follow a push yet: {Reason}", tenant, fault.Message);
        }
    }

    private static async Task SeeThatItFollowsAsync(GitRepository repository, GitObjects objects, GitHead head, RefCommand command, string beside, CancellationToken cancel)
    {
        if (command.Old != (head.Tip ?? RefCommand.None))
        {
            throw new PushRefused("fetch first", ["Somebody saved since you fetched. Nothing was taken: " + PullFirst]);
        }

        if (await objects.FindAsync(command.New, cancel) is not ("commit", _))
        {
            throw new PushRefused("no commit", [$"{RefCommand.Main} is a commit, and {command.New} is none that came with the push."]);
        }

        if (head.Tip is not null && await repository.AskAsync(beside, 1 << 10, ["merge-base", "--is-ancestor", head.Tip, command.New], cancel) is null)
        {
            throw new PushRefused("does not build on the newest version", ["What is pushed does not build on the newest version, so what others saved would be lost; force is no way round. Nothing was taken: " + PullFirst]);
        }
    }

    /// <summary>What a push comes to: what is other in its last commit than in the one before it. Nothing of it is executed.</summary>
    private async Task<AppPlan> PlanAsync(TenantId tenant, GitObjects objects, GitHead head, string tip, Func<string, Task> say, CancellationToken cancel)
    {
        var now = await objects.TreeAsync(tip, cancel);
        var before = head.Tip is null ? [] : await objects.TreeAsync(head.Tip, cancel);
        var changed = now.Where(entry => !before.TryGetValue(entry.Key, out var old) || old.Id != entry.Value.Id || old.IsFile != entry.Value.IsFile).OrderBy(entry => entry.Key, StringComparer.Ordinal).ToList();
        Refuse("not what a tenant has", [.. changed.Select(entry => NameFault(entry.Key, entry.Value)).OfType<string>()]);
        Refuse("too large", await SizeFaultsAsync(objects, changed, cancel));

        var taken = changed.Where(entry => !GitPath.IsBeside(entry.Key)).ToList();
        if (taken.Count > 0)
        {
            await say($"Checking {(taken.Count == 1 ? "1 file" : $"{taken.Count} files")}…");
        }

        var there = (await files.ListAsync(tenant, cancel)).ToDictionary(file => file.Path, file => file.Version, StringComparer.Ordinal);
        var planned = before.Keys.Where(path => !now.ContainsKey(path) && !GitPath.IsBeside(path) && there.ContainsKey(path)).Order(StringComparer.Ordinal)
            .Select(path => new PlannedFile(path, PlannedKind.Removed, [], FileCheck.Nothing, []) { Was = there[path] }).ToList();
        PackageSet? packages = null;
        var done = 0;
        foreach (var (path, entry) in taken)
        {
            if (++done % 100 == 0)
            {
                // Nobody between here and there takes a long silence for an end.
                await say($"{done} of {taken.Count}…");
            }

            var content = await objects.ReadAsync(entry.Id, keeper.MostBytes, cancel) ?? throw new GitFault($"{path} is missing.");
            var (check, made) = await CheckAsync(tenant, path, content, cancel);
            packages = made ?? packages;
            long? was = there.TryGetValue(path, out var version) ? version : null;
            planned.Add(new PlannedFile(path, was is null ? PlannedKind.New : PlannedKind.Changed, content, check, []) { Was = was });
        }

        Refuse("could not be in force", [.. planned.SelectMany(file => FileFault.Of(file.Check.Faults).Select(fault => $"{file.Path}{(fault.Line is { } line ? $", line {line}" : "")}: {fault.Message}"))]);
        return new AppPlan(head.Version, planned, [], packages);
    }

    private async Task<(FileCheck Check, PackageSet? Packages)> CheckAsync(TenantId tenant, string path, byte[] content, CancellationToken cancel)
    {
        try
        {
            if (path == FilePath.Requirements)
            {
                var (packages, check) = await keeper.PackagesAsync(tenant, content, cancel);
                return (check, packages);
            }

            return (await keeper.CheckAsync(tenant, path, content, cancel), null);
        }
        catch (SandboxUnavailable unavailable)
        {
            throw new PushRefused("can not be checked now", [$"{path} can not be checked now, so nothing was taken: {unavailable.Message}"]);
        }
    }

    private static string? NameFault(string path, GitEntry entry) =>
        !entry.IsFile ? $"{path} is {entry.What}: a tenant has files and folders."
        : GitPath.Fault(path) is { } gits ? $"{path}: {gits}"
        : GitPath.IsBeside(path) ? null
        : FilePath.Fault(path) is { } fault ? $"{path}: {fault}"
        : null;

    private async Task<IReadOnlyList<string>> SizeFaultsAsync(GitObjects objects, List<KeyValuePair<string, GitEntry>> changed, CancellationToken cancel)
    {
        var faults = new List<string>();
        var total = 0L;
        foreach (var (path, entry) in changed)
        {
            if (await objects.FindAsync(entry.Id, cancel) is not ("blob", var size))
            {
                throw new PushRefused("incomplete", [$"{path} did not come with the push."]);
            }

            total += size;
            if (size > keeper.MostBytes)
            {
                faults.Add($"{path} has {size:N0} bytes, and a file at most {keeper.MostBytes:N0}.");
            }
        }

        return faults.Count == 0 && total > AppArchive.MostBytes ? [$"What changes has {total:N0} bytes, and one push changes at most {AppArchive.MostBytes:N0}."] : faults;
    }

    private static void Refuse(string reason, IReadOnlyList<string> faults)
    {
        if (faults.Count > 0)
        {
            throw new PushRefused(reason, [.. faults.Take(MostTold), .. faults.Count > MostTold ? [$"… and {faults.Count - MostTold} more."] : (string[])[], "Nothing was taken."]);
        }
    }

    /// <summary>Packs what is new, to be kept. It is complete, or it can not be packed.</summary>
    private static async Task<FileStream> PackAsync(GitRepository repository, GitHead head, string tip, string beside, CancellationToken cancel)
    {
        var pack = new FileStream(Path.Combine(beside, "kept"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        try
        {
            await using var git = repository.Start(beside, null, "pack-objects", "--revs", "--thin", "--delta-base-offset", "--stdout", "-q");
            await git.Input.WriteAsync(Encoding.ASCII.GetBytes($"{tip}\n{(head.Tip is null ? "" : $"^{head.Tip}\n")}"), cancel);
            git.CloseInput();
            // History may bring more than what was sent, where that built on it; never much more.
            await git.Output.CopyAsync(pack, GitStore.MostBytes, cancel);
            if (await git.EndAsync(cancel) is { } said)
            {
                throw new PushRefused("incomplete", [$"The push is not complete: {said}"]);
            }

            pack.Position = 0;
            return pack;
        }
        catch
        {
            await pack.DisposeAsync();
            throw;
        }
    }

    private static string Taken(ImportOutcome.Imported imported, AppPlan plan)
    {
        var removed = plan.Files.Count(file => file.Kind == PlannedKind.Removed);
        var what = (plan.Files.Count - removed, removed) switch
        {
            (0, 0) => "no file is other than before",
            (var saved, 0) => $"{Files(saved)} saved",
            (0, _) => $"{Files(removed)} deleted",
            (var saved, _) => $"{Files(saved)} saved, {removed} deleted",
        };
        return string.Create(CultureInfo.InvariantCulture, $"Version {imported.Version} is in force: {what}.{(imported.Retried > 0 ? $" {imported.Retried} runs in quarantine are tried again." : "")}");

        static string Files(int count) => count == 1 ? "1 file" : string.Create(CultureInfo.InvariantCulture, $"{count} files");
    }
}
