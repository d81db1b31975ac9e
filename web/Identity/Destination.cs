namespace Eddy.Identity;

/// <summary>Where somebody goes who has signed in.</summary>
internal static class Destination
{
    /// <summary>An address of this host alone: links that lead elsewhere by the way of ours would look like ours.</summary>
    /// <param name="otherwise">Where to go instead.</param>
    public static string Of(string? to, string otherwise = "/t") => to is ['/'] or ['/', not ('/' or '\\'), ..] && !to.Any(char.IsControl) ? to : otherwise;
}
