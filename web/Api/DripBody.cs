using System.Text;
using System.Text.Json;
using Eddy.Ingest;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Schedules;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>What a drip is written as: JSON, not yet checked for what its texts mean. What is absent is null.</summary>
internal sealed record DripBody(string? Cron, string? Kvps, string? TimeZone, bool IsOn)
{
    /// <summary>The most bytes: the text may be written with escapes.</summary>
    public const int MostBytes = 8 * Drip.MostTextBytes;

    private const string Form = """{"cron": "30 2 * * *", "kvps": "report := daily", "timeZone": "Europe/Berlin", "on": true}""";

    private const string HalfName = "A name in the body has half a surrogate pair, or bytes that are no UTF-8.";

    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false, MaxDepth = 3 };

    /// <param name="takesOn">Whether it may be said whether it is on.</param>
    public static DripBody? Read(byte[] json, bool takesOn, out Problem? problem)
    {
        try
        {
            using var document = JsonDocument.Parse(json, Strict);
            var errors = new List<FieldError>();
            var body = Read(document.RootElement, takesOn, errors);
            problem = errors.Count == 0 ? null : Invalid(errors);
            return errors.Count == 0 ? body : null;
        }
        catch (JsonException fault)
        {
            problem = new Problem(ProblemType.InvalidJson, $"The body is not valid JSON with each name once: it takes {Form}.", [new FieldError(KvpValue.MalformedJson(fault), Line: (int)(fault.LineNumber ?? 0) + 1)]);
            return null;
        }
        catch (InvalidOperationException)
        {
            problem = new Problem(ProblemType.InvalidRequest, HalfName, [new FieldError(HalfName, "")]);
            return null;
        }
    }

    /// <summary>The drip that it means, or everything that is wrong with it.</summary>
    public NewDrip? ToDrip(DoorOptions limits, out Problem? problem)
    {
        var errors = new List<FieldError>();
        Cadence? cadence = null;
        if (Cron is null)
        {
            errors.Add(new FieldError("A drip says when it runs, in five fields of cron, as in 30 2 * * *.", "/cron"));
        }
        else if (!Cadence.TryParse(Cron, out cadence, out var fault))
        {
            errors.Add(new FieldError(fault.Detail, "/cron"));
        }

        if (TimeZone is not null && Tenant.TimeZoneFault(TimeZone) is { } zoneFault)
        {
            errors.Add(new FieldError(zoneFault, "/timeZone"));
        }

        var changes = ReadKvps(limits, out var faults);
        errors.AddRange(faults.Select(fault => new FieldError(fault.Message, "/kvps", fault.Line)));
        problem = errors.Count == 0 ? null : Invalid(errors);
        return errors.Count == 0 ? new NewDrip(cadence!, TimeZone, Kvps!, changes, IsOn) : null;
    }

    /// <summary>The KVPs that the text comes to, and what is wrong with it.</summary>
    public IReadOnlyList<Change> ReadKvps(DoorOptions limits, out IReadOnlyList<DripFault> faults)
    {
        const int mostFaults = 20;
        var text = Kvps ?? "";
        if (Encoding.UTF8.GetByteCount(text) > Drip.MostTextBytes)
        {
            faults = [new DripFault("kvps", 1, 1, $"The text of a drip has at most {Drip.MostTextBytes:N0} bytes.")];
            return [];
        }

        var (changes, wrong) = KvpText.ReadAll(text, mostFaults, limits.ValueBytes);
        // A late run brings two more.
        faults = wrong.Count > 0 ? [.. wrong.Select(fault => new DripFault("kvps", fault.Line, fault.Column, fault.Key is null ? fault.Fault.Detail : $"“{fault.Key}”: {fault.Fault.Detail}"))]
            : Drip.ChangesFault(changes, limits.Kvps - 2) is { } why ? [new DripFault("kvps", 1, 1, why)]
            : [];
        return changes;
    }

    private static DripBody? Read(JsonElement root, bool takesOn, List<FieldError> errors)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            errors.Add(new FieldError($"The body is an object, as in {Form}.", ""));
            return null;
        }

        foreach (var property in root.EnumerateObject().Where(property => property.Name is not ("cron" or "kvps" or "timeZone") && !(takesOn && property.Name == "on")))
        {
            errors.Add(new FieldError($"A drip has cron, kvps, timeZone{(takesOn ? " and on" : "")}, and nothing else.", Refusal.Segment(property.Name)));
            break;
        }

        var isOn = true;
        if (takesOn && root.TryGetProperty("on", out var on))
        {
            if (on.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            {
                errors.Add(new FieldError("'on' is true or false.", "/on"));
            }

            isOn = on.ValueKind == JsonValueKind.True;
        }

        return new DripBody(Text(root, "cron", errors), Text(root, "kvps", errors), Text(root, "timeZone", errors), isOn);
    }

    private static string? Text(JsonElement root, string name, List<FieldError> errors)
    {
        if (!root.TryGetProperty(name, out var given) || given.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        try
        {
            if (given.ValueKind == JsonValueKind.String && given.GetString() is { } text && !text.Contains('\0'))
            {
                return text;
            }
        }
        catch (InvalidOperationException)
        {
            // Half a surrogate pair, or bytes that are no UTF-8.
        }

        errors.Add(new FieldError($"'{name}' is text without NUL (U+0000) and without halves of surrogate pairs.", "/" + name));
        return null;
    }

    private static Problem Invalid(List<FieldError> errors) => new(ProblemType.InvalidRequest, errors[0].Detail, errors);
}

/// <summary>What is wrong with a drip as it is being written.</summary>
/// <param name="Field"><c>cron</c>, <c>kvps</c> or <c>timeZone</c>.</param>
/// <param name="Line">Counted from 1.</param>
/// <param name="Column">Counted from 1, in UTF-16 units.</param>
public sealed record DripFault(string Field, int Line, int Column, string Message);
