using System.Text.RegularExpressions;

namespace Eddy.Ide.Files;

/// <summary>The language's names with what they are: the tables of docs/rules.md, and for tests those of docs/tests.md, whose first column names something, so that page and editor never say different things.</summary>
public sealed partial class LanguageNames
{
    private readonly List<LanguageName> _names = [];

    public LanguageNames()
        : this("rules.md")
    {
    }

    private LanguageNames(params ReadOnlySpan<string> pages)
    {
        foreach (var page in pages)
        {
            Read(page);
        }
    }

    /// <summary>With those that only tests have.</summary>
    public static LanguageNames OfTests { get; } = new("tests.md", "rules.md");

    private void Read(string name)
    {
        using var page = new StreamReader(typeof(LanguageNames).Assembly.GetManifestResourceStream(name)!);
        var isNames = false;
        while (page.ReadLine() is { } line)
        {
            if (!line.StartsWith('|'))
            {
                isNames = false;
            }
            else if (line.StartsWith("| name |", StringComparison.Ordinal) || line.StartsWith("| call |", StringComparison.Ordinal))
            {
                isNames = true;
            }
            else if (isNames && line.Trim('|').Split(" | ") is [var first, var second])
            {
                ReadRow(first.Trim(), second.Trim());
            }
        }
    }

    public IReadOnlyList<LanguageName> All => _names;

    /// <summary>What belongs to this, as <c>filter</c> to <c>Process.objects</c>; null for what stands alone.</summary>
    public IEnumerable<LanguageName> Of(string? owner) => _names.Where(name => name.Owner == owner);

    public LanguageName? Find(string? owner, string name) => _names.Find(one => one.Owner == owner && one.Name == name);

    private void ReadRow(string first, string about)
    {
        var spans = Spans().Matches(first).Select(span => span.Groups[1].Value).ToList();
        string? owner = null;
        foreach (var span in spans)
        {
            if (Name().Match(span) is not { Success: true } found)
            {
                continue;
            }

            var path = found.Groups[1].Value;
            var at = path.LastIndexOf('.');
            owner = at > 0 ? path[..at] : at == 0 ? owner : null;
            Add(owner, path[(at + 1)..], found.Groups[2].Value, about);
            owner ??= path;
        }

        // What has no name of its own, as a query, and what its members are told in the second column.
        var whole = spans.Count == 0 ? first : Name().Match(spans[0]).Groups[1].Value;
        foreach (Match member in Spans().Matches(about))
        {
            if (member.Groups[1].Value is ['.', ..] text && Name().Match(text) is { Success: true } found)
            {
                Add(whole, found.Groups[1].Value[1..], found.Groups[2].Value, about);
            }
        }
    }

    private void Add(string? owner, string name, string signature, string about)
    {
        // A tenant's own keys and secrets stand there.
        if (name is "key" or "NAME")
        {
            return;
        }

        // A row that only leads to a later one says less than that.
        var known = _names.FindIndex(one => one.Owner == owner && one.Name == name);
        if (known < 0)
        {
            _names.Add(new LanguageName(owner, name, signature, about));
        }
        else if (_names[known].Signature.Length == 0 && signature.Length > 0)
        {
            _names[known] = new LanguageName(owner, name, signature, about);
        }
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Spans();

    [GeneratedRegex(@"^(\.?[A-Za-z_][\w.]*)(\(.*\))?")]
    private static partial Regex Name();
}

/// <summary>A name of the language.</summary>
/// <param name="Owner">What it belongs to; null where it stands alone.</param>
/// <param name="Signature">In brackets; empty for what is not called.</param>
/// <param name="About">What it is, as Markdown.</param>
public sealed record LanguageName(string? Owner, string Name, string Signature, string About);
