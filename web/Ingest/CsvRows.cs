using System.Text;

namespace Eddy.Ingest;

/// <summary>
/// Rows of CSV after RFC 4180: cells divided by commas, those in double quotes with commas, line breaks and doubled quotes in them. Line breaks
/// are CRLF, LF or CR; empty lines are passed over.
/// </summary>
internal sealed class CsvRows(string text)
{
    private readonly List<string> _cells = [];
    private int _at;
    private int _nextLine = 1;

    /// <summary>The cells of the row that was read last; the next one takes their place.</summary>
    public IReadOnlyList<string> Cells => _cells;

    /// <summary>The line on which that row begins, from 1.</summary>
    public int Line { get; private set; }

    /// <summary>Why the row can not be read, or null.</summary>
    public string? Fault { get; private set; }

    /// <summary>Reads the next row; false at the end and at a fault.</summary>
    public bool Read()
    {
        _cells.Clear();
        while (EndOfLine())
        {
        }

        Line = _nextLine;
        if (_at == text.Length)
        {
            return false;
        }

        do
        {
            if ((_at < text.Length && text[_at] == '"' ? Quoted() : Plain()) is not { } cell)
            {
                return false;
            }

            _cells.Add(cell);
        }
        while (Comma());

        if (_at < text.Length && !EndOfLine())
        {
            Fault = "Behind the quote that closes a cell stands a comma or the end of the line; a quote inside a cell is doubled.";
        }

        return Fault is null;
    }

    private string? Plain()
    {
        var length = text.AsSpan(_at).IndexOfAny(",\r\n");
        var cell = length < 0 ? text[_at..] : text.Substring(_at, length);
        _at += cell.Length;
        Fault = cell.Contains('"') ? "A cell with a quote in it is in quotes itself, and the quote doubled." : null;
        return Fault is null ? cell : null;
    }

    private string? Quoted()
    {
        var cell = new StringBuilder();
        _at++;
        while (text.IndexOf('"', _at) is >= 0 and var end)
        {
            var part = text.AsSpan(_at, end - _at);
            cell.Append(part);
            _nextLine += part.Count('\n');
            _at = end + 1;
            if (_at == text.Length || text[_at] != '"')
            {
                return cell.ToString();
            }

            cell.Append('"');
            _at++;
        }

        Fault = "A quote is never closed.";
        return null;
    }

    private bool Comma()
    {
        if (_at == text.Length || text[_at] != ',')
        {
            return false;
        }

        _at++;
        return true;
    }

    private bool EndOfLine()
    {
        if (_at == text.Length || text[_at] is not ('\r' or '\n'))
        {
            return false;
        }

        _at += text.AsSpan(_at).StartsWith("\r\n") ? 2 : 1;
        _nextLine++;
        return true;
    }
}
