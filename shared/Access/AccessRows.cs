using System.Text.Json;

namespace Eddy.Access;

/// <summary>A group as its row has it, and as the audit keeps it.</summary>
internal sealed record GroupRow(string Name, string[] Addresses, Guid[] People, long Version, DateTimeOffset ChangedAt, string ChangedBy)
{
    public AccessGroup ToGroup() => new(Name, Addresses.ToHashSet(StringComparer.Ordinal), People.ToHashSet()) { Version = Version, ChangedAt = ChangedAt, ChangedBy = ChangedBy };

    public static string? TextOf(AccessGroup? group) =>
        group is null ? null : JsonSerializer.Serialize(new { members = group.Addresses.Order(StringComparer.Ordinal).Concat(group.People.Order().Select(person => person.ToString())) });
}

/// <summary>An entry as its row has it, and as the audit keeps it.</summary>
internal sealed record EntryRow(
    long Id, string GroupName, bool MayRead, bool MaySet, string[] Keys, string? Kind, bool Shared, long Version, DateTimeOffset ChangedAt, string ChangedBy)
{
    public AccessEntry ToEntry() => new(Id, GroupName, MayRead, MaySet, [.. Keys.Select(Pattern)], Kind is null ? null : Pattern(Kind), Shared)
    {
        Version = Version, ChangedAt = ChangedAt, ChangedBy = ChangedBy,
    };

    public static string? TextOf(AccessEntry? entry) => entry is null
        ? null
        : JsonSerializer.Serialize(new { group = entry.Group, may = entry.Acts, keys = entry.Keys.Select(pattern => pattern.Text), kind = entry.Kind?.Text, shared = entry.IsShared });

    // Only what was one has been written.
    private static NamePattern Pattern(string text) => NamePattern.TryParse(text, out var pattern, out var fault) ? pattern : throw new InvalidOperationException(fault);
}
