using System.Globalization;

namespace Eddy.Kvps;

/// <summary>
/// Lists and dictionaries as people write them, in JSON or as Python literals (those of Python 2 included), turned into JSON. It does not
/// throw and does not check values: what comes out goes on to <see cref="KvpValue"/>.
/// </summary>
internal ref struct LiteralText
{
    // Deeper than any value may be, so that it is refused as a value, and not taken for text.
    private const int Deepest = 160;

    private readonly ReadOnlySpan<char> _text;
    private readonly Utf8Buffer _json;
    private int _at;

    private LiteralText(ReadOnlySpan<char> text, Utf8Buffer json)
    {
        _text = text;
        _json = json;
    }

    /// <summary>Reads the list or dictionary with which the text begins, and says how many characters that were.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, Utf8Buffer json, out int used)
    {
        var literal = new LiteralText(text, json);
        var good = literal.Value(0);
        used = literal._at;
        return good;
    }

    private bool Value(int depth)
    {
        Space();
        if (_at == _text.Length || depth > Deepest)
        {
            return false;
        }

        return _text[_at] switch
        {
            '[' => Elements(depth, ']'),
            '(' => Elements(depth, ')'),
            '{' => Dictionary(depth),
            '"' or '\'' => String(),
            'u' or 'U' when _at + 1 < _text.Length && _text[_at + 1] is '"' or '\'' => Prefixed(),
            '-' or (>= '0' and <= '9') => Number(),
            _ => Word("True", "true") || Word("False", "false") || Word("None", "null") || Word("true", "true") || Word("false", "false") || Word("null", "null"),
        };
    }

    private bool Elements(int depth, char close)
    {
        var start = _json.Length;
        _at++;
        _json.Add((byte)'[');
        var (count, comma) = (0, false);
        while (!Take(close))
        {
            if ((count > 0 && !comma) || !Value(depth + 1))
            {
                return false;
            }

            count++;
            comma = Take(',');
            _json.Add((byte)',');
        }

        if (close == ')' && count == 1 && !comma)
        {
            // Parentheses without a comma are no tuple.
            var inner = _json.Slice(start + 1, _json.Length - start - 2).ToArray();
            _json.Cut(start);
            _json.Add(inner);
            return true;
        }

        Close(count, (byte)']');
        return true;
    }

    private bool Dictionary(int depth)
    {
        _at++;
        _json.Add((byte)'{');
        var (count, comma) = (0, false);
        while (!Take('}'))
        {
            if ((count > 0 && !comma) || !Key() || !Take(':'))
            {
                return false;
            }

            _json.Add((byte)':');
            if (!Value(depth + 1))
            {
                return false;
            }

            count++;
            comma = Take(',');
            _json.Add((byte)',');
        }

        Close(count, (byte)'}');
        return true;
    }

    private bool Key()
    {
        Space();
        return _at + 1 < _text.Length && (_text[_at] is '"' or '\'' ? String() : _text[_at] is 'u' or 'U' && _text[_at + 1] is '"' or '\'' && Prefixed());
    }

    private bool Prefixed()
    {
        _at++;
        return String();
    }

    private bool String()
    {
        var quote = _text[_at++];
        _json.Add((byte)'"');
        while (_at < _text.Length)
        {
            var c = _text[_at++];
            if (c == quote)
            {
                _json.Add((byte)'"');
                return true;
            }

            if (c == '\\' ? !Escape(quote) : !Character(c))
            {
                return false;
            }
        }

        return false;
    }

    private bool Character(char c)
    {
        if (c is '\n' or '\r')
        {
            return false;
        }

        if (c is < ' ' or '"' or '\\' || char.IsSurrogate(c))
        {
            // A pair is put together again by who reads the JSON, and half of one refused there.
            Unit(c);
            return true;
        }

        _json.Add([c]);
        return true;
    }

    private bool Escape(char quote)
    {
        if (_at == _text.Length)
        {
            return false;
        }

        var c = _text[_at++];
        switch (c)
        {
            case '"' or '\'' or '\\':
                return Character(c);
            case '/' when quote == '"':
                return Character(c);
            case 'b' or 'f' or 'n' or 'r' or 't':
                _json.Add([(byte)'\\', (byte)c]);
                return true;
            case 'a':
                Unit('\a');
                return true;
            case 'v':
                Unit('\v');
                return true;
            case '0':
                Unit('\0');
                return true;
            case 'x' or 'u' or 'U':
                return CodePoint(c switch { 'x' => 2, 'u' => 4, _ => 8 });
            default:
                // As in Python, a backslash that escapes nothing stays.
                Unit('\\');
                return Character(c);
        }
    }

    private bool CodePoint(int digits)
    {
        if (_text.Length - _at < digits
            || !int.TryParse(_text.Slice(_at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code is < 0 or > 0x10FFFF)
        {
            return false;
        }

        _at += digits;
        if (code <= char.MaxValue)
        {
            Unit((char)code);
            return true;
        }

        foreach (var unit in char.ConvertFromUtf32(code))
        {
            Unit(unit);
        }

        return true;
    }

    private readonly void Unit(char unit)
    {
        _json.Add("\\u"u8);
        _json.Add(((int)unit).ToString("x4", CultureInfo.InvariantCulture));
    }

    private bool Number()
    {
        var start = _at;
        _at += _text[_at] == '-' ? 1 : 0;
        var whole = Digits();
        var good = whole == 1 || (whole > 1 && _text[_at - whole] != '0');
        if (_at < _text.Length && _text[_at] == '.')
        {
            _at++;
            good &= Digits() > 0;
        }

        if (_at < _text.Length && _text[_at] is 'e' or 'E')
        {
            _at++;
            _at += _at < _text.Length && _text[_at] is '+' or '-' ? 1 : 0;
            good &= Digits() > 0;
        }

        _json.Add(_text[start.._at]);
        return good;
    }

    private int Digits()
    {
        var start = _at;
        while (_at < _text.Length && char.IsAsciiDigit(_text[_at]))
        {
            _at++;
        }

        return _at - start;
    }

    private bool Word(string word, string json)
    {
        var rest = _text[_at..];
        if (!rest.StartsWith(word) || (rest.Length > word.Length && char.IsLetterOrDigit(rest[word.Length])))
        {
            return false;
        }

        _at += word.Length;
        _json.Add(json);
        return true;
    }

    private bool Take(char c)
    {
        Space();
        if (_at == _text.Length || _text[_at] != c)
        {
            return false;
        }

        _at++;
        return true;
    }

    private void Space()
    {
        while (_at < _text.Length && _text[_at] is ' ' or '\t' or '\n' or '\r')
        {
            _at++;
        }
    }

    private readonly void Close(int count, byte bracket)
    {
        if (count == 0)
        {
            _json.Add(bracket);
            return;
        }

        _json[_json.Length - 1] = bracket;
    }
}
