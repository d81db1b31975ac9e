using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>The refusals that several formats share.</summary>
internal static class Refusal
{
    public static BodyRefused Of(ProblemType type, string detail, string? pointer = null, int? line = null) =>
        new(type, detail, pointer is null && line is null ? [] : [new FieldError(detail, pointer, line)]);

    /// <summary>A fault of a key or a value.</summary>
    /// <param name="malformed">The problem of a body of this format that does not parse.</param>
    /// <param name="within">The JSON Pointer of what the fault's own pointer is about; null where the format knows lines alone.</param>
    public static BodyRefused Of(KvpFault fault, ProblemType malformed, string? key, string? within, int? line = null)
    {
        var type = fault.Kind switch
        {
            KvpFaultKind.Malformed => malformed,
            KvpFaultKind.Key => ProblemType.InvalidKey,
            KvpFaultKind.Value => ProblemType.InvalidValue,
            _ => ProblemType.ValueTooLarge,
        };
        var detail = key is null ? fault.Detail : $"{Shown(key)}: {fault.Detail}";
        var pointer = within is null ? null : within + fault.Pointer;
        return new BodyRefused(type, detail, pointer is null && line is null ? [] : [new FieldError(fault.Detail, pointer, line)]);
    }

    public static BodyRefused TooManyKvps(IngestLimits limits, string? pointer = null, int? line = null) =>
        Of(ProblemType.TooMany, $"One process takes at most {limits.KvpsPerProcess:N0} KVPs at a time.", pointer, line);

    public static BodyRefused TooManyElements(IngestLimits limits) =>
        Of(ProblemType.TooMany, $"One body takes at most {limits.Elements:N0} processes.");

    public static BodyRefused Empty(string detail, string? pointer = null, int? line = null) => Of(ProblemType.NothingToSet, detail, pointer, line);

    public static BodyRefused Twice(ProblemType malformed, string key, string? pointer, int? line = null) =>
        Of(malformed, $"{Shown(key)} is there twice.", pointer, line);

    /// <summary>A name as one segment of a JSON Pointer.</summary>
    public static string Segment(string name) => $"/{name.Replace("~", "~0").Replace("/", "~1")}";

    // Long names are cut: the answer is not the place for them.
    private static string Shown(string key) => key.Length > 64 ? $"“{key[..63]}…”" : $"“{key}”";
}
