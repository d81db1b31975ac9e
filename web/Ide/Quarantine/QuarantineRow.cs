using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Eddy.Quarantine;

namespace Eddy.Ide.Quarantine;

/// <summary>A group in quarantine as its screen shows it.</summary>
/// <param name="Days">How many came in on each of the last 14 days, the last one last.</param>
public sealed record QuarantineRow(QuarantineGroup Group, QuarantineGroupKey Key, IReadOnlyList<int> Days)
{
    public const int MostDays = 14;

    /// <summary>Tells it from others in addresses, as long as it is there.</summary>
    public string Id { get; } = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Key.Rule, Key.Kind, Key.ErrorKind, Key.File, Key.Line))).AsSpan(0, 6));

    public string Rule => Group.Rule;

    public string File => Key.File ?? Group.Rule[..Math.Max(0, Group.Rule.LastIndexOf(':'))];

    public int? Line => int.TryParse(Key.Line, NumberStyles.None, CultureInfo.InvariantCulture, out var line) ? line : null;

    public string Glyph => Key.Kind == "failed" ? "failed" : "held";

    public string State => Key.Kind == "failed" ? "failed" : "held";

    /// <summary>The error, or why the runs were put aside.</summary>
    public string Message => Key.Kind switch
    {
        "off" => "Its rule is switched off",
        "held" => "Waits for a run before it that failed",
        "stopped" => "Its cascade was stopped before its turn",
        _ => Error is { } error ? $"{error.Kind}: {error.Message}" : "It failed",
    };

    /// <summary>Where that was.</summary>
    public string Place => $"{File}{(Line is { } line ? string.Create(CultureInfo.InvariantCulture, $", line {line}") : "")} · {Rule[(Rule.LastIndexOf(':') + 1)..]}{(Group.Tries > Group.Count ? string.Create(CultureInfo.InvariantCulture, $" · tried {Group.Tries} times") : "")}";

    private (string Kind, string Message)? Error
    {
        get
        {
            if (Group.Error is null)
            {
                return null;
            }

            using var json = JsonDocument.Parse(Group.Error);
            return (Text(json, "kind") ?? "Error", Text(json, "message") ?? "");
        }
    }

    public static IReadOnlyList<QuarantineRow> Of(
        IEnumerable<QuarantineGroup> groups, IReadOnlyDictionary<QuarantineGroupKey, IReadOnlyDictionary<DateOnly, int>> days, DateOnly today) =>
        [.. groups.Select(group =>
        {
            var key = KeyOf(group);
            var counts = days.GetValueOrDefault(key);
            return new QuarantineRow(group, key, [.. Enumerable.Range(0, MostDays).Select(i => counts?.GetValueOrDefault(today.AddDays(i + 1 - MostDays)) ?? 0)]);
        })];

    private static QuarantineGroupKey KeyOf(QuarantineGroup group)
    {
        if (group.Error is null)
        {
            return new QuarantineGroupKey(group.Rule, group.Kind, null, null, null);
        }

        using var json = JsonDocument.Parse(group.Error);
        return new QuarantineGroupKey(group.Rule, group.Kind, Text(json, "kind"), Text(json, "file"), Text(json, "line"));
    }

    private static string? Text(JsonDocument json, string name) => json.RootElement.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : null;
}
