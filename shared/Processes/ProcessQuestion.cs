using System.Globalization;
using System.Text.Json;
using Eddy.Kvps;

namespace Eddy.Processes;

/// <summary>What a run asks of the tenant's processes: <c>Process.objects</c> as the host sees it. Made from what a cell told, and checked.</summary>
/// <param name="Where">All of these hold.</param>
/// <param name="Order">Keys to order by, the first first; <c>PROCESS_ID</c> among them or not. Then by rising PID.</param>
/// <param name="Offset">How many of those that match are left out at the beginning.</param>
/// <param name="Limit">How many are given at most.</param>
/// <param name="IsCount">Only how many match is asked.</param>
public sealed record ProcessQuestion(IReadOnlyList<ProcessClause> Where, IReadOnlyList<(string Key, bool Descending)> Order, int Offset, int Limit, bool IsCount)
{
    /// <summary>As many processes are given at once, at most.</summary>
    public const int MostLimit = 1000;

    private const int MostConditions = 100;
    private const int MostOperands = 1000;
    private const int MostOffset = 100_000_000;

    /// <summary>Reads <c>{"where":[[negated,[[key,operation,operand],…]],…],"order":[[key,descending],…],"offset":…,"limit":…,"count":true}</c>.</summary>
    /// <exception cref="FormatException">It is not that.</exception>
    public static ProcessQuestion Read(JsonElement json)
    {
        var conditions = 0;
        var where = json.GetProperty("where").EnumerateArray().Select(clause => new ProcessClause(
            clause[0].GetBoolean(),
            [.. clause[1].EnumerateArray().Select(one => ++conditions <= MostConditions ? ProcessCondition.Read(one) : throw new FormatException($"A query has {MostConditions} conditions at the most."))])).ToList();
        var order = json.TryGetProperty("order", out var keys) ? keys.EnumerateArray().Select(key => (Text(key[0]), key[1].GetBoolean())).ToList() : [];
        if (order.Count > 10)
        {
            throw new FormatException("A query is ordered by 10 keys at the most.");
        }

        return new ProcessQuestion(where, order, Number("offset", 0, MostOffset), Number("limit", MostLimit, MostLimit), json.TryGetProperty("count", out var count) && count.GetBoolean());

        int Number(string name, int otherwise, int most) =>
            !json.TryGetProperty(name, out var value) ? otherwise : value.GetInt32() is >= 0 and var number && number <= most ? number : throw new FormatException($"{name} is from 0 to {most}.");
    }

    internal static string Text(JsonElement json) =>
        json.GetString() is { } text && KvpKey.Fault(text) is null ? text : throw new FormatException("That is no key.");

    internal static IReadOnlyList<string> Operands(JsonElement json) =>
        json.GetArrayLength() <= MostOperands ? [.. json.EnumerateArray().Select(Canonical)] : throw new FormatException($"in takes {MostOperands} values at the most.");

    internal static string Canonical(JsonElement json) =>
        KvpValue.TryCanonical(System.Text.Encoding.UTF8.GetBytes(json.GetRawText()), out var canonical, out var fault, int.MaxValue) ? canonical : throw new FormatException($"A value is no value: {fault}.");
}

/// <summary>Conditions that hold together, or, negated, do not.</summary>
public sealed record ProcessClause(bool Negated, IReadOnlyList<ProcessCondition> Conditions);

/// <summary>What is asked of one KVP.</summary>
/// <param name="Key">Its key, or <c>PROCESS_ID</c> for the process's number.</param>
/// <param name="Operands">Canonical JSON: one, but for <see cref="Comparison.In"/>.</param>
public sealed record ProcessCondition(string Key, Comparison Comparison, IReadOnlyList<string> Operands)
{
    internal static ProcessCondition Read(JsonElement json)
    {
        var key = ProcessQuestion.Text(json[0]);
        var comparison = json[1].GetString() switch
        {
            "eq" => Comparison.Equal,
            "ne" => Comparison.NotEqual,
            "lt" => Comparison.Less,
            "lte" => Comparison.LessOrEqual,
            "gt" => Comparison.Greater,
            "gte" => Comparison.GreaterOrEqual,
            "in" => Comparison.In,
            "contains" => Comparison.Contains,
            "startswith" => Comparison.StartsWith,
            "isnull" => Comparison.IsNull,
            var other => throw new FormatException($"There is no comparison '{other}'."),
        };
        var operands = comparison == Comparison.In ? ProcessQuestion.Operands(json[2]) : [ProcessQuestion.Canonical(json[2])];
        if (key == "PROCESS_ID" && !operands.All(operand => long.TryParse(operand, NumberStyles.None, CultureInfo.InvariantCulture, out _)))
        {
            throw new FormatException("A process's number is a whole number.");
        }

        return new ProcessCondition(key, comparison, operands);
    }
}

/// <summary>How a KVP is compared. One that is not there is as one that is null.</summary>
public enum Comparison
{
    /// <summary>The same value; numbers by their worth, whatever their type.</summary>
    Equal,

    /// <summary>Not <see cref="Equal"/>: also where there is none.</summary>
    NotEqual,

    /// <summary>Numbers by worth, dates and date-times by moment, text by its characters' code points; of another kind than the operand: no.</summary>
    Less,

    /// <summary>As <see cref="Less"/>.</summary>
    LessOrEqual,

    /// <summary>As <see cref="Less"/>.</summary>
    Greater,

    /// <summary>As <see cref="Less"/>.</summary>
    GreaterOrEqual,

    /// <summary><see cref="Equal"/> to one of them.</summary>
    In,

    /// <summary>A text within a text, or a value within a list.</summary>
    Contains,

    /// <summary>The beginning of a text.</summary>
    StartsWith,

    /// <summary>Whether it is null or not there; the operand is <c>true</c> or <c>false</c>.</summary>
    IsNull,
}
