using Eddy.Tenants;

namespace Eddy.Git;

/// <summary>
/// A tenant's repository on this web's disk. It has nothing that the database has not: each version of the tree is one commit, made of what is stored, so that it is the same on every web, and one that
/// is gone or broken is made anew. What was pushed comes in by the database, too, and by nothing else.
/// </summary>
public sealed class GitRepository(TenantId tenant, string folder, GitStore store, GitOptions options, TimeProvider clock, ILogger log) : IDisposable
{
    private const string Config = """
        [core]
        	repositoryformatversion = 0
        	bare = true
        	hooksPath = /dev/null
        	bigFileThreshold = 8m
        	packedGitWindowSize = 16m
        	packedGitLimit = 128m
        	deltaBaseCacheLimit = 32m
        [pack]
        	threads = 1
        	windowMemory = 64m
        [gc]
        	autoDetach = false
        [maintenance]
        	autoDetach = false

        """;

    private readonly SemaphoreSlim _sync = new(1);
    private readonly SemaphoreSlim _requests = new(options.TenantRequests);
    private readonly SemaphoreSlim _pushes = new(1);

    // Of what is done under _sync.
    private GitHead? _head;
    private volatile bool _isDoubted;

    public TenantId Tenant => tenant;

    public string Folder => folder;

    /// <summary>One of the requests that the tenant may have answered at once.</summary>
    public SemaphoreSlim Requests => _requests;

    /// <summary>The push that is judged.</summary>
    public SemaphoreSlim Pushes => _pushes;

    public void Dispose()
    {
        _sync.Dispose();
        _requests.Dispose();
        _pushes.Dispose();
    }

    /// <summary>Brings it up to what the database has now.</summary>
    /// <exception cref="GitFault">git fails, even with a repository that is made anew.</exception>
    public async Task<GitHead> SyncAsync(CancellationToken cancel)
    {
        await _sync.WaitAsync(cancel);
        try
        {
            var there = await ThereAsync();
            try
            {
                return await AdvanceAsync(there ?? Make(), cancel);
            }
            catch (GitFault fault) when (there is not null)
            {
                log.LogWarning("The repository of tenant {Tenant} is made anew: {Reason}", tenant, fault.Message);
                return await AdvanceAsync(Make(), cancel);
            }
        }
        catch (Exception fault) when (fault is not OperationCanceledException)
        {
            _head = null;
            throw;
        }
        finally
        {
            _sync.Release();
        }
    }

    /// <summary>git may have failed with it: for the next who asks it is looked whether it still has all that it should.</summary>
    public void Doubt() => _isDoubted = true;

    /// <summary>An empty folder within it, for objects that are not the repository's yet.</summary>
    public string MakeBeside()
    {
        var beside = Path.Combine(folder, "beside", Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path.Combine(beside, "pack"));
        return beside;
    }

    internal GitCommand Start(string? beside, string? protocol, params ReadOnlySpan<string> arguments) => GitCommand.Start(options, clock, folder, beside, protocol, arguments);

    internal Task<string?> AskAsync(string? beside, int most, string[] arguments, CancellationToken cancel) => GitCommand.AskAsync(options, clock, folder, beside, most, arguments, cancel);

    internal GitObjects ReadBeside(string beside) => new(options, clock, folder, beside);

    /// <summary>Where it is, if it is: whoever clears up where temporary files are takes what has not been touched for days.</summary>
    private async Task<GitHead?> ThereAsync()
    {
        var isDoubted = _isDoubted;
        _isDoubted = false;
        return _head is not null && File.Exists(Path.Combine(folder, "HEAD"))
            && (_head.Tip is null || await HasAsync("cat-file", "-e", _head.Tip + "^{tree}"))
            && (!isDoubted || await HasAsync("rev-list", "--objects", "--count", "--all")) ? _head : null;

        async Task<bool> HasAsync(params string[] arguments) => await AskAsync(null, 1 << 10, arguments, CancellationToken.None) is not null;
    }

    private GitHead Make()
    {
        try
        {
            return MakeEmpty();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new GitFault($"There can be no repository in {folder}: {fault.Message}", fault);
        }
    }

