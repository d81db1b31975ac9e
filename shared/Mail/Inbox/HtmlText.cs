using System.Text;
using System.Text.RegularExpressions;
using MimeKit.Text;

namespace Eddy.Mail.Inbox;

/// <summary>
/// HTML as the text that one sees, with quotes as mail writes them (<c>&gt; </c>) and signatures behind <c>-- </c>, so that <see cref="NewText"/> cuts both alike. Tag by tag: no tree is built, however deep
/// it would be.
/// </summary>
internal sealed partial class HtmlText
{
    /// <summary>What stands in more elements than so many is not read: where they are not told apart, nobody knows what is quoted and what is hidden.</summary>
    private const int MostOpen = 256;

    private readonly StringBuilder _text = new();
    private readonly List<Open> _open = [];
    private readonly int _most;
    private int _quotes;
    private int _hidden;
    private int _kept;
    private bool _isSpace;
    private bool _isTooDeep;

    private HtmlText(int most) => _most = most;

    private readonly record struct Open(string Name, bool IsQuote, bool IsHidden, bool IsKept);

    /// <param name="most">Characters; what goes beyond is left out.</param>
    public static string Of(string html, int most)
    {
        using var reader = new StringReader(html);
        var tokens = new HtmlTokenizer(reader);
        var text = new HtmlText(most);
        while (text._text.Length < most && !text._isTooDeep && tokens.ReadNextToken(out var token))
        {
            switch (token)
            {
                case HtmlTagToken tag:
                    text.Add(tag);
                    break;
                case HtmlDataToken data when data.Kind is HtmlTokenKind.Data or HtmlTokenKind.CData:
                    text.Add(data.Data);
                    break;
            }
        }

        return text._text.ToString().TrimEnd();
    }

    private void Add(HtmlTagToken tag)
    {
        var name = tag.Name.ToLowerInvariant();
        if (tag.IsEndTag)
        {
            Block(name, isEnd: true);
            Close(name);
            return;
        }

        Block(name, isEnd: false);
        if (!tag.IsEmptyElement && name is not ("br" or "img" or "hr" or "input" or "meta" or "link" or "col" or "area" or "wbr"))
        {
            Begin(name, tag);
        }
    }

    private void Begin(string name, HtmlTagToken tag)
    {
        string? classes = null, id = null, style = null, type = null;
        var isMarkedHidden = false;
        foreach (var attribute in tag.Attributes)
        {
            switch (attribute.Name.ToLowerInvariant())
            {
                case "class":
                    classes ??= attribute.Value;
                    break;
                case "id":
                    id ??= attribute.Value;
                    break;
                case "style":
                    style ??= attribute.Value;
                    break;
                case "type":
                    type ??= attribute.Value;
                    break;
                case "hidden":
                    isMarkedHidden = true;
                    break;
            }
        }

        var isHidden = isMarkedHidden || name is "style" or "script" or "head" or "title" or "template" || (style is not null && Unseen().IsMatch(Blanks().Replace(style, "")));
        if (_open.Count > 0 && _open[^1].Name == name && name is ("p" or "td" or "th" or "li" or "tr" or "dt" or "dd" or "option"))
        {
            // These end where the next one begins, whether it is said or not.
            Close(name);
        }

        // Of others it need not be known where they end.
        if (!isHidden && name is not ("div" or "blockquote" or "span" or "pre" or "table" or "td" or "p"))
        {
            return;
        }

        if (_open.Count >= MostOpen)
        {
            _isTooDeep = true;
            return;
        }

        if (IsSignature(classes, id))
        {
            Line();
            Put("-- ");
            Line();
        }
        else if (id is not null && (id.EndsWith("divRplyFwdMsg", StringComparison.Ordinal) || id.EndsWith("OLK_SRC_BODY_SECTION", StringComparison.Ordinal) || id.EndsWith("mail-editor-reference-message-container", StringComparison.Ordinal)))
        {
            Line();
            Put("-----Original Message-----");
            Line();
        }

        var isQuote = name == "blockquote" && (type?.Equals("cite", StringComparison.OrdinalIgnoreCase) == true || HasClass(classes, "gmail_quote") || HasClass(classes, "protonmail_quote") || _open.Exists(one => one.IsQuote));
        _open.Add(new(name, isQuote, isHidden, name == "pre"));
        Count(_open[^1], 1);
    }

