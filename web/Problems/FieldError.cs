using System.Text.Json.Serialization;

namespace Eddy.Problems;

/// <summary>What is wrong at one place of a request.</summary>
/// <param name="Pointer">Where, as a JSON Pointer from the body's root (of a line: from that line's); null where only the line is known.</param>
/// <param name="Line">The line of the body, counted from 1, where it has lines that count.</param>
public sealed record FieldError(
    string Detail,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Pointer = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? Line = null);
