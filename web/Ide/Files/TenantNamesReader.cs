using System.Text.RegularExpressions;
using Eddy.Access;
using Eddy.Events;
using Eddy.Files;
using Eddy.Identity;
using Eddy.Processes;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Secrets;

namespace Eddy.Ide.Files;

/// <summary>Gathers the names of a tenant for one of its people: of KVPs what they may read, of secrets the names where they may change rules.</summary>
public sealed partial class TenantNamesReader(LanguageNames language, FileStore files, FileKeeper keeper, EventStore events, ProcessStore processes, SecretStore secrets)
{
    private const string Libraries = "libraries/";

    public async Task<TenantNames> ReadAsync(Seat seat, CancellationToken cancel)
    {
        var tree = (await files.ReadTreeAsync(seat.Tenant, cancel)).Files.Where(file => file.Path.StartsWith(Libraries, StringComparison.Ordinal)).ToList();
        return new TenantNames(
            language,
            await KeysAsync(seat, cancel),
            [.. tree.Select(file => ModuleOf(file.Path)).Distinct()],
            [.. tree.SelectMany(file => ModelsOf(ModuleOf(file.Path), file.Text))],
            seat.MayChangeRules ? [.. (await secrets.ListAsync(seat.Tenant, cancel)).Select(secret => secret.Name)] : [],
            seat.Zone);
    }

    private async Task<IReadOnlyList<KnownKey>> KeysAsync(Seat seat, CancellationToken cancel)
    {
        var (writers, readers) = (new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal), new Dictionary<string, SortedSet<string>>(StringComparer.Ordinal));
        foreach (var rule in await RulesAsync(seat, cancel))
        {
            Note(writers, rule.Look.Writes, rule.Id);
            Note(readers, [.. rule.Look.Reads, .. rule.Look.ListensTo ?? []], rule.Id);
        }

        var latest = await events.LatestAsync(seat.Tenant, cancel);
        var kinds = seat.MayAll ? new Dictionary<long, string?>() : await processes.KindsAsync(seat.Tenant, [.. latest.Select(one => one.Pid).Where(pid => pid > 0).Distinct()], cancel);
        var values = latest.Where(one => seat.Access.May(KeyAct.Read, one.Pid == 0 ? KvpPlace.Shared : KvpPlace.Process(kinds.GetValueOrDefault(one.Pid)), one.Key))
            .ToDictionary(one => one.Pid == 0 ? $"shared.{one.Key}" : one.Key, StringComparer.Ordinal);
        return
        [
            .. writers.Keys.Concat(readers.Keys).Concat(values.Keys).Distinct().Order(StringComparer.Ordinal).Select(key => new KnownKey(
                key, values.GetValueOrDefault(key)?.Value, values.GetValueOrDefault(key)?.Pid, values.GetValueOrDefault(key)?.At,
                [.. writers.GetValueOrDefault(key) ?? []], [.. readers.GetValueOrDefault(key) ?? []])),
        ];
    }

    private async Task<IReadOnlyList<PlacedRule>> RulesAsync(Seat seat, CancellationToken cancel)
    {
        try
        {
            return await keeper.RulesAsync(seat.Tenant, cancel);
        }
        catch (SandboxUnavailable)
        {
            // Names are an aid: there are fewer of them for a while.
            return [];
        }
    }

    private static void Note(Dictionary<string, SortedSet<string>> who, IEnumerable<string> keys, string rule)
    {
        foreach (var key in keys)
        {
            var at = key.IndexOf('.', StringComparison.Ordinal);
            var name = at > 0 && key[..at] is "parent" or "child" or "new_child" or "process" ? key[(at + 1)..] : key;
            if (name != "*")
            {
                (who.TryGetValue(name, out var known) ? known : who[name] = new SortedSet<string>(StringComparer.Ordinal)).Add(rule);
            }
        }
    }

    private static string ModuleOf(string path)
    {
        var name = path[Libraries.Length..^".py".Length].Replace('/', '.');
        return name.EndsWith(".__init__", StringComparison.Ordinal) ? name[..^".__init__".Length] : name;
    }

    private static IEnumerable<KnownModel> ModelsOf(string module, string text) =>
        ModelClass().Matches(text).Select(found => new KnownModel(module, found.Groups[1].Value, [.. Field().Matches(found.Groups[2].Value).Select(field => field.Groups[1].Value)]));

    [GeneratedRegex(@"^class\s+(\w+)\s*\([^)\n]*Model\)\s*:[^\n]*\n((?:[ \t]+[^\n]*\n?|\n)*)", RegexOptions.Multiline)]
    private static partial Regex ModelClass();

    [GeneratedRegex(@"^[ \t]+(\w+)\s*=\s*(?:NebriOS)?(?:Field|Reference|ReferenceList)\(", RegexOptions.Multiline)]
    private static partial Regex Field();
}
