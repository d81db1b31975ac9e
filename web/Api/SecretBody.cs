using System.Text.Json;
using Eddy.Problems;
using Eddy.Secrets;

namespace Eddy.Api;

/// <summary>What a secret is set to, read from JSON and checked. What is said of faults never repeats a value.</summary>
internal sealed record SecretBody(string Value, IReadOnlyList<HostPattern> Hosts)
{
    /// <summary>The most bytes: a value may be written with escapes.</summary>
    public const int MostBytes = 128 << 10;

    private const string HalfName = "A name in the body has half a surrogate pair, or bytes that are no UTF-8.";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 3 };

    public static SecretBody? Read(byte[] json, out Problem? problem)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var errors = new List<FieldError>();
            var body = Read(document.RootElement, errors);
            problem = errors.Count == 0 ? null : new Problem(ProblemType.InvalidRequest, errors[0].Detail, errors);
            return errors.Count == 0 ? body : null;
        }
        catch (JsonException fault)
        {
            // The parser's own words repeat characters of the text, or a name.
            problem = new Problem(ProblemType.InvalidJson, """The body is not valid JSON with each name once: it takes {"value": "…", "hosts": ["api.example.com"]}.""",
                fault.LineNumber is { } line ? [new FieldError("It can not be read here.", Line: (int)line + 1)] : null);
            return null;
        }
        catch (InvalidOperationException)
        {
            problem = new Problem(ProblemType.InvalidRequest, HalfName, [new FieldError(HalfName, "")]);
            return null;
        }
    }

    private static SecretBody? Read(JsonElement root, List<FieldError> errors)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new FieldError("""The body is an object, as in {"value": "…", "hosts": ["api.example.com"]}.""", ""));
            return null;
        }

        foreach (var property in root.EnumerateObject().Where(property => !property.NameEquals("value") && !property.NameEquals("hosts")))
        {
            errors.Add(new FieldError("A secret has a value and hosts, and nothing else.", ""));
            break;
        }

        var value = root.TryGetProperty("value", out var given) ? Text(given) : null;
        if (value is null)
        {
            errors.Add(new FieldError("A secret takes a value: text without halves of surrogate pairs. It is never read back, so changing the hosts takes it again.", "/value"));
        }
        else if (Secret.ValueFault(value) is { } fault)
        {
            errors.Add(new FieldError(fault, "/value"));
        }

        var hosts = new List<HostPattern>();
        if (!root.TryGetProperty("hosts", out var list) || list.ValueKind != JsonValueKind.Array || list.GetArrayLength() is 0 or > Secret.MostHosts)
        {
            errors.Add(new FieldError($"A secret names the hosts that it is for: a list of 1 to {Secret.MostHosts}, as in [\"api.example.com\"].", "/hosts"));
            return null;
        }

        for (var i = 0; i < list.GetArrayLength(); i++)
        {
            if (Text(list[i]) is not { } text)
            {
                errors.Add(new FieldError("A host is text, as in \"api.example.com\".", $"/hosts/{i}"));
            }
            else if (HostPattern.TryParse(text, out var pattern, out var why))
            {
                hosts.Add(pattern);
            }
            else
            {
                errors.Add(new FieldError(why!, $"/hosts/{i}"));
            }
        }

        return new SecretBody(value ?? "", hosts);
    }

    private static string? Text(JsonElement element)
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
