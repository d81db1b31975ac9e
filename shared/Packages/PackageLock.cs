using System.Text;

namespace Eddy.Packages;

/// <summary>One line of <c>requirements.lock</c>.</summary>
/// <param name="File">The wheel; null where the platform has the package itself.</param>
internal sealed record PackagePin(string Project, string Version, string? File, string? Sha256);

/// <summary>What a requirements.txt came to, so that it comes to the same again.</summary>
internal static class PackageLock
{
    public static string Write(IEnumerable<PackagePin> pins)
    {
        var text = new StringBuilder("# Written by Eddy when requirements.txt is saved: each package, its file and what that has.\n");
        foreach (var pin in pins.OrderBy(pin => pin.Project, StringComparer.Ordinal))
        {
            text.Append(pin.File is null ? $"# {pin.Project}=={pin.Version} is the platform's\n" : $"{pin.Project}=={pin.Version} {pin.File} sha256:{pin.Sha256}\n");
        }

        return text.ToString();
    }

    /// <summary>The versions of the wheels by project.</summary>
    public static IReadOnlyDictionary<string, string> Versions(string text)
    {
        var versions = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            if (line.Split(' ') is [var pin, _, _] && pin.Split("==") is [var project, var version] && !line.StartsWith('#'))
            {
                versions[project] = version;
            }
        }

        return versions;
    }
}
