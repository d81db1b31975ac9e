using System.Text;

namespace Eddy.Mail;

/// <summary>Which KVPs of its process go along with a mail: those that each of its receivers may see.</summary>
/// <param name="members">Those of the receivers who are members of the tenant.</param>
public sealed class AttachedKvps(IReadOnlySet<string> members)
{
    /// <summary>As JSON. What goes beyond, in the order of the keys, is left out.</summary>
    public const int MostCharacters = 256 << 10;

    private static readonly Dictionary<string, string> None = [];

    /// <summary>A JSON object; null where nothing goes along.</summary>
    public string? For(IReadOnlyList<string> receivers, IReadOnlyDictionary<string, string> kvps)
    {
        var visible = receivers.Select(receiver => Visible(kvps, receiver)).ToList();
        var json = new StringBuilder("{");
        foreach (var (key, value) in kvps.Where(kvp => visible.TrueForAll(seen => seen.ContainsKey(kvp.Key))).OrderBy(kvp => kvp.Key, StringComparer.Ordinal))
        {
            if (json.Length + key.Length + value.Length <= MostCharacters)
            {
                json.Append(json.Length > 1 ? "," : "").Append(Kvps.KvpValue.FromText(key)).Append(':').Append(value);
            }
        }

        return json.Length > 1 ? json.Append('}').ToString() : null;
    }

    /// <summary>The KVPs of a process that a receiver of mail may see. The one place where that is decided: members see all, others none.</summary>
    public IReadOnlyDictionary<string, string> Visible(IReadOnlyDictionary<string, string> kvps, string receiver) => members.Contains(receiver) ? kvps : None;
}
