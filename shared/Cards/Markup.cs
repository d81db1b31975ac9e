using System.Text;

namespace Eddy.Cards;

/// <summary>Writes HTML. Text and values of attributes are escaped here, and nowhere else.</summary>
internal sealed class Markup
{
    private readonly StringBuilder _html = new();

    public int Length => _html.Length;

    /// <summary>What is HTML already: ours, or a tenant's own script.</summary>
    public Markup Raw(string html)
    {
        _html.Append(html);
        return this;
    }

    public Markup Text(string text)
    {
        foreach (var c in text)
        {
            _ = c switch
            {
                '&' => _html.Append("&amp;"),
                '<' => _html.Append("&lt;"),
                '>' => _html.Append("&gt;"),
                '\0' => _html,
                _ => _html.Append(c),
            };
        }

        return this;
    }

    /// <summary>An attribute; left out where its value is null.</summary>
    public Markup With(string name, string? value)
    {
        if (value is null)
        {
            return this;
        }

        _html.Append(' ').Append(name).Append("=\"");
        foreach (var c in value)
        {
            _ = c switch
            {
                '&' => _html.Append("&amp;"),
                '<' => _html.Append("&lt;"),
                '>' => _html.Append("&gt;"),
                '"' => _html.Append("&quot;"),
                '\'' => _html.Append("&#39;"),
                '`' => _html.Append("&#96;"),
                '\0' => _html,
                _ => _html.Append(c),
            };
        }

        _html.Append('"');
        return this;
    }

    public Markup With(string name, int? value) => With(name, value?.ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>An attribute that is there or not.</summary>
    public Markup Flag(string name, bool isThere)
    {
        if (isThere)
        {
            _html.Append(' ').Append(name);
        }

        return this;
    }

    public override string ToString() => _html.ToString();
}
