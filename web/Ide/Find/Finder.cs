using System.Globalization;
using Eddy.Access;
using Eddy.Events;
using Eddy.Files;
using Eddy.Identity;
using Eddy.Processes;

namespace Eddy.Ide.Find;

/// <summary>Finds by a few characters what a tenant has: files and their rules, keys with their last values, processes and events by number, people. What the reader may not see is not found.</summary>
public sealed class Finder(FileStore files, EventStore events, ProcessStore processes, AccessStore accesses)
{
    private const int MostOfAKind = 6;

    public async Task<IReadOnlyList<Found>> FindAsync(Seat seat, string text, CancellationToken cancel)
    {
        var wanted = text.Trim();
        var found = new List<Found>();
        found.AddRange(await RulesAsync(seat, wanted, cancel));
        if (wanted.Length > 0)
        {
            found.AddRange(await KeysAsync(seat, wanted, cancel));
            found.AddRange(await NumberedAsync(seat, wanted, cancel));
            found.AddRange(await PeopleAsync(seat, wanted, cancel));
        }

        return found;
    }

    private async Task<IEnumerable<Found>> RulesAsync(Seat seat, string wanted, CancellationToken cancel) =>
        (await files.ListAsync(seat.Tenant, cancel))
            .Where(file => file.Path != FilePath.Lock && Has(file.Path, wanted))
            .OrderBy(file => !Path.GetFileName(file.Path).StartsWith(wanted, StringComparison.OrdinalIgnoreCase)).ThenBy(file => file.Path, StringComparer.Ordinal)
            .Take(wanted.Length == 0 ? 2 * MostOfAKind : MostOfAKind)
            .Select(file => new Found("rule", "rules", file.Path, $"/t/{seat.Slug}/rules/{Uri.EscapeDataString(file.Path).Replace("%2F", "/", StringComparison.Ordinal)}", null, null));

    private async Task<IEnumerable<Found>> KeysAsync(Seat seat, string wanted, CancellationToken cancel)
    {
        var matching = (await events.LatestAsync(seat.Tenant, cancel)).Where(one => Has(one.Key, wanted)).ToList();
        var kinds = await processes.KindsAsync(seat.Tenant, [.. matching.Select(one => one.Pid).Where(pid => pid > 0).Distinct()], cancel);
        return matching
            .Where(one => seat.Access.May(KeyAct.Read, one.Pid == 0 ? KvpPlace.Shared : KvpPlace.Process(kinds.GetValueOrDefault(one.Pid)), one.Key))
            .Take(MostOfAKind)
            .Select(one => one.Pid == 0
                ? new Found("key", "key", $"shared.{one.Key}", $"/t/{seat.Slug}/shared", one.Value, "last value")
                : new Found("key", "key", one.Key, $"/t/{seat.Slug}/processes/{one.Pid}", one.Value, $"last in process {one.Pid}"));
    }

    private async Task<IEnumerable<Found>> NumberedAsync(Seat seat, string wanted, CancellationToken cancel)
    {
        if (!long.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
        {
            return [];
        }

        var found = new List<Found>();
        if (await processes.ReadAsync(seat.Tenant, number, cancel) is { } process && process.Kvps.Any(kvp => seat.Access.May(KeyAct.Read, KvpPlace.Process(process.Kind), kvp.Key)))
        {
            var mayKind = seat.Access.May(KeyAct.Read, KvpPlace.Process(process.Kind), "kind");
            found.Add(new Found("process", "proc", wanted, $"/t/{seat.Slug}/processes/{wanted}", null, mayKind ? process.Kind : null));
        }

        if ((await events.ReadAfterAsync(seat.Tenant, number - 1, 1, cancel)).Events is [{ } one] && one.Position == number)
        {
            found.Add(new Found("event", "runs", wanted, $"/t/{seat.Slug}/arrivals/{one.Arrival}", null, one.Source));
        }

        return found;
    }

    private async Task<IEnumerable<Found>> PeopleAsync(Seat seat, string wanted, CancellationToken cancel) =>
        (await accesses.MembersAsync(seat.Tenant, cancel)).Where(member => Has(member.Address, wanted) || (member.Called is { } called && Has(called, wanted))).Take(MostOfAKind)
            .Select(member => new Found("person", "user", member.Called is { } name ? $"{name}, {member.Address}" : member.Address, $"/t/{seat.Slug}/settings/members", null, member.Role));

    private static bool Has(string name, string wanted) => name.Contains(wanted, StringComparison.OrdinalIgnoreCase);
}
