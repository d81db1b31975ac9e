using System.Security.Cryptography;
using System.Text;
using Eddy.Access;
using Eddy.Files;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Processes;
using Eddy.Sites;
using Eddy.Tenants;

namespace Eddy.Cards;

/// <summary>
/// Where cards are shown and answered, whoever asks: what they show is what the one may read, and what they set goes the way of every event, judged by what the one may at that moment, with the one as its
/// actor.
/// </summary>
public sealed class CardDesk(FileStore files, ProcessStore processes, AccessStore accesses, CardStore cards, UploadStore uploads, Door door, TimeProvider time)
{
    private const string Source = "card";

    /// <summary>For so long it is waited for what an answer causes, so that what comes back shows it.</summary>
    private static readonly TimeSpan Wait = TimeSpan.FromSeconds(5);

    /// <summary>The card in force by this name; null where there is none.</summary>
    public async Task<CardFile?> FindAsync(TenantId tenant, string name, CancellationToken cancel) =>
        CardName.Is(name) && await files.InForceAsync(tenant, CardFile.PathOf(name), cancel) is { } content && FileStore.TextOf(content) is { } text ? CardFile.Parse(text) : null;

    /// <summary>What a card is shown of to somebody; null where the tenant has no such process.</summary>
    /// <param name="pid">Null where answering it makes a process.</param>
    public async Task<CardState?> StateAsync(Site site, long? pid, ActorAccess access, CancellationToken cancel)
    {
        var process = pid is { } number ? await processes.ReadAsync(site.Tenant, number, cancel) : null;
        if (pid is not null && process is null)
        {
            return null;
        }

        var shared = await processes.ReadAsync(site.Tenant, 0, cancel);
        KvpPlace? place = process is null ? null : KvpPlace.Process(process.Kind);
        return new CardState(
            pid, Kvps(process), Kvps(shared),
            key => key.IsShared ? access.May(KeyAct.Read, KvpPlace.Shared, key.Key) : place is { } there && access.May(KeyAct.Read, there, key.Key),
            key => access.Denied(key.IsShared ? KvpPlace.Shared : place, [new Change(key.Key, KvpValue.Null)]).Count == 0,
            site.Zone, time.GetUtcNow());

        static Dictionary<string, string> Kvps(StoredProcess? one) => one?.Kvps.ToDictionary(kvp => kvp.Key, kvp => KvpValue.Stored(kvp.Value), StringComparer.Ordinal) ?? new(StringComparer.Ordinal);
    }

    /// <summary>Sets what somebody has answered, and closes what was shown to them by this name.</summary>
    /// <param name="attempt">The same where the same form comes again, so that it is taken once; what else is in it then counts as another.</param>
    public async Task<CardOutcome> AnswerAsync(Site site, string name, long? pid, Actor actor, CardAnswer answer, string attempt, CancellationToken cancel)
    {
        var access = await accesses.OfAsync(site.Tenant, actor, cancel);
        var arrivals = new List<NewArrival>();
        foreach (var (place, changes) in new[] { (pid, answer.Changes), (0L, answer.Shared) })
        {
            if (changes.Count == 0)
            {
                continue;
            }

            if (await access.SetFaultAsync(site.Tenant, place, [changes], isList: false, processes, cancel) is { } denied)
            {
                return new CardOutcome.Refused(denied.Detail!);
            }

            arrivals.Add(new NewArrival(site.Tenant, place, changes, actor.Name, Source, null));
        }

        if (arrivals.Count == 0)
        {
            await CloseAsync(site.Tenant, name, pid, actor, cancel);
            return new CardOutcome.Taken(pid, IsDone: true, IsNothing: true);
        }

        if (answer.Uploads.Count > 0 && !await uploads.KeepAsync(site.Tenant, answer.Uploads, actor.Name, time.GetUtcNow(), cancel))
        {
            return new CardOutcome.Refused($"More files were sent here within a day than a tenant may have ({UploadStore.MostBytesOfDay >> 20} MiB). Send it again tomorrow, or without the file.");
        }

        var taken = await door.AcceptAsync(arrivals, new Idempotency($"{Source}-{attempt}", Fingerprint(arrivals)), WaitFor.Settled, Wait, cancel);
        if (taken is DoorAnswer.Accepted accepted)
        {
            await CloseAsync(site.Tenant, name, pid, actor, cancel);
            return new CardOutcome.Taken(answer.Changes.Count > 0 ? accepted.Arrivals[0].Pid : pid, accepted.Arrivals.All(one => one.Settled), IsNothing: false);
        }

        return taken switch
        {
            DoorAnswer.Mismatch => new CardOutcome.AnsweredBefore(),
            DoorAnswer.UnknownProcess unknown => new CardOutcome.Refused($"There is no process {unknown.Pid} any more."),
            DoorAnswer.TooMany => new CardOutcome.Refused("More of this tenant's events are waiting than may. Send it again in a moment."),
            DoorAnswer.Refused refused => new CardOutcome.Refused(refused.Reason),
            DoorAnswer.Unavailable unavailable => new CardOutcome.Refused($"{unavailable.Why} Send it again: it is taken once."),
            var other => throw new InvalidOperationException($"The door answered {other.GetType().Name}."),
        };
    }

    /// <summary>What was shown to somebody by this name in this process is done.</summary>
    public async Task CloseAsync(TenantId tenant, string name, long? pid, Actor actor, CancellationToken cancel)
    {
        if (pid is { } process)
        {
            await cards.CloseAnsweredAsync(tenant, name, process, People.MailAddress.Form(actor.Name), time.GetUtcNow(), cancel);
        }
    }

    private static byte[] Fingerprint(IEnumerable<NewArrival> arrivals) =>
        SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', arrivals.SelectMany(one => one.Changes.Select(change => $"{one.Pid}:{change.Key}:{change.Value}")))));
}

/// <summary>What became of an answer.</summary>
public abstract record CardOutcome
{
    private CardOutcome()
    {
    }

    /// <param name="Pid">Its process, where there is one.</param>
    /// <param name="IsDone">All that it caused has happened.</param>
    /// <param name="IsNothing">Nothing was changed.</param>
    public sealed record Taken(long? Pid, bool IsDone, bool IsNothing) : CardOutcome;

    /// <summary>The same attempt came before, with something else in it.</summary>
    public sealed record AnsweredBefore : CardOutcome;

    public sealed record Refused(string Why) : CardOutcome;
}
