using Eddy.Cards;
using Eddy.Pages;

namespace Eddy.Files;

/// <summary>Which paths a tenant's files may have: one of the <see cref="Folders"/> and a name in it, <c>requirements.txt</c> or <c>README.md</c>.</summary>
public static class FilePath
{
    public const int MostCharacters = 255;

    /// <summary>The folders of a tenant's tree. Everything in the first two is Python.</summary>
    public static readonly IReadOnlyList<string> Folders = ["scripts", "api", "libraries", "tests", "card_html_files", "pages", "workspace"];

    /// <summary>Where the files are that rules read and write.</summary>
    public const string Workspace = "workspace/";

    /// <summary>Tells people what the files are for.</summary>
    public const string Readme = "README.md";

    /// <summary>Names the packages that are to be had, and is resolved when it is saved.</summary>
    public const string Requirements = "requirements.txt";

    /// <summary>What <see cref="Requirements"/> came to. It is read by tenants and written by the platform.</summary>
    public const string Lock = "requirements.lock";

    /// <summary>Why this can not be the path of a file that a tenant writes, in a sentence, or null.</summary>
    public static string? Fault(string path)
    {
        if (path.Length is 0 or > MostCharacters)
        {
            return $"A path has 1 to {MostCharacters} characters; this one has {path.Length}.";
        }

        if (path.Any(c => char.IsControl(c) || char.IsSurrogate(c)) || path.Contains('\\'))
        {
            return "A path has no control characters, no backslashes and nothing beyond the basic plane of Unicode.";
        }

        if (path.Contains("%2F", StringComparison.OrdinalIgnoreCase))
        {
            return "The slashes of a path are not escaped.";
        }

        var segments = path.Split('/');
        if (segments.Any(segment => segment.Length == 0 || segment.AsSpan().Trim(". ").IsEmpty || segment.Trim() != segment))
        {
            return "Between two slashes of a path there is a name: not nothing, not dots alone, and no space at its ends.";
        }

        if (path is Requirements or Readme)
        {
            return null;
        }

        if (path == Lock)
        {
            return $"{Lock} is written by the platform: save {Requirements}, or delete it to be rid of both.";
        }

        if (segments.Length < 2 || !Folders.Contains(segments[0]))
        {
            return $"A file is in one of {string.Join(", ", Folders.Select(folder => folder + "/"))} or is {Requirements} or {Readme}.";
        }

        return segments[0] is "scripts" or "api" or "tests" && !IsPython(path) ? $"Files in {segments[0]}/ are Python: their names end with .py." : null;
    }

    /// <summary>Whether its functions named test_… are run when rules are saved.</summary>
    public static bool IsTest(string path) => IsPython(path) && path.StartsWith("tests/", StringComparison.Ordinal) && path[(path.LastIndexOf('/') + 1)..].StartsWith("test_", StringComparison.Ordinal);

    /// <summary>Whether the file is a module, which is compiled when it is saved. In other folders <c>.py</c> is data.</summary>
    public static bool IsModule(string path) =>
        IsPython(path) && (path.StartsWith("scripts/", StringComparison.Ordinal)
            || path.StartsWith("api/", StringComparison.Ordinal)
            || path.StartsWith("libraries/", StringComparison.Ordinal)
            || path.StartsWith("tests/", StringComparison.Ordinal));

    /// <summary>Whether it is looked at when it is saved, and what is wrong with it is told: modules, cards and pages.</summary>
    public static bool IsChecked(string path) => IsModule(path) || CardFile.NameOf(path) is not null || PagePath.IsTemplate(path);

    private static bool IsPython(string path) => path.EndsWith(".py", StringComparison.Ordinal);
}
