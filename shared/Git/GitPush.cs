namespace Eddy.Git;

/// <summary>What somebody pushed: a commit, with all of its history that the tenant's branch did not have.</summary>
/// <param name="Tip">The commit, in hexadecimal.</param>
/// <param name="Pack">What is new, as git packs it; it may build on what the branch had. Its length is known.</param>
public sealed record GitPush(string Tip, Stream Pack);
