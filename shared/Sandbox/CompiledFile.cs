using System.Text.Json;
using System.Text.RegularExpressions;
using Eddy.Rules;

namespace Eddy.Sandbox;

/// <summary>What a cell says of a file that it has not executed.</summary>
/// <param name="Findings">In the order of their places. With an error the file does not come into force.</param>
/// <param name="Rules">Its rules, as far as their text says.</param>
public sealed partial record CompiledFile(IReadOnlyList<Finding> Findings, IReadOnlyList<RuleLook> Rules)
{
    private const int MostFindings = 200;
    private const int MostRules = 10_000;
    private const int MostKeys = 20_000;
    private const int MostMessage = 3000;
    private const int MostFix = 4000;
    private const int MostName = 1000;

    /// <summary>The file is in no cell's power.</summary>
    internal static CompiledFile Ended(string message) =>
        new([new Finding(Finding.Error, "not-compiled", 1, 1, 1, 1, $"The file could not be compiled. {message}", null)], []);

    /// <exception cref="CellLied">It is not what a cell says.</exception>
    internal static CompiledFile Read(JsonElement findings, JsonElement rules)
    {
        if (findings.GetArrayLength() > MostFindings || rules.GetArrayLength() > MostRules)
        {
            throw new CellLied("It found more than there may be.");
        }

        var keys = 0;
        return new CompiledFile([.. findings.EnumerateArray().Select(ReadFinding)], [.. rules.EnumerateArray().Select(rule => ReadRule(rule, ref keys))]);
    }

    private static Finding ReadFinding(JsonElement finding)
    {
        var severity = Text(finding[0], MostName);
        var code = Text(finding[1], MostName);
        if (severity is not (Finding.Error or Finding.Warning) || !Code().IsMatch(code))
        {
            throw new CellLied("It found what there is no name for.");
        }

        var fix = finding[7];
        return new Finding(
            severity, code, Place(finding[2]), Place(finding[3]), Place(finding[4]), Place(finding[5]), Text(finding[6], MostMessage),
            fix.ValueKind == JsonValueKind.Null ? null : new FindingFix(Place(fix[0]), Place(fix[1]), Place(fix[2]), Place(fix[3]), Text(fix[4], MostFix)));
    }

    private static RuleLook ReadRule(JsonElement rule, ref int keys) => new(
        Text(rule[0], MostName), Place(rule[1]), Place(rule[2]), rule[3].ValueKind == JsonValueKind.Null ? null : Keys(rule[3], ref keys),
        rule[4].ValueKind == JsonValueKind.Null ? null : Text(rule[4], MostName), Keys(rule[5], ref keys), Keys(rule[6], ref keys), Keys(rule[7], ref keys), rule[8].GetBoolean(), rule[9].GetBoolean());

    private static IReadOnlyList<string> Keys(JsonElement names, ref int keys)
    {
        if ((keys += names.GetArrayLength()) > MostKeys)
        {
            throw new CellLied("Its rules have more keys than there may be.");
        }

        return [.. names.EnumerateArray().Select(name => Text(name, MostName))];
    }

    private static string Text(JsonElement text, int most) =>
        text.GetString() is { } read && read.Length <= most && !read.Contains('\0', StringComparison.Ordinal) ? read : throw new CellLied("Text is missing, too long, or has NUL in it.");

    private static int Place(JsonElement number) => number.GetInt32() is > 0 and var place ? place : throw new CellLied("A place counts from 1.");

    [GeneratedRegex("^[a-z][a-z0-9-]{1,49}$")]
    private static partial Regex Code();
}