    private GitHead MakeEmpty()
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (var name in (string[])["objects/info", "objects/pack", "refs/heads", "refs/tags", "beside"])
        {
            Directory.CreateDirectory(Path.Combine(folder, name));
        }

        File.WriteAllText(Path.Combine(folder, "config"), Config);
        File.WriteAllText(Path.Combine(folder, "HEAD"), $"ref: {RefCommand.Main}\n");
        return new GitHead(0, null);
    }

    private async Task<GitHead> AdvanceAsync(GitHead head, CancellationToken cancel)
    {
        _head = head;
        var versions = await store.VersionsAsync(tenant, head.Version, CancellationToken.None);
        for (var next = 0; next < versions.Count;)
        {
            // A part is begun and done, whether the one who asks waits for it or not: what is half done would be done anew. The next who asks goes on from there.
            cancel.ThrowIfCancellationRequested();
            if (versions[next].Tip is not null)
            {
                _head = head = await PushAsync(versions[next++]);
                continue;
            }

            var saved = versions.Skip(next).TakeWhile(version => version.Tip is null).Take(options.Versions).ToList();
            next += saved.Count;
            _head = head = await SaveAsync(head, saved);
        }

        if (versions.Count > 0)
        {
            // Many small commits become one pack, once there are thousands of objects.
            await AskAsync(null, 1 << 16, ["gc", "--auto", "--quiet"], CancellationToken.None);
        }

        return head;
    }

    private async Task<GitHead> PushAsync(GitVersion version)
    {
        await using (var unpack = Start(null, null, "index-pack", "--stdin", "--fix-thin"))
        {
            await FeedAsync(unpack, to => store.CopyPackAsync(tenant, version.Version, to, CancellationToken.None));
        }

        return await AskAsync(null, 1 << 10, ["update-ref", RefCommand.Main, version.Tip!], CancellationToken.None) is null
            ? throw new GitFault($"What was pushed as version {version.Version} can not be had from the database.")
            : new GitHead(version.Version, version.Tip);
    }

    private async Task<GitHead> SaveAsync(GitHead head, List<GitVersion> versions)
    {
        var names = new TreeNames();
        if (head.Tip is not null)
        {
            foreach (var path in (await AskAsync(null, 64 << 20, ["ls-tree", "-r", "-z", "--name-only", head.Tip], CancellationToken.None) ?? throw new GitFault("The last commit can not be read.")).Split('\0', StringSplitOptions.RemoveEmptyEntries))
            {
                names.TryPut(path);
            }
        }

        await using (var import = Start(null, null, "fast-import", "--quiet", "--done"))
        {
            await FeedAsync(import, async to =>
            {
                await using var buffered = new BufferedStream(to, 1 << 16);
                var commits = new CommitWriter(buffered, head.Tip, names);
                var begun = 0;
                await store.ReadChangesAsync(tenant, versions[0].Version, versions[^1].Version, TakeAsync, CancellationToken.None);
                await commits.EndAsync(CancellationToken.None);

                async Task TakeAsync(GitChange change)
                {
                    while (begun == 0 || versions[begun - 1].Version < change.Version)
                    {
                        await commits.BeginAsync(versions[begun++], CancellationToken.None);
                    }

                    await commits.ChangeAsync(change, CancellationToken.None);
                }
            });
        }

        var tip = await AskAsync(null, 1 << 10, ["rev-parse", "--verify", RefCommand.Main], CancellationToken.None) ?? throw new GitFault("There is no branch after a save.");
        return new GitHead(versions[^1].Version, tip.Trim());
    }

    private static async Task FeedAsync(GitCommand git, Func<Stream, Task> feed)
    {
        Exception? broken = null;
        try
        {
            await feed(git.Input);
        }
        catch (IOException fault)
        {
            // What it says at its end tells why.
            broken = fault;
        }

        await git.Output.CopyToAsync(Stream.Null, CancellationToken.None);
        if (await git.EndAsync(CancellationToken.None) is { } said)
        {
            throw new GitFault(said, broken);
        }
    }
}

/// <summary>Where a repository's branch is.</summary>
/// <param name="Version">The version of the tree that it is.</param>
/// <param name="Tip">The commit; null where nothing was ever saved.</param>
public sealed record GitHead(long Version, string? Tip);
