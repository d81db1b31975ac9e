namespace Eddy.Client.Runs;

/// <summary>
/// KVPs as they are typed on a command line: <c>temperature=95</c>, <c>temperature:=95</c>, <c>temperature := 95</c>. They go to the server as lines of <c>key := value</c>, so that values are read by
/// the one grammar that there is.
/// </summary>
public static class KvpArguments
{
    private const string Sign = ":=";

    public static string Lines(IReadOnlyList<string> words)
    {
        var lines = new List<string>();
        for (var at = 0; at < words.Count; at++)
        {
            if (at + 2 < words.Count && words[at + 1] == Sign)
            {
                lines.Add(Line(words[at], words[at + 2]));
                at += 2;
                continue;
            }

            var equals = words[at].IndexOf('=', StringComparison.Ordinal);
            if (equals < 1 || words[at].AsSpan(0, equals).Trim(": ").IsEmpty)
            {
                throw new ClientFault($"'{words[at]}' is no KVP: write KEY=VALUE, or KEY := VALUE.", ClientFault.Usage);
            }

            var isSign = words[at][equals - 1] == ':';
            lines.Add(Line(words[at][..(isSign ? equals - 1 : equals)].TrimEnd(), isSign ? words[at][(equals + 1)..].TrimStart() : words[at][(equals + 1)..]));
        }

        return string.Join('\n', lines);
    }

    private static string Line(string key, string value)
    {
        if (key.Contains('\n', StringComparison.Ordinal) || key.Contains('\r', StringComparison.Ordinal))
        {
            throw new ClientFault("A key is on one line.", ClientFault.Usage);
        }

        if (!value.Contains('\n', StringComparison.Ordinal))
        {
            return $"{key} {Sign} {value}";
        }

        var quotes = value.Contains("\"\"\"", StringComparison.Ordinal) ? "'''" : "\"\"\"";
        return !value.Contains(quotes, StringComparison.Ordinal) && value[^1] != quotes[0]
            ? $"{key} {Sign} {quotes}{value}{quotes}"
            : throw new ClientFault($"The value of {key} can not be written as text over several lines; send it as JSON: --body FILE.", ClientFault.Usage);
    }
}
