namespace Eddy.Files;

/// <summary>
/// A file of a tenant as it was last saved. Each save is a new version of the tenant's tree. A file that does not compile is kept,
/// with its faults, and what was last in force stays so (<see cref="InForce"/>).
/// </summary>
public sealed class TenantFile
{
    public required Guid TenantId { get; init; }

    /// <summary>Its path in the tree, as in <c>scripts/heat.py</c>.</summary>
    public required string Path { get; init; }

    public required byte[] Content { get; set; }

    /// <summary>The tree version that this save made; the file's ETag.</summary>
    public required long Version { get; set; }

    /// <summary>The version whose content is in force: <see cref="Version"/>, or an earlier one where that does not compile, or null where none ever did.</summary>
    public required long? InForce { get; set; }

    /// <summary>What the compiler says, as JSON; null where it is content.</summary>
    public string? Faults { get; set; }

    /// <summary>All that was found in <see cref="Version"/>, warnings too, as JSON; null for nothing.</summary>
    public string? Findings { get; set; }

    /// <summary>What the rules of the version in force read and write, as JSON; null where nobody has looked yet.</summary>
    public string? Rules { get; set; }

    public required string Author { get; set; }

    public required DateTimeOffset SavedAt { get; set; }
}

/// <summary>One save of a file, kept for good. Content is null where it was deleted.</summary>
public sealed class FileVersion
{
    public required Guid TenantId { get; init; }

    public required string Path { get; init; }

    public required long Version { get; init; }

    public required byte[]? Content { get; init; }

    public string? Faults { get; init; }

    public required string Author { get; init; }

    public required DateTimeOffset SavedAt { get; init; }
}
