namespace Eddy.Packages;

/// <summary>A file that an index has of a project.</summary>
/// <param name="Sha256">What the index says that it has, in small hexadecimal digits; null where it does not say.</param>
/// <param name="RequiresPython">Versions of Python, as in <c>&gt;=3.8</c>; null for any.</param>
/// <param name="Yanked">Its publisher took it back: it is for those alone who name it.</param>
/// <param name="HasMetadata">Its metadata lies beside it (PEP 658).</param>
/// <param name="MetadataSha256">What the metadata beside it has; null where the index does not say.</param>
internal sealed record IndexFile(string Name, Uri Address, string? Sha256, string? RequiresPython, bool Yanked, bool HasMetadata, string? MetadataSha256);
