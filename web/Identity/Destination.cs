namespace Eddy.Identity;

/// <summary>Where somebody goes who has signed in.</summary>
internal static class Destination
{
    /// <summary>An address of this host alone: links that lead elsewhere by the way of ours would look like ours.</summary>
    public static string Of(string? to) => to is ['/'] or ['/', not ('/' or '\\'), ..] && !to.Any(char.IsControl) ? to : "/t";
}
