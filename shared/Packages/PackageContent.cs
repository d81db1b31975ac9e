namespace Eddy.Packages;

/// <summary>A file of a tenant's packages.</summary>
/// <param name="Path">Where it would lie in site-packages: <c>requests/api.py</c>, <c>requests-2.32.3.dist-info/METADATA</c>.</param>
public sealed record PackageContent(string Path, byte[] Content);

/// <summary>All packages that a requirements.txt came to.</summary>
/// <param name="Lock">The text of <c>requirements.lock</c>.</param>
public sealed record PackageSet(string Lock, IReadOnlyList<PackageContent> Files)
{
    public static readonly PackageSet None = new("", []);
}

/// <summary>A file of a tenant's packages that is in force, as it is stored. All are replaced together.</summary>
public sealed class PackageFile
{
    public required Guid TenantId { get; init; }

    /// <summary>As in <see cref="PackageContent.Path"/>.</summary>
    public required string Path { get; init; }

    public required byte[] Content { get; init; }
}
