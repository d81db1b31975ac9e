using System.Net;
using System.Text;

namespace Eddy.Pages;

/// <summary>What may stand at a place of HTML.</summary>
internal enum Room
{
    /// <summary>Text between tags, or in a quoted attribute: any value, escaped.</summary>
    Text,

    /// <summary>In an attribute without quotes: any value, each character escaped that is no letter and no digit.</summary>
    Unquoted,

    /// <summary>In a style: numbers, names and colours.</summary>
    Style,

    /// <summary>In a script, a handler, a comment, the name of a tag or an attribute, the address of a script: no value.</summary>
    None,
}

/// <summary>
/// Follows HTML as it is written, so that it is known at each moment where a value would stand. It knows as much of HTML as that takes: tags, attributes, comments, and the elements whose content is no HTML.
/// </summary>
internal struct HtmlPlace
{
    private static readonly HashSet<string> Raw = new(StringComparer.Ordinal) { "script", "style", "iframe", "noembed", "noframes", "xmp", "plaintext", "noscript", "textarea", "title" };

    private static readonly HashSet<string> Addresses = new(StringComparer.Ordinal)
    {
        "href", "src", "action", "formaction", "poster", "cite", "background", "xlink:href", "data", "ping", "longdesc", "manifest",
    };

    private State _state;
    private string _tag;
    private string _attribute;
    private string? _within;
    private StringBuilder? _name;
    private int _match;

    private enum State
    {
        Text,
        Less,
        Name,
        EndName,
        Between,
        Attribute,
        AfterAttribute,
        BeforeValue,
        DoubleQuoted,
        SingleQuoted,
        Unquoted,
        Declaration,
        Comment,
    }

    /// <summary>What may stand here now.</summary>
    public readonly Room Room => _state switch
    {
        State.Text => _within switch { null or "textarea" or "title" or "noscript" => Room.Text, "style" => Room.Style, _ => Room.None },
        State.DoubleQuoted or State.SingleQuoted => InAttribute(Room.Text),
        State.BeforeValue or State.Unquoted => InAttribute(Room.Unquoted),
        _ => Room.None,
    };

    /// <summary>Between tags, outside of elements whose content is no HTML.</summary>
    public readonly bool IsText => _state == State.Text && _within is null;

    /// <summary>In the value of an attribute that is an address.</summary>
    public readonly bool IsAddress => _state is State.DoubleQuoted or State.SingleQuoted or State.Unquoted && Addresses.Contains(_attribute);

    /// <summary>Where this is, in words.</summary>
    public readonly string Words => _state switch
    {
        State.Text => $"in <{_within}>",
        State.Comment => "in a comment",
        State.Declaration or State.Less or State.Name or State.EndName => "in the name of a tag",
        State.Between or State.Attribute or State.AfterAttribute => "as the name of an attribute",
        _ => $"in {_attribute}=\"…\" of <{_tag}>",
    };

    public void Follow(char c)
    {
        switch (_state)
        {
            case State.Text when _within is not null:
                FollowRaw(c);
                break;
            case State.Text:
                _state = c == '<' ? State.Less : State.Text;
                break;
            case State.Less:
                _name = (_name ??= new()).Clear();
                _state = c == '/' ? State.EndName : c == '!' ? State.Declaration : char.IsAsciiLetter(c) ? State.Name : c == '<' ? State.Less : State.Text;
                Append(c);
                break;
            case State.Name when c is '>' or '/' || char.IsWhiteSpace(c):
                _tag = _name!.ToString();
                _state = State.Between;
                Between(c);
                break;
            case State.Name or State.EndName when c != '>':
                Append(c);
                break;
            case State.EndName:
                _state = State.Text;
                break;
            case State.Between:
                Between(c);
                break;
            case State.Attribute when c is '=' or '>' or '/' || char.IsWhiteSpace(c):
                _attribute = _name!.ToString();
                _state = State.AfterAttribute;
                AfterAttribute(c);
                break;
            case State.Attribute:
                Append(c);
                break;
            case State.AfterAttribute:
                AfterAttribute(c);
                break;
            case State.BeforeValue when !char.IsWhiteSpace(c):
                _state = c switch { '"' => State.DoubleQuoted, '\'' => State.SingleQuoted, '>' => Open(), _ => State.Unquoted };
                break;
            case State.DoubleQuoted when c == '"':
            case State.SingleQuoted when c == '\'':
                _state = State.Between;
                break;
            case State.Unquoted when c == '>' || char.IsWhiteSpace(c):
                _state = c == '>' ? Open() : State.Between;
                break;
            case State.Declaration:
                Append(c);
                _state = c == '>' ? State.Text : _name!.Length == 3 && _name[1] == '-' && c == '-' ? State.Comment : State.Declaration;
                _match = 0;
                break;
            case State.Comment:
                _match = c == '-' ? _match + 1 : c == '>' && _match >= 2 ? -1 : 0;
                _state = _match < 0 ? State.Text : State.Comment;
                break;
        }
    }

    private void Between(char c)
    {
        if (c == '>')
        {
            _state = Open();
        }
        else if (c != '/' && !char.IsWhiteSpace(c))
        {
            _name!.Clear();
            Append(c);
            _state = State.Attribute;
        }
    }

    private void AfterAttribute(char c)
    {
        if (c == '=')
        {
            _state = State.BeforeValue;
        }
        else if (!char.IsWhiteSpace(c))
        {
            _state = State.Between;
            Between(c);
        }
    }

    /// <summary>A tag has ended: what follows is text, or what its element takes for it.</summary>
    private State Open()
    {
        _within = Raw.Contains(_tag) ? _tag : null;
        _match = 0;
        return State.Text;
    }

    // Up to </name, in whichever case.
    private void FollowRaw(char c)
    {
        var end = _within!;
        var wanted = _match switch { 0 => '<', 1 => '/', var i when i - 2 < end.Length => end[i - 2], _ => '\0' };
        if (_match == end.Length + 2)
        {
            if (c is '>' or '/' || char.IsWhiteSpace(c))
            {
                _within = null;
                _tag = "";
                _state = c == '>' ? State.Text : State.EndName;
                (_name ??= new()).Clear();
                return;
            }

            _match = 0;
        }

        _match = char.ToLowerInvariant(c) == wanted ? _match + 1 : c == '<' ? 1 : 0;
    }

    private void Append(char c)
    {
        // A name that is longer is none that matters.
        if (_name!.Length < 64)
        {
            _name.Append(char.ToLowerInvariant(c));
        }
    }

    private readonly Room InAttribute(Room otherwise) =>
        _attribute.StartsWith("on", StringComparison.Ordinal) || _attribute is "srcdoc" or "http-equiv" ? Room.None
        : _attribute == "style" ? Room.Style
        : (_tag, _attribute) is ("script" or "embed", "src") or ("link" or "base" or "use" or "image", "href" or "xlink:href") or ("object", "data") or ("animate" or "set", _) ? Room.None
        : otherwise;

    /// <summary>Whether an address is a program: those are left out, whoever wrote them.</summary>
    public static bool IsProgram(string written)
    {
        var address = string.Concat(WebUtility.HtmlDecode(written).Where(c => c > ' '));
        return address.StartsWith("javascript:", StringComparison.OrdinalIgnoreCase) || address.StartsWith("vbscript:", StringComparison.OrdinalIgnoreCase);
    }
}