    private void Close(string name)
    {
        var at = _open.FindLastIndex(one => one.Name == name);
        if (at >= 0)
        {
            // What was left open inside of it ends with it.
            for (var i = _open.Count - 1; i >= at; i--)
            {
                Count(_open[i], -1);
            }

            _open.RemoveRange(at, _open.Count - at);
        }
    }

    private void Count(Open one, int step)
    {
        if (one.IsQuote)
        {
            Line();
        }

        _quotes += one.IsQuote ? step : 0;
        _hidden += one.IsHidden ? step : 0;
        _kept += one.IsKept ? step : 0;
    }

    // Where a line ends, or a paragraph.
    private void Block(string name, bool isEnd)
    {
        switch (name)
        {
            case "br" when !isEnd:
                Break();
                break;
            case "p" or "h1" or "h2" or "h3" or "h4" or "h5" or "h6" or "ul" or "ol" or "table" or "pre" or "blockquote" or "hr":
                Line();
                if (name is not ("table" or "blockquote") && isEnd)
                {
                    Blank();
                }

                break;
            case "li" when !isEnd:
                Line();
                Put("* ");
                break;
            case "div" or "tr" or "li" or "section" or "article" or "header" or "footer" or "address" or "dt" or "dd" or "body" or "center" or "form":
                Line();
                break;
            case "td" or "th" when isEnd:
                _isSpace = true;
                break;
        }
    }

    private void Add(string text)
    {
        if (_hidden > 0)
        {
            return;
        }

        foreach (var c in text)
        {
            if (_kept > 0 && c == '\n')
            {
                Break();
            }
            else if (c is ' ' or '\t' or '\r' or '\n' or '\f' && _kept == 0)
            {
                _isSpace = true;
            }
            else if (c is not ('\r' or '\u200b' or '\ufeff'))
            {
                Space();
                Put(c == '\u00a0' ? ' ' : c);
            }
        }
    }

    private bool IsAtStart => _text.Length == 0 || _text[^1] == '\n';

    private void Space()
    {
        if (_isSpace && !IsAtStart && _text[^1] != ' ')
        {
            _text.Append(' ');
        }

        _isSpace = false;
    }

    private void Put(string text)
    {
        foreach (var c in text)
        {
            Put(c);
        }
    }

    private void Put(char c)
    {
        if (_hidden > 0 || _text.Length >= _most)
        {
            return;
        }

        if (IsAtStart)
        {
            _text.Append('>', Math.Min(_quotes, 10)).Append(_quotes > 0 ? " " : "");
        }

        _text.Append(c);
        _isSpace = false;
    }

    private void Line()
    {
        _isSpace = false;
        if (!IsAtStart)
        {
            _text.Append('\n');
        }
    }

    private void Blank()
    {
        if (_text.Length > 1 && _hidden == 0 && !(_text[^1] == '\n' && _text[^2] == '\n'))
        {
            _text.Append('\n');
        }
    }

    private void Break()
    {
        _isSpace = false;
        if (_hidden == 0 && _text.Length < _most)
        {
            _text.Append('\n');
        }
    }

    private static bool IsSignature(string? classes, string? id) =>
        HasClass(classes, "gmail_signature") || HasClass(classes, "moz-signature") || HasClass(classes, "protonmail_signature_block") || id is "Signature" or "ms-outlook-mobile-signature" or "AppleMailSignature" or "x_Signature";

    // Nobody sees it, so nobody who answers or forwards the mail means it.
    [GeneratedRegex(@"(?:^|;)(?:display:none|visibility:hidden|mso-hide:all|(?:font-size|opacity|max-height):0(?:\.0{1,4})?(?:px|pt|em|rem|%)?)(?:!important)?(?:;|$)", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Unseen();

    [GeneratedRegex(@"\s|/\*[^*]{0,100}\*/", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();

    private static bool HasClass(string? classes, string name) => classes is not null && classes.Split(' ').Any(one => one.Equals(name, StringComparison.OrdinalIgnoreCase));
}
