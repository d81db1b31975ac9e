using System.Security.Claims;
using Eddy.Access;
using Npgsql;

namespace Eddy.Identity;

/// <summary>Finds where people sit: the tenants of a person, and what they may in one. Asked anew each time, so that whoever was removed is gone at once.</summary>
public sealed class Seats(NpgsqlDataSource source, AccessStore accesses)
{
    /// <summary>The tenants to which this person belongs, by name.</summary>
    public async Task<IReadOnlyList<Place>> PlacesAsync(Guid person, CancellationToken cancel)
    {
        await using var read = source.CreateCommand("select id, slug, name, time_zone, role from tenants_of($1)");
        read.Parameters.Add(new() { Value = person });
        await using var rows = await read.ExecuteReaderAsync(cancel);
        var places = new List<Place>();
        while (await rows.ReadAsync(cancel))
        {
            places.Add(new Place(new(rows.GetGuid(0)), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetString(4)));
        }

        return places;
    }

    /// <summary>The person's seat in the tenant of this slug; null where they do not belong to it, or there is none.</summary>
    public async Task<Seat?> FindAsync(ClaimsPrincipal who, string slug, CancellationToken cancel)
    {
        if (PersonOf(who) is not { } person || (await PlacesAsync(person, cancel)).FirstOrDefault(one => one.Slug == slug) is not { } place)
        {
            return null;
        }

        var members = await accesses.MembersAsync(place.Tenant, cancel);
        var member = members.FirstOrDefault(one => one.Person == person);
        return member is null ? null
            : new Seat(place.Tenant, place.Slug, place.Name, TimeZoneInfo.FindSystemTimeZoneById(place.TimeZone), person, member.Role, await accesses.OfAsync(place.Tenant, member, cancel), NamesOf(members));
    }

    /// <summary>By address. Those who are called alike are told apart by it.</summary>
    internal static IReadOnlyDictionary<string, string> NamesOf(IReadOnlyList<Actor.OfMember> members) =>
        members.Where(member => member.Called is not null).GroupBy(member => member.Called!, StringComparer.OrdinalIgnoreCase)
            .SelectMany(alike => alike.Select(member => (member.Address, Name: alike.Count() == 1 ? member.Called! : $"{member.Called} ({member.Address})")))
            .ToDictionary(one => one.Address, one => one.Name, StringComparer.Ordinal);

    /// <summary>Who is signed in; null where nobody is.</summary>
    public static Guid? PersonOf(ClaimsPrincipal who) =>
        who.Identity?.IsAuthenticated == true && Guid.TryParse(who.FindFirstValue(ClaimTypes.NameIdentifier), out var id) ? id : null;
}
