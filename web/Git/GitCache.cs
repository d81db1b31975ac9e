using Eddy.Tenants;

namespace Eddy.Git;

/// <summary>The repositories that this web has made: in a folder of its own, that ends with it. It is a cache: whatever is taken out of it is made again when somebody asks.</summary>
public sealed class GitCache : IDisposable
{
    private const string Prefix = "eddy-git-";

    // Held open, and so locked, as long as its web lives.
    public const string LockName = "eddy-git.lock";

    private readonly Lock _lock = new();
    private readonly Dictionary<TenantId, (GitRepository Repository, int Users, long Used)> _repositories = [];
    private readonly GitStore _store;
    private readonly GitOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<GitCache> _log;
    private (string Folder, FileStream Held)? _place;
    private long _uses;

    public GitCache(GitStore store, GitOptions options, TimeProvider time, ILogger<GitCache> log) => (_store, _options, _time, _log) = (store, options, time, log);

    /// <summary>Where the repositories are.</summary>
    /// <exception cref="GitFault">There can be none.</exception>
    public string Folder
    {
        get
        {
            lock (_lock)
            {
                return (_place ??= MakePlace()).Folder;
            }
        }
    }

    /// <summary>The tenant's repository, which stays for as long as it is in use.</summary>
    /// <exception cref="GitFault">There is no place for it.</exception>
    public GitLease Open(TenantId tenant)
    {
        lock (_lock)
        {
            var use = ++_uses;
            if (!_repositories.TryGetValue(tenant, out var entry))
            {
                MakeRoom();
                // A name that no other has had: what is left of one that goes is in nobody's way.
                entry = (new GitRepository(tenant, Path.Combine(Folder, $"{tenant}-{use}.git"), _store, _options, _time, _log), 0, use);
            }

            _repositories[tenant] = (entry.Repository, entry.Users + 1, use);
            return new GitLease(entry.Repository, () => Close(tenant));
        }
    }

    public void Dispose()
    {
        if (_place is var (folder, held))
        {
            Remove(folder);
            held.Dispose();
        }
    }

    private void Close(TenantId tenant)
    {
        lock (_lock)
        {
            var entry = _repositories[tenant];
            _repositories[tenant] = entry with { Users = entry.Users - 1 };
        }
    }

    private void MakeRoom()
    {
        var idle = _repositories.Values.Where(one => one.Users == 0).OrderBy(one => one.Used).Take(Math.Max(0, _repositories.Count - _options.Repositories + 1)).ToList();
        foreach (var (repository, _, _) in idle)
        {
            _repositories.Remove(repository.Tenant);
            Remove(repository.Folder);
            repository.Dispose();
        }
    }

    private (string Folder, FileStream Held) MakePlace()
    {
        var above = _options.Folder ?? Path.GetTempPath();
        try
        {
            return MakePlace(above);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            throw new GitFault($"There can be no folder for repositories in {above}: {fault.Message}", fault);
        }
    }

    private (string Folder, FileStream Held) MakePlace(string above)
    {
        Directory.CreateDirectory(above);
        foreach (var left in Directory.EnumerateDirectories(above, Prefix + "*"))
        {
            RemoveLeft(left);
        }

        var folder = Path.Combine(above, Prefix + Guid.NewGuid().ToString("N")[..12]);
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        return (folder, new FileStream(Path.Combine(folder, LockName), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None));
    }

    /// <summary>What a web has left that was ended before it could clear up.</summary>
    private void RemoveLeft(string folder)
    {
        try
        {
            using (new FileStream(Path.Combine(folder, LockName), FileMode.Open, FileAccess.ReadWrite, FileShare.None))
            {
                Remove(folder);
            }
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            // Another web's, which lives, or another user's.
        }
    }

    private void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // It is gone already.
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            _log.LogWarning("A folder of repositories could not be removed: {Reason}", fault.Message);
        }
    }
}

/// <summary>A repository that is in use until this is disposed.</summary>
public sealed class GitLease(GitRepository repository, Action close) : IDisposable
{
    public GitRepository Repository => repository;

    public void Dispose() => close();
}
