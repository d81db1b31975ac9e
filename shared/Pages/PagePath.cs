using Eddy.Files;

namespace Eddy.Pages;

/// <summary>
/// Which files are pages and at which address each is: <c>pages/index.html</c> at <c>/</c>, <c>pages/rooms.html</c> and <c>pages/rooms/index.html</c> at <c>/rooms</c>. A file whose name begins with
/// <c>_</c> is a part: pages include it, and it has no address.
/// </summary>
public static class PagePath
{
    public const string Folder = "pages/";

    /// <summary>What answers where nothing else does.</summary>
    public const string NotFound = Folder + "_404.html";

    private const string Ending = ".html";

    /// <summary>Whether the file is a template: a page, or a part of pages.</summary>
    public static bool IsTemplate(string path) => path.StartsWith(Folder, StringComparison.Ordinal) && path.EndsWith(Ending, StringComparison.Ordinal);

    /// <summary>Whether it is included and has no address.</summary>
    public static bool IsPart(string path) => path[(path.LastIndexOf('/') + 1)..].StartsWith('_');

    /// <summary>The file that a template means by <c>{% include "name" %}</c>.</summary>
    public static string OfPart(string name) => Folder + (name.EndsWith(Ending, StringComparison.Ordinal) ? name : name + Ending);

    /// <summary>The files that may answer at this address, the first that is there first. None where no file could have such a path.</summary>
    /// <param name="address">Decoded, with the slash before it.</param>
    public static IReadOnlyList<string> At(string address)
    {
        var name = address.Trim('/');
        IReadOnlyList<string> files = name.Length == 0 ? [Folder + "index.html"] : [$"{Folder}{name}{Ending}", $"{Folder}{name}/index.html"];
        return [.. files.Where(file => FilePath.Fault(file) is null && !file[Folder.Length..].Split('/').Any(part => part.StartsWith('_')))];
    }

    /// <summary>The address of a page; null where the file has none.</summary>
    public static string? AddressOf(string path)
    {
        if (!IsTemplate(path) || path[Folder.Length..].Split('/').Any(part => part.StartsWith('_')))
        {
            return null;
        }

        var name = path[Folder.Length..^Ending.Length];
        return "/" + (name == "index" ? "" : name.EndsWith("/index", StringComparison.Ordinal) ? name[..^"/index".Length] : name);
    }
}
