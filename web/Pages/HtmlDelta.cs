namespace Eddy.Pages;

/// <summary>What of a page became another: how much of its beginning and of its end is as it was, and what stands between.</summary>
/// <param name="Version">The version that this makes of the one before.</param>
public readonly record struct HtmlDelta(long Version, int Prefix, int Suffix, string Middle)
{
    public static HtmlDelta Of(string before, string after, long version)
    {
        var prefix = before.AsSpan().CommonPrefixLength(after);
        var most = Math.Min(before.Length, after.Length) - prefix;
        var suffix = 0;
        while (suffix < most && before[^(suffix + 1)] == after[^(suffix + 1)])
        {
            suffix++;
        }

        return new HtmlDelta(version, prefix, suffix, after[prefix..^suffix]);
    }
}
