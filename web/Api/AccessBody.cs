using System.Text.Json;
using Eddy.Access;
using Eddy.People;
using Eddy.Problems;

namespace Eddy.Api;

/// <summary>A group or an entry as it is sent: read from JSON and checked.</summary>
internal static class AccessBody
{
    /// <summary>The most bytes: a thousand addresses.</summary>
    public const int MostBytes = 512 << 10;

    private const string HalfName = "A name in the body has half a surrogate pair, or bytes that are no UTF-8.";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 4 };

    /// <summary>The addresses and persons of a group; null where there is a problem.</summary>
    public static (HashSet<string> Addresses, HashSet<Guid> People)? ReadGroup(byte[] json, out Problem? problem) =>
        Read(json, """{"members": ["ann@acme.test"]}""", out problem, (root, errors) =>
        {
            Only(root, errors, "A group has members, and nothing else.", "members");
            var (addresses, people) = (new HashSet<string>(StringComparer.Ordinal), new HashSet<Guid>());
            var list = List(root, "members", AccessStore.MostMembers, errors, $"A group has a list of at most {AccessStore.MostMembers} members: mail addresses, or the ids of people who belong to the tenant.");
            for (var i = 0; i < list.Count; i++)
            {
                if (Guid.TryParse(list[i], out var person))
                {
                    people.Add(person);
                }
                else if (list[i] is { } text && MailAddress.TryRead(text, out var address))
                {
                    addresses.Add(address);
                }
                else
                {
                    errors.Add(new FieldError("A member is a mail address, as in \"ann@acme.test\", or the id of somebody who belongs to the tenant.", $"/members/{i}"));
                }
            }

            return ((HashSet<string>, HashSet<Guid>)?)(addresses, people);
        });

    /// <summary>An entry without its number; null where there is a problem.</summary>
    public static AccessEntry? ReadEntry(byte[] json, out Problem? problem) =>
        Read(json, """{"group": "sales", "may": ["read", "set"], "keys": ["order_*"], "kind": "invoice"}""", out problem, (root, errors) =>
        {
            Only(root, errors, "An entry has group, may, keys, kind and shared, and nothing else.", "group", "may", "keys", "kind", "shared");
            var group = Text(root, "group");
            if (group is null || (!AccessGroup.IsReserved(group) && AccessGroup.NameFault(group) is not null))
            {
                errors.Add(new FieldError("An entry names the group that it is for, as in \"sales\".", "/group"));
            }

            var acts = List(root, "may", 2, errors, "An entry says what may be done: \"may\" is a list of read, set, or both.");
            if (acts.Count == 0 || acts.Any(act => act is not ("read" or "set")))
            {
                errors.Add(new FieldError("An entry says what may be done: \"may\" is a list of read, set, or both.", "/may"));
            }

            var keys = new List<NamePattern>();
            var texts = List(root, "keys", AccessEntry.MostKeys, errors, $"An entry names its keys: a list of 1 to {AccessEntry.MostKeys}, as in [\"order_*\", \"note\"].");
            for (var i = 0; i < texts.Count; i++)
            {
                keys.Add(Pattern(texts[i], $"/keys/{i}", errors));
            }

            if (texts.Count == 0)
            {
                errors.Add(new FieldError($"An entry names its keys: a list of 1 to {AccessEntry.MostKeys}, as in [\"order_*\", \"note\"].", "/keys"));
            }

            var isShared = root.TryGetProperty("shared", out var shared) && shared.ValueKind == JsonValueKind.True;
            if (!isShared && shared.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.False))
            {
                errors.Add(new FieldError("\"shared\" is true for an entry about the shared KVPs, else false or not there.", "/shared"));
            }

            var kind = root.TryGetProperty("kind", out var given) && given.ValueKind != JsonValueKind.Null ? Pattern(TextOf(given), "/kind", errors) : null;
            if (isShared && kind is not null)
            {
                errors.Add(new FieldError("The shared KVPs have no kind: an entry about them says nothing of one.", "/kind"));
            }

            // All kinds are all processes, those without one too.
            return new AccessEntry(0, group ?? "", acts.Contains("read"), acts.Contains("set"), keys, kind == NamePattern.All ? null : kind, isShared);
        });

    private static T? Read<T>(byte[] json, string example, out Problem? problem, Func<JsonElement, List<FieldError>, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var errors = new List<FieldError>();
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                errors.Add(new FieldError($"The body is an object, as in {example}.", ""));
            }

            var body = errors.Count == 0 ? read(document.RootElement, errors) : default;
            problem = errors.Count == 0 ? null : new Problem(ProblemType.InvalidRequest, errors[0].Detail, errors);
            return errors.Count == 0 ? body : default;
        }
        catch (JsonException fault)
        {
            problem = new Problem(ProblemType.InvalidJson, $"The body is not valid JSON with each name once: it takes {example}.",
                fault.LineNumber is { } line ? [new FieldError("It can not be read here.", Line: (int)line + 1)] : null);
            return default;
        }
        catch (InvalidOperationException)
        {
            problem = new Problem(ProblemType.InvalidRequest, HalfName, [new FieldError(HalfName, "")]);
            return default;
        }
    }

    private static void Only(JsonElement root, List<FieldError> errors, string detail, params string[] names)
    {
        if (root.EnumerateObject().Any(property => !names.Contains(property.Name)))
        {
            errors.Add(new FieldError(detail, ""));
        }
    }

    /// <summary>Texts; null for each that is none.</summary>
    private static List<string?> List(JsonElement root, string name, int most, List<FieldError> errors, string detail)
    {
        if (!root.TryGetProperty(name, out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() > most)
        {
            errors.Add(new FieldError(detail, "/" + name));
            return [];
        }

        return [.. list.EnumerateArray().Select(TextOf)];
    }

    private static NamePattern Pattern(string? text, string pointer, List<FieldError> errors)
    {
        var fault = "A pattern is text, as in \"order_*\".";
        if (text is not null && NamePattern.TryParse(text, out var pattern, out fault))
        {
            return pattern;
        }

        errors.Add(new FieldError(fault!, pointer));
        return NamePattern.All;
    }

    private static string? Text(JsonElement root, string name) => root.TryGetProperty(name, out var given) ? TextOf(given) : null;

    private static string? TextOf(JsonElement element)
    {
        try
        {
            return element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, or bytes that are no UTF-8.
            return null;
        }
    }
}
