using System.Collections.Concurrent;
using System.Security.Claims;
using Eddy.People;
using Eddy.Postgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Eddy.Identity;

/// <summary>
/// The sign-ins of people. Every request and everything that a circuit is told asks for the standing of its session; what was answered holds for a second, so that whoever is removed is gone
/// within one.
/// </summary>
public sealed class Sessions(NpgsqlDataSource source, EddyDbs dbs, TimeProvider time)
{
    /// <summary>The claim of the cookie that names the session.</summary>
    public const string Claim = "eddy:session";

    private const int MostKnown = 10_000;

    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<Guid, (long AskedAt, Task<Standing?> Answer)> _known = new();

    /// <summary>The session that the cookie names; null where it names none.</summary>
    public static Guid? Of(ClaimsPrincipal who) => Guid.TryParse(who.FindFirstValue(Claim), out var id) ? id : null;

    /// <summary>Null where the session has ended.</summary>
    public Task<Standing?> StandingAsync(Guid session)
    {
        if (_known.TryGetValue(session, out var known) && time.GetElapsedTime(known.AskedAt) < Freshness && !known.Answer.IsFaulted)
        {
            return known.Answer;
        }

        if (_known.Count > MostKnown)
        {
            _known.Clear();
        }

        var asked = (AskedAt: time.GetTimestamp(), Answer: AskAsync(session));
        _known[session] = asked;
        return asked.Answer;
    }

    /// <summary>Those that have not ended, the last seen first.</summary>
    public async Task<IReadOnlyList<Session>> ListAsync(Person person, CancellationToken cancel)
    {
        await using var db = dbs.Global();
        return await db.Sessions.AsNoTracking().Where(one => one.PersonId == person.Id && one.Stamp == person.SecurityStamp).OrderByDescending(one => one.SeenAt).ToListAsync(cancel);
    }

    /// <summary>Begins one, and forgets those of this person that have long ended.</summary>
    public async Task<Guid> BeginAsync(Person person, string device, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var db = dbs.Global();
        await db.Sessions.Where(one => one.PersonId == person.Id && (one.Stamp != person.SecurityStamp || one.SeenAt < now.AddDays(-14))).ExecuteDeleteAsync(cancel);
        var session = new Session { Id = Guid.CreateVersion7(now), PersonId = person.Id, Stamp = person.SecurityStamp!, Device = device, StartedAt = now, SeenAt = now };
        db.Sessions.Add(session);
        await db.SaveChangesAsync(cancel);
        return session.Id;
    }

    /// <summary>Lets one go along with the person's new stamp; false where it has ended.</summary>
    public async Task<bool> RenewAsync(Guid session, Person person, CancellationToken cancel)
    {
        await using var db = dbs.Global();
        var isThere = await db.Sessions.Where(one => one.Id == session && one.PersonId == person.Id).ExecuteUpdateAsync(set => set.SetProperty(one => one.Stamp, person.SecurityStamp), cancel) == 1;
        _known.TryRemove(session, out _);
        return isThere;
    }

    /// <summary>Ends one of this person.</summary>
    public async Task EndAsync(Guid person, Guid session, CancellationToken cancel)
    {
        await using var db = dbs.Global();
        await db.Sessions.Where(one => one.Id == session && one.PersonId == person).ExecuteDeleteAsync(cancel);
        _known.TryRemove(session, out _);
    }

    /// <summary>Ends all of this person, but one where it is named.</summary>
    public async Task EndAllAsync(Guid person, Guid? but, CancellationToken cancel)
    {
        await using var db = dbs.Global();
        await db.Sessions.Where(one => one.PersonId == person && one.Id != but).ExecuteDeleteAsync(cancel);
        _known.Clear();
    }

    private async Task<Standing?> AskAsync(Guid session)
    {
        await using var ask = source.CreateCommand("select person, address, slug, role, acl from standing_of($1, $2)");
        ask.Parameters.Add(new() { Value = session });
        ask.Parameters.Add(new() { Value = time.GetUtcNow() });
        await using var rows = await ask.ExecuteReaderAsync();
        Standing? standing = null;
        var places = new Dictionary<string, string>(StringComparer.Ordinal);
        while (await rows.ReadAsync())
        {
            standing ??= new Standing(rows.GetGuid(0), rows.GetString(1), places);
            if (!rows.IsDBNull(2))
            {
                places[rows.GetString(2)] = $"{rows.GetString(3)} {rows.GetInt64(4)}";
            }
        }

        return standing;
    }
}
