using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Eddy.Kvps;

/// <summary>The name of a KVP: case-sensitive text of 1 to 128 characters (code points) without control characters.</summary>
public static class KvpKey
{
    public const int MaxCharacters = 128;

    /// <summary>A sentence that names what is wrong with this key, or null where nothing is.</summary>
    public static string? Fault(string key)
    {
        if (key.Length == 0)
        {
            return "A key has at least one character.";
        }

        var characters = 0;
        for (var i = 0; i < key.Length; i++, characters++)
        {
            var c = key[i];
            if (char.IsControl(c))
            {
                return $"A key has no control characters; this one has U+{(int)c:X4} at character {characters + 1}.";
            }

            if (char.IsSurrogate(c))
            {
                if (!char.IsHighSurrogate(c) || i + 1 == key.Length || !char.IsLowSurrogate(key[i + 1]))
                {
                    return $"A key is valid Unicode; this one has half a surrogate pair (U+{(int)c:X4}) at character {characters + 1}.";
                }

                i++;
            }
        }

        return characters > MaxCharacters ? $"A key has at most {MaxCharacters} characters; this one has {characters:N0}." : null;
    }

    /// <summary>Reads the property name on which the reader stands, and checks it.</summary>
    public static bool TryRead(ref Utf8JsonReader reader, [NotNullWhen(true)] out string? key, [NotNullWhen(false)] out KvpFault? fault)
    {
        if (!JsonText.TryGetString(ref reader, out key, out fault))
        {
            fault = fault with { Kind = fault.Kind == KvpFaultKind.Malformed ? KvpFaultKind.Malformed : KvpFaultKind.Key };
            return false;
        }

        if (Fault(key) is { } detail)
        {
            key = null;
            fault = new KvpFault(KvpFaultKind.Key, detail);
            return false;
        }

        return true;
    }
}
