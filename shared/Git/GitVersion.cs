namespace Eddy.Git;

/// <summary>A version of a tenant's tree, as it becomes a commit.</summary>
/// <param name="Tip">The commit that was pushed; null where the version was saved, and its commit is made of what is stored.</param>
/// <param name="Put">How many files it saved, and <paramref name="FirstPut"/> the first of them; likewise for those that it removed.</param>
public sealed record GitVersion(long Version, string Author, DateTimeOffset At, string? Tip, int Put, string? FirstPut, int Removed, string? FirstRemoved);

/// <summary>What a version did to a file.</summary>
/// <param name="Content">Null where it removed it.</param>
public sealed record GitChange(long Version, string Path, byte[]? Content);
