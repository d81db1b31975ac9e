using System.Diagnostics.CodeAnalysis;

namespace Eddy.Kvps;

/// <summary>A fault in <c>key := value</c> text.</summary>
/// <param name="Line">The line, counted from 1; of a value over several lines the first.</param>
/// <param name="Column">Where in that line, counted from 1 in UTF-16 units: the key, or the value where it is about one.</param>
/// <param name="Key">Whose value it is, or null where it is not about a value.</param>
public sealed record KvpTextFault(int Line, int Column, string? Key, KvpFault Fault);

/// <summary>A KVP in <c>key := value</c> text and how it is read.</summary>
/// <param name="Line">The line, counted from 1; of a value over several lines the first.</param>
/// <param name="Written">The value as it is written.</param>
/// <param name="Value">Canonical JSON.</param>
/// <param name="Counts">No line above has the same key: of two the first counts.</param>
public sealed record KvpTextLine(int Line, string Key, string Written, string Value, bool Counts);

/// <summary>
/// The grammar of text from outside: <c>key := value</c>, one a line (<c>docs/values.md</c>, "Text from outside"). Mail, console, drips, forms
/// and CSV read their values by it.
/// </summary>
public static class KvpText
{
    /// <summary>Reads all KVPs of a text. Of two lines with one key the first counts. The first fault ends it.</summary>
    public static bool TryRead(
        string text, [NotNullWhen(true)] out IReadOnlyList<Change>? changes, [NotNullWhen(false)] out KvpTextFault? fault, int maxBytes = KvpValue.MaxBytes)
    {
        var lines = new TextLines(text, maxBytes);
        fault = lines.Read();
        changes = fault is null ? lines.Changes : null;
        return fault is null;
    }

    /// <summary>Reads whatever can be read, for somebody who is still writing: the KVPs of good lines, and what is wrong with the others, up to <paramref name="mostFaults"/>.</summary>
    public static (IReadOnlyList<Change> Changes, IReadOnlyList<KvpTextFault> Faults) ReadAll(string text, int mostFaults, int maxBytes = KvpValue.MaxBytes)
    {
        var lines = new TextLines(text, maxBytes);
        var faults = new List<KvpTextFault>();
        while (faults.Count < mostFaults && lines.Read() is { } fault)
        {
            faults.Add(fault);
        }

        return (lines.Changes, faults);
    }

    /// <summary>The same, line by line, for somebody who wants to see how each is read.</summary>
    public static (IReadOnlyList<KvpTextLine> Lines, IReadOnlyList<Change> Changes, IReadOnlyList<KvpTextFault> Faults) ReadLines(string text, int mostFaults, int maxBytes = KvpValue.MaxBytes)
    {
        var told = new List<KvpTextLine>();
        var lines = new TextLines(text, maxBytes, told);
        var faults = new List<KvpTextFault>();
        while (faults.Count < mostFaults && lines.Read() is { } fault)
        {
            faults.Add(fault);
        }

        return (told, lines.Changes, faults);
    }

    /// <summary>Reads one value, such as a form's field. What is none of the grammar's other values is text, exactly as it is.</summary>
    public static bool TryValue(
        ReadOnlySpan<char> text, [NotNullWhen(true)] out string? canonical, [NotNullWhen(false)] out KvpFault? fault, int maxBytes = KvpValue.MaxBytes) =>
        TextValue.TryRead(text, maxBytes, out canonical, out fault);
}
