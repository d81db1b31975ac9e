namespace Eddy.Access;

/// <summary>
/// People and mail addresses of a tenant under one name, to whom entries give something. Three names are reserved: everybody is in <see cref="Public"/>, and whoever belongs to
/// the tenant in <see cref="Registered"/>; in <see cref="Admins"/>, who may do everything, are its owners, and those of its members that are put there.
/// </summary>
/// <param name="Addresses">In the form of <see cref="People.MailAddress"/>.</param>
/// <param name="People">Ids of persons. They count as long as these belong to the tenant.</param>
public sealed record AccessGroup(string Name, IReadOnlySet<string> Addresses, IReadOnlySet<Guid> People)
{
    public const string Public = "public";
    public const string Registered = "registered";
    public const string Admins = "admins";

    public const int MostNameCharacters = 64;

    /// <summary>The tenant's <see cref="AccessRules.Version"/> that its last change made; its ETag.</summary>
    public long Version { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public string ChangedBy { get; init; } = "";

    /// <summary>Whether the name is one of the three that are always there.</summary>
    public static bool IsReserved(string name) => name is Public or Registered or Admins;

    /// <summary>Why this can not be a group's name, in a sentence, or null.</summary>
    public static string? NameFault(string name) =>
        name.Length is > 0 and <= MostNameCharacters && char.IsAsciiLetterLower(name[0]) && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '_' or '.')
            ? null
            : $"A group's name has 1 to {MostNameCharacters} small letters, digits, hyphens, underscores and dots, a letter first.";

    internal bool Names(Actor actor) => actor switch
    {
        Actor.OfMember member => People.Contains(member.Person) || (member.IsProven && Addresses.Contains(member.Address)),
        Actor.OfAddress stranger => Addresses.Contains(stranger.Address),
        _ => false,
    };
}
