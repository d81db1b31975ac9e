using System.Text.Json.Serialization;

namespace Eddy.Rules;

/// <summary>
/// What is wrong at a place of a file, as an editor shows it. Lines and columns count from 1; columns are UTF-16 units, as in editors, and the end is the place after the last one.
/// </summary>
/// <param name="Severity"><see cref="Error"/> keeps the file out of force; <see cref="Warning"/> does not.</param>
/// <param name="Code">The kind, which stays the same: <c>unknown-name</c>.</param>
/// <param name="Message">What, and how to mend it.</param>
/// <param name="Fix">What mends it, where that is known.</param>
public sealed record Finding(string Severity, string Code, int Line, int Column, int EndLine, int EndColumn, string Message, FindingFix? Fix)
{
    public const string Error = "error";

    public const string Warning = "warning";

    [JsonIgnore]
    public bool IsError => Severity == Error;
}

/// <summary>A text that takes the place of another, from a line and column up to, and without, an end.</summary>
public sealed record FindingFix(int Line, int Column, int EndLine, int EndColumn, string Text);
