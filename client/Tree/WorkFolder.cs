namespace Eddy.Client.Tree;

/// <summary>The files of a folder on this machine that are a tenant's. Links are neither read nor written through: they lead elsewhere.</summary>
public sealed class WorkFolder(string root)
{
    private bool? _ignoresCase;

    public string Root => root;

    /// <summary>The hash of each file: of those that are known, and of those that become the tenant's by lying there.</summary>
    public IReadOnlyDictionary<string, string> Scan(IEnumerable<string> known)
    {
        var hashes = new Dictionary<string, string>(StringComparer.Ordinal);
        var tracked = known.ToHashSet(StringComparer.Ordinal);
        foreach (var file in Directory.Exists(root) ? Files() : [])
        {
            if (tracked.Contains(file) || TreePath.IsTaken(file))
            {
                hashes[file] = FolderState.HashOf(File.ReadAllBytes(FullPath(file)));
            }
        }

        return hashes;
    }

    public byte[] Read(string path) => File.ReadAllBytes(Guarded(path));

    /// <summary>Null where there is none.</summary>
    public string? HashOf(string path) => Guarded(path) is var full && File.Exists(full) ? FolderState.HashOf(File.ReadAllBytes(full)) : null;

    /// <summary>When it was written last; long ago where there is none.</summary>
    public DateTime WrittenAt(string path) => File.GetLastWriteTimeUtc(Guarded(path));

    /// <summary>Whether names that differ in capitals alone are one file here: systems differ in it, and so do the drives of one.</summary>
    public bool IgnoresCase() => _ignoresCase ??= FindsInCapitals();

    /// <summary>Writes the whole file or none of it.</summary>
    public void Write(string path, byte[] content)
    {
        var full = Guarded(path);
        if (Directory.Exists(full))
        {
            throw new ClientFault($"{path} is a folder here, and a file at the server.");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var draft = Path.Combine(Path.GetDirectoryName(full)!, $".eddy-{Guid.NewGuid():N}.tmp");
        File.WriteAllBytes(draft, content);
        File.Move(draft, full, overwrite: true);
    }

    /// <summary>Folders that are empty then go with it.</summary>
    public void Delete(string path)
    {
        var full = Guarded(path);
        File.Delete(full);
        for (var folder = Path.GetDirectoryName(full); folder is not null && folder.Length > root.Length && Directory.Exists(folder) && !Directory.EnumerateFileSystemEntries(folder).Any(); folder = Path.GetDirectoryName(folder))
        {
            Directory.Delete(folder);
        }
    }

    private bool FindsInCapitals()
    {
        Directory.CreateDirectory(root);
        var name = $".eddy-{Guid.NewGuid():N}";
        using (new FileStream(Path.Combine(root, name + ".tmp"), FileMode.CreateNew, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose))
        {
            return File.Exists(Path.Combine(root, name + ".TMP"));
        }
    }

    /// <summary>Paths below the folder, with slashes.</summary>
    private IEnumerable<string> Files()
    {
        var open = new Stack<string>();
        foreach (var file in new DirectoryInfo(root).EnumerateFiles().Where(IsNoLink))
        {
            yield return file.Name;
        }

        foreach (var folder in TreePath.Folders.Where(folder => new DirectoryInfo(FullPath(folder)) is { Exists: true } there && IsNoLink(there)))
        {
            open.Push(folder);
        }

        while (open.TryPop(out var folder))
        {
            foreach (var entry in new DirectoryInfo(FullPath(folder)).EnumerateFileSystemInfos().Where(IsNoLink))
            {
                var path = $"{folder}/{entry.Name}";
                if (entry is DirectoryInfo)
                {
                    open.Push(path);
                }
                else
                {
                    yield return path;
                }
            }
        }
    }

    private static bool IsNoLink(FileSystemInfo entry) => entry.LinkTarget is null;

    private string FullPath(string path) => Path.Combine(root, path.Replace('/', Path.DirectorySeparatorChar));

    /// <summary>Where a file of the tenant is here.</summary>
    private string Guarded(string path)
    {
        if (!TreePath.IsSafe(path))
        {
            throw new ClientFault($"'{path}' is no path of a tenant's file that can be here; nothing was done with it.");
        }

        var full = FullPath(path);
        for (var at = full; at.Length > root.Length; at = Path.GetDirectoryName(at)!)
        {
            if (new FileInfo(at).LinkTarget is { } target)
            {
                throw new ClientFault($"{Path.GetRelativePath(root, at)} is a link to {target}; nothing is written through links.");
            }
        }

        return full;
    }
}
