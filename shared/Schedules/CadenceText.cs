using System.Diagnostics.CodeAnalysis;

namespace Eddy.Schedules;

/// <summary>The five fields of a cron text, read and checked.</summary>
internal static class CadenceText
{
    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Weekdays = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    private static readonly CadenceRange[] Ranges =
    [
        new("minute", 0, 59, []), new("hour", 0, 23, []), new("day of month", 1, 31, []), new("month", 1, 12, Months), new("day of week", 0, 7, Weekdays),
    ];

    private static readonly Dictionary<string, string> Macros = new(StringComparer.OrdinalIgnoreCase)
    {
        ["@yearly"] = "0 0 1 1 *", ["@annually"] = "0 0 1 1 *", ["@monthly"] = "0 0 1 * *", ["@weekly"] = "0 0 * * 0", ["@daily"] = "0 0 * * *", ["@midnight"] = "0 0 * * *", ["@hourly"] = "0 * * * *",
    };

    public static bool TryRead(string text, [NotNullWhen(true)] out IReadOnlyList<CadenceField>? fields, [NotNullWhen(false)] out CadenceFault? fault)
    {
        fields = null;
        if (text.Length > Cadence.MostCharacters)
        {
            fault = new CadenceFault(Cadence.MostCharacters + 1, $"A cron text has at most {Cadence.MostCharacters} characters.");
            return false;
        }

        var words = Words(text);
        if (words is [{ Text: ['@', ..] macro, Column: var at }])
        {
            fault = new CadenceFault(at, Macros.TryGetValue(macro, out var meant)
                ? $"Cron has five fields here, and no short names: for {macro} write {meant}."
                : "Cron has five fields here, and no short names: minute, hour, day of month, month, day of week, as in 30 2 * * *.");
            return false;
        }

        if (words.Count != Ranges.Length)
        {
            var column = words.Count > Ranges.Length ? words[Ranges.Length].Column : Math.Max(1, text.TrimEnd().Length);
            fault = new CadenceFault(column, $"Cron has five fields: minute, hour, day of month, month, day of week, as in 30 2 * * *. This has {words.Count}"
                + (words.Count == 6 ? ": there are no seconds and no years." : "."));
            return false;
        }

        var read = new CadenceField[Ranges.Length];
        for (var i = 0; i < read.Length; i++)
        {
            if (!CadenceField.TryRead(words[i].Text, words[i].Column, Ranges[i], out var field, out fault))
            {
                return false;
            }

            read[i] = field;
        }

        (fields, fault) = (read, null);
        return true;
    }

    private static List<(string Text, int Column)> Words(string text)
    {
        var words = new List<(string, int)>();
        for (var i = 0; i < text.Length; i++)
        {
            var start = i;
            while (i < text.Length && text[i] is not (' ' or '\t'))
            {
                i++;
            }

            if (i > start)
            {
                words.Add((text[start..i], start + 1));
            }
        }

        return words;
    }
}
