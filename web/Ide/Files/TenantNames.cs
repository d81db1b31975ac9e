using System.Text.RegularExpressions;
using Eddy.Ide.Kvps;
using Eddy.Kvps;

namespace Eddy.Ide.Files;

/// <summary>The names that there are in one tenant's Python, for one of its people: the language's, the tenant's keys with their last values, its modules, models and secrets.</summary>
public sealed partial record TenantNames(
    LanguageNames Language, IReadOnlyList<KnownKey> Keys, IReadOnlyList<string> Modules, IReadOnlyList<KnownModel> Models, IReadOnlyList<string> Secrets, TimeZoneInfo Zone)
{
    private const string Shared = "shared.";
    private const string AnyProcess = "a process";

    /// <summary>What may come next in a line that ends so.</summary>
    public IReadOnlyList<Proposal> Complete(string before)
    {
        if (Template().Match(before) is { Success: true } template)
        {
            return [.. KeysAfter(template.Groups[1].Value)];
        }

        if (Listening().Match(before) is { Success: true } listening)
        {
            return [.. KeysAfter(listening.Groups[1].Value)];
        }

        if (IsText(before))
        {
            return [];
        }

        if (FromModule().Match(before) is { Success: true } from)
        {
            return [.. Models.Where(model => model.Module == from.Groups[1].Value).Select(model => new Proposal(model.Name, "model", model.Module, null, model.About))];
        }

        if (Importing().IsMatch(before))
        {
            return [.. Modules.Select(module => new Proposal(module, "module", "library", null, null))];
        }

        if (Member().Match(before) is { Success: true } member)
        {
            return [.. MembersOf(member.Groups[1].Value)];
        }

        var named = Conditions().IsMatch(before) ? Keys.Where(key => !key.IsShared).Select(key => Of(key) with { Text = key.Name + "=" }) : [];
        return [.. named, .. Language.Of(null).Select(Of), .. Models.Select(model => new Proposal(model.Name, "model", model.Module, null, model.About))];
    }

    /// <summary>What the name is that ends here, as Markdown; null where nobody knows.</summary>
    public string? Explain(string before)
    {
        if (!IsText(before) && Member().Match(before) is { Success: true } member)
        {
            var (owner, name) = (member.Groups[1].Value, member.Groups[2].Value);
            return MembersOf(owner).FirstOrDefault(one => one.Name == name)?.About;
        }

        var word = Word().Match(before).Value;
        return Listening().IsMatch(before) || Template().IsMatch(before)
            ? Keys.FirstOrDefault(key => key.Key == word || key.Name == word)?.About(Zone)
            : IsText(before) ? null
            : Language.Find(null, word) is { } known ? Of(known).About : Models.FirstOrDefault(model => model.Name == word)?.About;
    }

    /// <summary>How it is called; null where nobody knows.</summary>
    public CallForm? SignatureOf(string call)
    {
        var at = call.LastIndexOf('.');
        var name = at < 0 ? Language.Find(null, call) : Language.Find(call[..at], call[(at + 1)..]);
        return name is not { Signature: ['(', .. var inside, ')'] } ? null
            : new CallForm(call + name.Signature, inside.Length == 0 ? [] : inside.Split(", "), name.About);
    }

    private IEnumerable<Proposal> MembersOf(string owner) => owner switch
    {
        "shared" => Keys.Where(key => key.IsShared).Select(Of),
        "secrets" => Secrets.Select(secret => new Proposal(secret, "secret", "secret", null, $"The placeholder of the secret `{secret}`; its value takes its place where a call goes out.")),
        "self" => [.. ProcessKeys(), .. Language.Of("self").Select(Of), .. Language.Of(AnyProcess).Select(Of)],
        "parent" or "child" or "new_child" => [.. ProcessKeys(), .. Language.Of(AnyProcess).Select(Of)],
        "children" => Language.Of("a query").Select(Of),
        _ when Models.FirstOrDefault(model => model.Name == owner) is not null => Language.Of("Model").Select(Of),
        _ => Language.Of(owner).Select(Of),
    };

    private IEnumerable<Proposal> ProcessKeys() => Keys.Where(key => !key.IsShared).Select(Of);

    private IEnumerable<Proposal> KeysAfter(string start) =>
        start.StartsWith(Shared, StringComparison.Ordinal) ? Keys.Where(key => key.IsShared).Select(Of) : [.. ProcessKeys(), .. Keys.Where(key => key.IsShared).Select(key => Of(key) with { Name = key.Key })];

    private Proposal Of(KnownKey key) => new(key.Name, "key", key.Last, null, key.About(Zone));

    private static Proposal Of(LanguageName name) =>
        new(name.Name, name.Signature.Length > 0 ? "method" : "name", name.Signature, null, $"`{(name.Owner is null or AnyProcess or "a query" ? "" : name.Owner + ".")}{name.Name}{name.Signature}`\n\n{name.About}");

    /// <summary>Within a text or a comment.</summary>
    private static bool IsText(string before)
    {
        var line = before[(before.LastIndexOf('\n') + 1)..];
        return Texts().Replace(line, "").AsSpan().IndexOfAny('"', '\'', '#') >= 0;
    }

    [GeneratedRegex(@"\{\{([\w.]*)$")]
    private static partial Regex Template();

    [GeneratedRegex(@"listens_to\s*=\s*\[[^\]]*[""']([\w.]*)$")]
    private static partial Regex Listening();

    [GeneratedRegex(@"^\s*from\s+([\w.]+)\s+import\s+(?:[\w, ]*)$")]
    private static partial Regex FromModule();

    [GeneratedRegex(@"^\s*(?:from|import)\s+[\w.]*$")]
    private static partial Regex Importing();

    [GeneratedRegex(@"([A-Za-z_][\w.]*)\.(\w*)$")]
    private static partial Regex Member();

    [GeneratedRegex(@"\.(?:filter|exclude|get|create|get_or_create|count)\((?:[^()]*,)?\s*\w*$")]
    private static partial Regex Conditions();

    [GeneratedRegex(@"[\w.]+$")]
    private static partial Regex Word();

    [GeneratedRegex(@"""(?:[^""\\]|\\.)*""|'(?:[^'\\]|\\.)*'")]
    private static partial Regex Texts();
}

/// <summary>A key of a tenant, as far as its log and its rules say.</summary>
/// <param name="Key">As rules name it: <c>shared.x</c> is shared.</param>
/// <param name="Json">Its last value, where this person may read it and it is not long.</param>
/// <param name="Pid">The process whose it is; 0 for shared.</param>
/// <param name="Writers">The rules that set it.</param>
/// <param name="Readers">The rules that read it or listen to it.</param>
public sealed record KnownKey(string Key, string? Json, long? Pid, DateTimeOffset? At, IReadOnlyList<string> Writers, IReadOnlyList<string> Readers)
{
    private const int Most = 60;

    public bool IsShared => Key.StartsWith("shared.", StringComparison.Ordinal);

    public string Name => IsShared ? Key["shared.".Length..] : Key;

    /// <summary>The last value and its type in a few words.</summary>
    public string? Last => Json is null ? null : $"{ShownText.Of(Json, Most)} ({KvpKind.Of(Json)})";

    /// <summary>As Markdown.</summary>
    public string About(TimeZoneInfo zone)
    {
        var value = Json is null ? "" : $": {KvpKind.Of(Json)}, last `{ShownText.Of(Json, Most).Replace('`', '\'')}`{(Pid > 0 ? $" in process {Pid}" : "")}{(At is { } at ? $", {TimeZoneInfo.ConvertTime(at, zone):yyyy-MM-dd HH:mm:ss}" : "")}";
        return $"**{Key}**{value}\n\n{Who("Set by", Writers)}\n\n{Who("Read by", Readers)}";
    }

    private static string Who(string what, IReadOnlyList<string> rules) => rules.Count == 0 ? $"{what} no rule." : $"{what} {string.Join(", ", rules.Select(rule => $"`{rule}`"))}.";
}

/// <summary>A model of a tenant's libraries.</summary>
public sealed record KnownModel(string Module, string Name, IReadOnlyList<string> Fields)
{
    public string About => $"A model of `{Module}`{(Fields.Count == 0 ? "." : $" with {string.Join(", ", Fields.Select(one => $"`{one}`"))}.")}";
}

/// <summary>What may stand at a place.</summary>
/// <param name="Kind">key, name, method, module, model or secret.</param>
/// <param name="Text">What is put in, where that is not the name.</param>
/// <param name="About">As Markdown.</param>
public sealed record Proposal(string Name, string Kind, string? Detail, string? Text, string? About);

/// <summary>How something is called.</summary>
public sealed record CallForm(string Label, IReadOnlyList<string> Parameters, string About);
