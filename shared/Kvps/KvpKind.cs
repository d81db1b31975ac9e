namespace Eddy.Kvps;

/// <summary>What a value is, in a word: <c>none</c>, <c>boolean</c>, <c>integer</c>, <c>float</c>, <c>text</c>, <c>list</c>, <c>dictionary</c>, <c>date</c>, <c>time</c>, <c>datetime</c>, <c>decimal</c>, <c>process</c>.</summary>
public static class KvpKind
{
    private static readonly string[] Tags = ["date", "time", "datetime", "decimal", "process"];

    /// <param name="canonical">Canonical JSON, in which a dictionary that looks like a tag is wrapped.</param>
    public static string Of(string canonical) => canonical[0] switch
    {
        '"' => "text",
        '[' => "list",
        '{' => Array.Find(Tags, tag => canonical.StartsWith($"{{\"${tag}\":", StringComparison.Ordinal)) ?? "dictionary",
        'n' => "none",
        't' or 'f' => "boolean",
        _ => canonical.Contains('.') ? "float" : "integer",
    };
}
