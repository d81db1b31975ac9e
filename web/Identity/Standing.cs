namespace Eddy.Identity;

/// <summary>Who has a session, and what they are in each of their tenants: what the whole guard goes by.</summary>
public sealed record Standing(Guid Person, string Address, IReadOnlyDictionary<string, string> Places)
{
    /// <summary>Changes with everything that a seat in the tenant of this slug depends on; null where the person does not belong to it.</summary>
    public string? MarkOf(string slug) => Places.TryGetValue(slug, out var mark) ? $"{mark} {Address}" : null;
}
