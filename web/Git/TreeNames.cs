namespace Eddy.Git;

/// <summary>Which paths a commit has. In git a name is a file or a folder, where a tenant may have both: then whichever came first is in git, and the other is left out.</summary>
public sealed class TreeNames
{
    private readonly HashSet<string> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _folders = new(StringComparer.Ordinal);

    /// <summary>Whether this file is there now.</summary>
    public bool TryPut(string path)
    {
        if (_files.Contains(path))
        {
            return true;
        }

        if (_folders.ContainsKey(path) || Above(path).Any(_files.Contains))
        {
            return false;
        }

        foreach (var folder in Above(path))
        {
            _folders[folder] = _folders.GetValueOrDefault(folder) + 1;
        }

        return _files.Add(path);
    }

    /// <summary>Whether this file was there.</summary>
    public bool Remove(string path)
    {
        if (!_files.Remove(path))
        {
            return false;
        }

        foreach (var folder in Above(path))
        {
            if (--_folders[folder] == 0)
            {
                _folders.Remove(folder);
            }
        }

        return true;
    }

    private static IEnumerable<string> Above(string path)
    {
        for (var end = path.IndexOf('/', StringComparison.Ordinal); end >= 0; end = path.IndexOf('/', end + 1))
        {
            yield return path[..end];
        }
    }
}
