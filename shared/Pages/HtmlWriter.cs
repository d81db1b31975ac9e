using System.Text;
using System.Text.Encodings.Web;
using System.Text.Unicode;

namespace Eddy.Pages;

/// <summary>
/// Writes a page. The template's own text goes through as it is; a value is escaped for the place at which it stands, and where no value can be safe it is left out. An address that is a program
/// (<c>javascript:</c>) becomes <c>#</c>.
/// </summary>
internal sealed class HtmlWriter(int most) : TextWriter
{
    private static readonly HtmlEncoder Html = HtmlEncoder.Create(UnicodeRanges.All);

    /// <summary>A text as it may stand between tags and in quoted attributes.</summary>
    public static string Escaped(string text) => Html.Encode(text);

    private const int MostStyle = 64;

    private readonly StringBuilder _text = new();
    private HtmlPlace _place;
    private int _address = -1;

    public override Encoding Encoding => Encoding.UTF8;

    public int Length => _text.Length;

    /// <summary>Whether elements may stand here.</summary>
    public bool IsBetweenTags => _place.IsText;

    public override string ToString() => _text.ToString();

    public override void Write(char value)
    {
        var was = _place.IsAddress;
        _place.Follow(value);
        var isAddress = _place.IsAddress;
        if (was && !isAddress && _address >= 0)
        {
            EndAddress();
        }

        _text.Append(value);
        if (isAddress && !was)
        {
            // Of an attribute without quotes the first character is of its value.
            _address = value is '"' or '\'' ? _text.Length : _text.Length - 1;
        }

        if (_text.Length > most)
        {
            throw new PageFault($"The page has more than {most:N0} characters. Show less of it: lists take limit.");
        }
    }

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        foreach (var c in buffer)
        {
            Write(c);
        }
    }

    // In memory, so at once.
    public override Task WriteAsync(char value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(char[] buffer, int index, int count)
    {
        Write(buffer, index, count);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken)
    {
        Write(buffer.Span);
        return Task.CompletedTask;
    }

    public override Task FlushAsync() => Task.CompletedTask;

    /// <summary>Writes a value.</summary>
    public void Print(string value)
    {
        switch (_place.Room)
        {
            case Room.Text:
                Write(Html.Encode(value));
                break;
            case Room.Unquoted:
                foreach (var rune in value.EnumerateRunes())
                {
                    Write(Rune.IsLetterOrDigit(rune) ? rune.ToString() : $"&#{rune.Value};");
                }

                break;
            case Room.Style when value.Length <= MostStyle && value.All(c => char.IsAsciiLetterOrDigit(c) || c is '#' or '.' or '%' or '-' or ' '):
                Write(value);
                break;
        }
    }

    /// <summary>Writes what was captured: it was escaped as text when that was done.</summary>
    public void PrintMarkup(string markup)
    {
        if (_place.Room == Room.Text)
        {
            Write(markup);
        }
        else
        {
            Print(markup);
        }
    }

    private void EndAddress()
    {
        if (HtmlPlace.IsProgram(_text.ToString(_address, _text.Length - _address)))
        {
            _text.Length = _address;
            _text.Append('#');
        }

        _address = -1;
    }
}
