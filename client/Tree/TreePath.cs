using System.Globalization;

namespace Eddy.Client.Tree;

/// <summary>
/// Which paths are those of a tenant's files. The server says what is in a tree, and is not believed: no path of its leads out of the folder, into what git or this client keeps there, or to a name
/// that means something else on this machine.
/// </summary>
public static class TreePath
{
    public static readonly IReadOnlyList<string> Folders = ["scripts", "api", "libraries", "tests", "card_html_files", "pages", "workspace"];

    public const string Requirements = "requirements.txt";

    /// <summary>Written by the platform alone.</summary>
    public const string Lock = "requirements.lock";

    private static readonly string[] Single = ["README.md", Requirements, Lock];

    // What these mean to git, to this client, or in the short names of Windows.
    private static readonly HashSet<string> Kept = new(StringComparer.OrdinalIgnoreCase) { ".git", "git~1", ".eddy", ".gitmodules", ".gitattributes" };

    private static readonly char[] Forbidden = [.. Path.GetInvalidFileNameChars(), '\\', '/'];

    /// <summary>Whether this can be the path of a tenant's file here.</summary>
    public static bool IsSafe(string path)
    {
        if (path.Length is 0 or > 1024)
        {
            return false;
        }

        var names = path.Split('/');
        return (names.Length == 1 ? Single.Contains(path) : Folders.Contains(names[0])) && names.All(IsSafeName);
    }

    /// <summary>Whether a file that is not the tenant's yet becomes so by lying there: not what editors, Python and file managers leave.</summary>
    public static bool IsTaken(string path)
    {
        var names = path.Split('/');
        return IsSafe(path) && path != Lock && names.All(name => !name.StartsWith('.') && name is not ("__pycache__" or "node_modules" or "4913" or "Thumbs.db"))
            && names[^1] is var last && !last.EndsWith('~') && !(last.StartsWith('#') && last.EndsWith('#'))
            && Path.GetExtension(last).ToUpperInvariant() is not (".PYC" or ".PYO" or ".SWP" or ".SWO" or ".SWX" or ".TMP" or ".ORIG" or ".REJ" or ".BAK");
    }

    private static bool IsSafeName(string name)
    {
        if (name.Length == 0 || name.AsSpan().Trim(". ").IsEmpty || name.IndexOfAny(Forbidden) >= 0 || name.Any(char.IsControl) || name[^1] is ' ' or '.')
        {
            return false;
        }

        // Some file systems pass over signs that nobody sees.
        var seen = string.Concat(name.Where(c => char.GetUnicodeCategory(c) != UnicodeCategory.Format));
        return seen.Length > 0 && !Kept.Contains(seen.Split(':')[0].TrimEnd(' ', '.'));
    }
}
