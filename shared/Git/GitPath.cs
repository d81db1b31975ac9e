using Eddy.Files;

namespace Eddy.Git;

/// <summary>
/// Which files of a tenant are in its repository: those that people write. What runs save in <c>workspace/</c> has versions of its own, <c>requirements.lock</c> follows from what it locks, and
/// names that git checks out nowhere would keep everybody from the rest.
/// </summary>
public static class GitPath
{
    /// <summary>Why a tenant's file is not in the repository, in a sentence, or null.</summary>
    public static string? Fault(string path) =>
        path.StartsWith(FilePath.Workspace, StringComparison.Ordinal) ? $"Files in {FilePath.Workspace} are data of the rules and not in git."
        : path.Split('/').Any(IsGits) ? "A name in it is one of git's own."
        : null;

    /// <summary>Whether it belongs to git and the tools around it and not to the tenant's tree, as <c>.gitignore</c> at the top does: then it is in the repository alone.</summary>
    public static bool IsBeside(string path) => path.StartsWith('.');

    // As git takes names on file systems that drop or ignore some characters.
    private static bool IsGits(string name)
    {
        var seen = string.Concat(name.Where(c => c is not (>= '\u200B' and <= '\u200F' or >= '\u202A' and <= '\u202E' or >= '\u206A' and <= '\u206F' or '\uFEFF')));
        seen = seen.Split(':')[0].TrimEnd(' ', '.');
        return string.Equals(seen, ".git", StringComparison.OrdinalIgnoreCase) || string.Equals(seen, ".gitmodules", StringComparison.OrdinalIgnoreCase)
            || seen.StartsWith("git~", StringComparison.OrdinalIgnoreCase);
    }
}
