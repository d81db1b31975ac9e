using System.Buffers;
using System.Net.Http.Headers;

namespace Eddy.Egress;

/// <summary>Which headers go out and come back: those that belong to a connection do neither, and nothing in one can end it early.</summary>
internal static class CallHeaders
{
    private const int Most = 200;

    private static readonly SearchValues<char> Token = SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    private static readonly HashSet<string> OfConnection = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings",
    };

    // The host says these itself; it waits for nobody's 100 Continue.
    private static readonly HashSet<string> OfHost = new(StringComparer.OrdinalIgnoreCase) { "Content-Length", "Host", "Expect" };

    private static readonly HashSet<string> Credentials = new(StringComparer.OrdinalIgnoreCase) { "Authorization", "Cookie", "Cookie2", "Proxy-Authorization" };

    public static bool IsToken(string text) => text.Length > 0 && text.AsSpan().IndexOfAnyExcept(Token) < 0;

    /// <summary>The headers of a request that go out.</summary>
    /// <exception cref="CallRefused">One is no header, there are too many, or Host names another host than the URL.</exception>
    public static List<KeyValuePair<string, string>> ForRequest(CallRequest request, CallTarget target, bool withoutCredentials, int bytes)
    {
        if (request.Headers.Count > Most)
        {
            throw new CallRefused(CallFaults.TooLarge, $"A request may have {Most} headers.");
        }

        var named = NamedByConnection(request.Headers);
        var headers = new List<KeyValuePair<string, string>>(request.Headers.Count);
        var length = 0;
        foreach (var (name, value) in request.Headers)
        {
            if (!IsToken(name))
            {
                throw new CallRefused(CallFaults.Refused, "A header's name is empty or has a letter that no name may have.");
            }

            if (FaultOf(value) is { } fault)
            {
                throw new CallRefused(CallFaults.Refused, $"The header {Cut(name)} has {fault}.");
            }

            if ((length += name.Length + value.Length + 4) > bytes)
            {
                throw new CallRefused(CallFaults.TooLarge, $"The headers of a request may have {bytes} bytes.");
            }

            if (name.Equals("Host", StringComparison.OrdinalIgnoreCase) && !IsHostOf(value, target))
            {
                throw new CallRefused(CallFaults.Refused, "The Host header names another host than the URL.");
            }

            if (!OfConnection.Contains(name) && !OfHost.Contains(name) && !named.Contains(name) && !(withoutCredentials && Credentials.Contains(name)))
            {
                headers.Add(new(name, value.Trim(' ', '\t')));
            }
        }

        return headers;
    }

    /// <summary>What is wrong with a header's value, or null. Values are Latin-1.</summary>
    public static string? FaultOf(string value)
    {
        foreach (var letter in value)
        {
            if (letter is < ' ' and not '\t' or '\x7F')
            {
                return "a line break or another control character";
            }

            if (letter > '\xFF')
            {
                return "a letter beyond Latin-1";
            }
        }

        return null;
    }

    /// <summary>The headers of an answer that come back.</summary>
    public static List<KeyValuePair<string, string>> OfAnswer(HttpResponseMessage answer)
    {
        var all = new List<KeyValuePair<string, string>>();
        Add(answer.Headers.NonValidated);
        Add(answer.Content.Headers.NonValidated);
        var named = NamedByConnection(all);
        all.RemoveAll(header => OfConnection.Contains(header.Key) || named.Contains(header.Key));
        return all;

        void Add(HttpHeadersNonValidated headers)
        {
            foreach (var (name, values) in headers)
            {
                foreach (var value in values)
                {
                    all.Add(new(name, value));
                }
            }
        }
    }

    private static HashSet<string> NamedByConnection(IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        var named = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in headers)
        {
            if (name.Equals("Connection", StringComparison.OrdinalIgnoreCase))
            {
                named.UnionWith(value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
            }
        }

        return named;
    }

    private static bool IsHostOf(string value, CallTarget target)
    {
        value = value.Trim(' ', '\t').ToLowerInvariant();
        if (value == target.Authority)
        {
            return true;
        }

        // With the usual port, or with a closing dot, it is the same host.
        var bare = target.Host.Contains(':', StringComparison.Ordinal) ? $"[{target.Host}]" : target.Host;
        return Uri.TryCreate($"{target.Scheme}://{value}/", UriKind.Absolute, out var url)
            && url.UserInfo.Length == 0 && url.PathAndQuery == "/" && url.Port == target.Port
            && (url.IdnHost.Trim('[', ']').TrimEnd('.') is var host) && (host == target.Host || host == bare);
    }

    private static string Cut(string text) => text.Length > 100 ? text[..100] + "…" : text;
}
