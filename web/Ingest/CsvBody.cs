using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>CSV (RFC 4180): the header names the keys, each row is one process. Values are read by the grammar for text.</summary>
internal static class CsvBody
{
    public static ParsedBody Parse(string text, IngestLimits limits)
    {
        var rows = new CsvRows(text);
        if (!rows.Read())
        {
            return rows.Fault is { } broken ? Refusal.Of(ProblemType.InvalidCsv, broken, line: rows.Line) : Refusal.Empty("There is no header and no row.");
        }

        var keys = rows.Cells.ToArray();
        if (Header(keys, rows.Line, limits) is { } refused)
        {
            return refused;
        }

        var sets = new List<IReadOnlyList<Change>>();
        while (rows.Read())
        {
            if (sets.Count == limits.Elements)
            {
                return Refusal.TooManyElements(limits);
            }

            if (rows.Cells.Count != keys.Length)
            {
                return Refusal.Of(ProblemType.InvalidCsv, $"Row {sets.Count + 1} has {rows.Cells.Count} cells, and the header {keys.Length}.", line: rows.Line);
            }

            var changes = new Change[keys.Length];
            for (var i = 0; i < keys.Length; i++)
            {
                if (!KvpText.TryValue(rows.Cells[i], out var value, out var fault, limits.ValueBytes))
                {
                    return Refusal.Of(fault, ProblemType.InvalidCsv, keys[i], Refusal.Segment(keys[i]), rows.Line);
                }

                changes[i] = new Change(keys[i], value);
            }

            sets.Add(changes);
        }

        return rows.Fault is { } fault2 ? Refusal.Of(ProblemType.InvalidCsv, fault2, line: rows.Line)
            : sets.Count == 0 ? Refusal.Empty("There is no row below the header.")
            : new BodySets(sets, IsList: true);
    }

    private static BodyRefused? Header(string[] keys, int line, IngestLimits limits)
    {
        if (keys.Length > limits.KvpsPerProcess)
        {
            return Refusal.TooManyKvps(limits, line: line);
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in keys)
        {
            if (KvpKey.Fault(key) is { } detail)
            {
                return Refusal.Of(ProblemType.InvalidKey, $"The header: {detail}", line: line);
            }

            if (!seen.Add(key))
            {
                return Refusal.Twice(ProblemType.InvalidCsv, key, null, line);
            }
        }

        return null;
    }
}
