namespace Eddy.Kvps;

/// <summary>The lines of a <c>key := value</c> text, read from the first to the last.</summary>
/// <param name="told">Takes up what each line came to, for somebody who looks at them.</param>
internal sealed class TextLines(string text, int maxBytes, List<KvpTextLine>? told = null)
{
    private const string Sign = ":=";

    private readonly List<Change> _changes = [];
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private int _next;
    private int _line;

    public IReadOnlyList<Change> Changes => _changes;

    /// <summary>Reads them all, or up to the first fault; once more, those behind it.</summary>
    public KvpTextFault? Read()
    {
        while (_next < text.Length)
        {
            var start = _next;
            var end = Advance();
            var line = text.AsSpan(start, end - start);
            if (line.IsWhiteSpace())
            {
                continue;
            }

            var first = _line;
            var column = line.Length - line.TrimStart().Length + 1;
            var sign = line.IndexOf(Sign);
            if (sign < 0)
            {
                return Fault(first, column, KvpFaultKind.Malformed, "This line is no KVP, which is written key := value, and does not belong to the value above it.");
            }

            var key = line[..sign].Trim().ToString();
            if (KvpKey.Fault(key) is { } detail)
            {
                return Fault(first, column, KvpFaultKind.Key, detail);
            }

            if (Value(key, start + sign + Sign.Length, end, out var canonical) is { } fault)
            {
                return fault;
            }

            var isFirst = _keys.Add(key);
            if (isFirst)
            {
                _changes.Add(new Change(key, canonical));
            }

            told?.Add(new KvpTextLine(first, key, text[(start + sign + Sign.Length).._next].Trim(), canonical!, isFirst));
        }

        return null;
    }

    private KvpTextFault? Value(string key, int start, int end, out string? canonical)
    {
        var lineStart = text.LastIndexOf('\n', start - 1) + 1;
        while (start < end && char.IsWhiteSpace(text[start]))
        {
            start++;
        }

        var first = _line;
        var column = start - lineStart + 1;
        var value = text.AsSpan(start, end - start).TrimEnd();
        if (value.StartsWith("\"\"\"") || value.StartsWith("'''"))
        {
            var close = text.IndexOf(text.Substring(start, 3), start + 3, StringComparison.Ordinal);
            if (close < 0)
            {
                // Whatever follows may be meant to be inside of them.
                _next = text.Length;
                canonical = null;
                return Fault(first, column, KvpFaultKind.Malformed, "The triple quotes that begin here are never closed.");
            }

            while (_next <= close && _next < text.Length)
            {
                end = Advance();
            }

            if (_line > first && !text.AsSpan(close + 3, Math.Max(0, end - close - 3)).IsWhiteSpace())
            {
                canonical = null;
                return Fault(_line, close + 4 - (text.LastIndexOf('\n', close) + 1), KvpFaultKind.Malformed, "Nothing stands behind closing triple quotes on their line.");
            }

            value = text.AsSpan(start, end - start).TrimEnd();
        }
        else if (value is ['[' or '{', ..] && LiteralEnd(start) is var last && last > end)
        {
            while (_next < last)
            {
                end = Advance();
            }

            value = text.AsSpan(start, end - start).TrimEnd();
        }

        return TextValue.TryRead(value, maxBytes, out canonical, out var fault) ? null : new KvpTextFault(first, column, key, fault);
    }

    // Where a list or dictionary ends that begins here and goes on over lines that are no KVPs of their own; else 0.
    private int LiteralEnd(int start)
    {
        var extent = _next;
        while (extent < text.Length)
        {
            var end = text.IndexOf('\n', extent);
            end = end < 0 ? text.Length : end;
            var line = text.AsSpan(extent, end - extent);
            if (line.IsWhiteSpace() || line.Contains(Sign, StringComparison.Ordinal))
            {
                break;
            }

            extent = Math.Min(end + 1, text.Length);
        }

        if (extent == _next || !LiteralText.TryRead(text.AsSpan(start, extent - start), new Utf8Buffer(), out var used))
        {
            return 0;
        }

        var rest = text.AsSpan(start + used, extent - start - used);
        var lineEnd = rest.IndexOf('\n');
        return rest[..(lineEnd < 0 ? rest.Length : lineEnd)].IsWhiteSpace() ? start + used : 0;
    }

    // Steps over one line and says where it ends.
    private int Advance()
    {
        var end = text.IndexOf('\n', _next);
        end = end < 0 ? text.Length : end;
        _next = Math.Min(end + 1, text.Length);
        _line++;
        return end;
    }

    private static KvpTextFault Fault(int line, int column, KvpFaultKind kind, string detail) => new(line, column, null, new KvpFault(kind, detail));
}
