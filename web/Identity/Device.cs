namespace Eddy.Identity;

/// <summary>What a browser says of itself, in words that people know it by.</summary>
internal static class Device
{
    // The order matters: most name those before them, too.
    private static readonly (string Sign, string Name)[] Browsers = [("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari")];
    private static readonly (string Sign, string Name)[] Systems = [("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("Mac OS X", "Mac"), ("CrOS", "ChromeOS"), ("Linux", "Linux")];

    public static string Of(string agent) => $"{Named(Browsers, agent) ?? "A browser"}{(Named(Systems, agent) is { } system ? " on " + system : "")}";

    private static string? Named((string Sign, string Name)[] known, string agent) => known.FirstOrDefault(one => agent.Contains(one.Sign, StringComparison.Ordinal)).Name;
}
