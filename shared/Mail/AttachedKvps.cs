using System.Text;
using Eddy.Access;
using Eddy.Kvps;

namespace Eddy.Mail;

/// <summary>Which KVPs of its process go along with a mail: those that each of its receivers may read.</summary>
/// <param name="accesses">What each receiver may.</param>
public sealed class AttachedKvps(IReadOnlyDictionary<string, ActorAccess> accesses)
{
    /// <summary>As JSON. What goes beyond, in the order of the keys, is left out.</summary>
    public const int MostCharacters = 256 << 10;

    /// <summary>A JSON object; null where nothing goes along.</summary>
    public string? For(IReadOnlyList<string> receivers, IReadOnlyDictionary<string, string> kvps)
    {
        // Who is in the same groups may read the same.
        var readers = receivers.Select(receiver => accesses[receiver]).DistinctBy(access => string.Join(',', access.Groups)).ToList();
        var place = KvpPlace.Process(kvps.TryGetValue(KvpPlace.KindKey, out var kind) ? KvpLookup.Of(kind).Txt : null);
        var json = new StringBuilder("{");
        foreach (var (key, value) in kvps.Where(kvp => readers.TrueForAll(reader => reader.May(KeyAct.Read, place, kvp.Key))).OrderBy(kvp => kvp.Key, StringComparer.Ordinal))
        {
            if (json.Length + key.Length + value.Length <= MostCharacters)
            {
                json.Append(json.Length > 1 ? "," : "").Append(KvpValue.FromText(key)).Append(':').Append(value);
            }
        }

        return json.Length > 1 ? json.Append('}').ToString() : null;
    }
}
