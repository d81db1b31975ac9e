using System.Text.Json;
using System.Text.RegularExpressions;

namespace Eddy.Endpoints;

/// <summary>A function under <c>api/</c> that answers requests, as its text tells: nothing of it was executed.</summary>
/// <param name="File">As in <c>api/billing.py</c>.</param>
/// <param name="Name">The function's.</param>
/// <param name="Documentation">Its docstring, or nothing.</param>
/// <param name="Access">Who may call it, with spaces: <c>members</c>, <c>key:read</c>, <c>group:hr,board</c>. Nothing where anybody may.</param>
/// <param name="Origins">The origins whose pages may call it from a browser.</param>
/// <param name="Answer">The hint of what it returns; null where it has none.</param>
public sealed partial record EndpointInfo(
    string File, string Name, int Line, string Documentation, string Access, IReadOnlyList<string> Origins, IReadOnlyList<EndpointParameter> Parameters, string? Answer)
{
    private const int Most = 2000;

    /// <summary>As Python imports it: <c>api.billing</c>.</summary>
    public string Module => ModuleOf(File);

    /// <summary>How runs and records name it: <c>api/billing.py:paid</c>.</summary>
    public string Id => $"{File}:{Name}";

    /// <summary>Behind the tenant's origin: <c>/api/v1/billing/paid</c>.</summary>
    public string Path => $"/api/v1/{Module[4..].Replace('.', '/')}/{Name}";

    /// <summary>Anybody may call it.</summary>
    public bool IsOpen => Access.Length == 0;

    /// <summary>Reads what a cell tells, and believes nothing of it that can be checked.</summary>
    /// <exception cref="InvalidOperationException">It is not what it may be.</exception>
    internal static IReadOnlyList<EndpointInfo> Read(JsonElement told, IReadOnlySet<string> paths)
    {
        var found = new List<EndpointInfo>();
        foreach (var file in told.EnumerateArray())
        {
            var path = Text(file[0]);
            if (!paths.Contains(path) || !path.StartsWith("api/", StringComparison.Ordinal))
            {
                throw new InvalidOperationException("It tells of a file that is not there.");
            }

            foreach (var one in file[1].EnumerateArray())
            {
                var name = Text(one[0]);
                if (found.Count == Most || !Identifier().IsMatch(name))
                {
                    throw new InvalidOperationException("It has more endpoints than there may be, or one without a name.");
                }

                found.Add(new EndpointInfo(path, name, one[1].GetInt32(), Text(one[2]), Text(one[3]), [.. one[4].EnumerateArray().Select(Text)],
                    [.. one[5].EnumerateArray().Select(parameter => new EndpointParameter(Text(parameter[0]), TextOrNull(parameter[1]), parameter[2].GetBoolean()))], TextOrNull(one[6])));
            }
        }

        return [.. found.DistinctBy(one => one.Path)];
    }

    private static string ModuleOf(string file)
    {
        var module = file[..^".py".Length].Replace('/', '.');
        return module.EndsWith(".__init__", StringComparison.Ordinal) ? module[..^".__init__".Length] : module;
    }

    private static string Text(JsonElement text) => text.GetString() is { Length: <= 4000 } read ? read : throw new InvalidOperationException("A text is missing or too long.");

    private static string? TextOrNull(JsonElement text) => text.ValueKind == JsonValueKind.Null ? null : Text(text);

    [GeneratedRegex(@"^[^\W\d]\w{0,199}$")]
    private static partial Regex Identifier();
}

/// <summary>What an endpoint takes by name, from the address, a form or JSON.</summary>
/// <param name="Hint">Its type hint as text; null where it has none.</param>
/// <param name="IsNeeded">It has no default.</param>
public sealed record EndpointParameter(string Name, string? Hint, bool IsNeeded);
