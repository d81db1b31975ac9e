using System.Globalization;
using Eddy.Kvps;
using Eddy.Processes;
using Fluid.Values;

namespace Eddy.Pages;

/// <summary>
/// Which processes a template lists: <c>kind: "reading" temperature__gt: 90 order: "-PROCESS_ID" limit: 20</c>, with the same comparisons as <c>Process.objects.filter</c>. Without an order the newest are
/// first.
/// </summary>
internal static class PageQuestion
{
    public const int Limit = 20;

    /// <summary>Of one list.</summary>
    public const int MostLimit = 200;

    private const string Pid = "PROCESS_ID";

    private static readonly Dictionary<string, Comparison> Comparisons = new(StringComparer.Ordinal)
    {
        ["lt"] = Comparison.Less, ["lte"] = Comparison.LessOrEqual, ["gt"] = Comparison.Greater, ["gte"] = Comparison.GreaterOrEqual, ["ne"] = Comparison.NotEqual, ["in"] = Comparison.In,
        ["contains"] = Comparison.Contains, ["startswith"] = Comparison.StartsWith, ["isnull"] = Comparison.IsNull,
    };

    public static ProcessQuestion Of(IReadOnlyList<(string Name, FluidValue Value)> arguments, int most)
    {
        var conditions = new List<ProcessCondition>();
        var order = new List<(string, bool)>();
        var (limit, offset) = (Math.Min(Limit, most), 0);
        foreach (var (name, value) in arguments)
        {
            switch (name)
            {
                case "order":
                    order.AddRange(value.ToStringValue().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(Order));
                    break;
                case "limit":
                    limit = Number(name, value, MostLimit);
                    break;
                case "offset":
                    offset = Number(name, value, 100_000);
                    break;
                default:
                    conditions.Add(Condition(name, value));
                    break;
            }
        }

        if (order.Count == 0)
        {
            order.Add((Pid, true));
        }

        return order.Count > 4
            ? throw new PageFault("A list is ordered by 4 keys at the most.")
            : new ProcessQuestion([new ProcessClause(false, conditions)], order, offset, Math.Min(limit, most), false);
    }

    /// <summary>The keys whose changes may change the list.</summary>
    public static IEnumerable<string> Keys(ProcessQuestion question)
    {
        var named = question.Where.SelectMany(clause => clause.Conditions).Select(condition => condition.Key).Concat(question.Order.Select(key => key.Key)).Where(key => key != Pid).Distinct().ToList();
        // A reference named x may be kept as x_id.
        return named.Concat(named.Select(key => key + "_id"));
    }

    /// <summary>What is wrong with the name of an argument, or null.</summary>
    public static string? NameFault(string name) =>
        name is "order" or "limit" or "offset" ? null
        : KvpKey.Fault(KeyOf(name, out var comparison)) is { } fault ? fault
        : comparison is null && name.Contains("__", StringComparison.Ordinal) && !name.EndsWith("__", StringComparison.Ordinal)
            ? $"There is no comparison '{name[(name.LastIndexOf("__", StringComparison.Ordinal) + 2)..]}'. There are {string.Join(", ", Comparisons.Keys.Select(one => "__" + one))}."
            : null;

    private static string KeyOf(string name, out Comparison? comparison)
    {
        var at = name.LastIndexOf("__", StringComparison.Ordinal);
        comparison = at > 0 && Comparisons.TryGetValue(name[(at + 2)..], out var known) ? known : null;
        var key = comparison is null ? name : name[..at];
        return key is "pid" ? Pid : key;
    }

    private static ProcessCondition Condition(string name, FluidValue value)
    {
        if (NameFault(name) is { } fault)
        {
            throw new PageFault(fault);
        }

        var key = KeyOf(name, out var comparison);
        IReadOnlyList<string> operands = comparison switch
        {
            Comparison.In => [.. (value is ArrayValue list ? list.Values : value.ToStringValue().Split(',', StringSplitOptions.TrimEntries).Select(one => new StringValue(one)).ToList<FluidValue>()).Take(MostLimit).Select(PageValue.Canonical)],
            Comparison.IsNull => [value.ToBooleanValue() ? KvpValue.True : KvpValue.False],
            _ => [PageValue.Canonical(value)],
        };
        if (key == Pid)
        {
            // A number may come as text.
            operands = [.. operands.Select(operand => long.TryParse(operand.Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var pid) ? KvpValue.FromInteger(pid) : "0")];
        }

        return new ProcessCondition(key, comparison ?? Comparison.Equal, operands);
    }

    private static (string, bool) Order(string written)
    {
        var key = written.TrimStart('-', '+');
        return KvpKey.Fault(key) is { } fault ? throw new PageFault(fault) : (key is "pid" ? Pid : key, written.StartsWith('-'));
    }

    private static int Number(string name, FluidValue value, int most) =>
        value.Type == FluidValues.Number && value.ToNumberValue() is >= 0 and var number && number <= most
            ? (int)number
            : throw new PageFault($"{name} is a number from 0 to {most.ToString("N0", CultureInfo.InvariantCulture)}.");
}
