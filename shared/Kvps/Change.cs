namespace Eddy.Kvps;

/// <summary>One KVP as it shall be.</summary>
/// <param name="Key">The key, already checked.</param>
/// <param name="Value">Its value as canonical JSON (<c>docs/values.md</c>), or null where the KVP is removed.</param>
public readonly record struct Change(string Key, string? Value);
