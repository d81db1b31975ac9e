namespace Eddy.Egress;

/// <summary>
/// Where a call goes, read from the tenant's URL and written anew: <paramref name="Host"/> in lower case and ASCII without a closing dot,
/// path and query as they were sent. Secrets are still placeholders.
/// </summary>
internal sealed record CallTarget(string Scheme, string Host, int Port, string Path, string Query)
{
    private static readonly UriCreationOptions AsItStands = new() { DangerousDisablePathAndQueryCanonicalization = true };

    public bool IsSecure => Scheme == Uri.UriSchemeHttps;

    /// <summary>Host and port as the Host header has them.</summary>
    public string Authority
    {
        get
        {
            var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
            return Port == (IsSecure ? 443 : 80) ? host : $"{host}:{Port}";
        }
    }

    public Uri ToUri()
    {
        Uri.TryCreate($"{Scheme}://{Authority}{Path}{Query}", AsItStands, out var url);
        return url ?? throw new CallRefused(CallFaults.Refused, "The URL can not be read.");
    }

    /// <summary>Reads a tenant's URL.</summary>
    /// <exception cref="CallRefused">It can not be called.</exception>
    public static CallTarget Read(string text)
    {
        if (text.Length > 16 << 10)
        {
            throw new CallRefused(CallFaults.TooLarge, $"The URL has {text.Length} characters; at most {16 << 10} go out.");
        }

        foreach (var letter in text)
        {
            if (letter is <= ' ' or '\\' or '\x7F' || char.IsControl(letter) || char.IsWhiteSpace(letter) || char.IsSurrogate(letter))
            {
                throw new CallRefused(CallFaults.Refused, "The URL has a space, a backslash or a control character; encode it with urllib.parse.quote.");
            }
        }

        var fragment = text.IndexOf('#', StringComparison.Ordinal);
        text = fragment < 0 ? text : text[..fragment];
        if (!Uri.TryCreate(text, AsItStands, out var url) || !url.IsAbsoluteUri)
        {
            throw new CallRefused(CallFaults.Refused, "The URL can not be read; it looks like https://host/path.");
        }

        if (url.Scheme != Uri.UriSchemeHttp && url.Scheme != Uri.UriSchemeHttps)
        {
            throw new CallRefused(CallFaults.Refused, $"Only http and https go out, not {Cut(url.Scheme)}.");
        }

        if (url.UserInfo.Length > 0 || AuthorityOf(text).Contains('@'))
        {
            throw new CallRefused(CallFaults.Refused, "A user name in a URL does not go out; give it as auth=(user, password).");
        }

        var host = HostOf(url);
        var tail = url.PathAndQuery;
        if (tail.Any(letter => letter is <= ' ' or > '~'))
        {
            throw new CallRefused(CallFaults.Refused, "The URL's path has letters beyond ASCII; encode them with urllib.parse.quote.");
        }

        var question = tail.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? tail : tail[..question];
        return new CallTarget(url.Scheme, host, url.Port, path.StartsWith('/') ? path : "/" + path, question < 0 ? "" : tail[question..]);
    }

    private static ReadOnlySpan<char> AuthorityOf(string text)
    {
        var rest = text.AsSpan(text.IndexOf(':', StringComparison.Ordinal) + 1).TrimStart('/');
        return rest.IndexOfAny('/', '?') is >= 0 and var end ? rest[..end] : rest;
    }

    private static string HostOf(Uri url)
    {
        string host;
        try
        {
            host = url.IdnHost.Trim('[', ']').ToLowerInvariant();
        }
        catch (UriFormatException)
        {
            host = "";
        }

        host = host.EndsWith('.') ? host[..^1] : host;
        if (host.Contains('%', StringComparison.Ordinal))
        {
            throw new CallRefused(CallFaults.Refused, "An address with a zone does not go out.");
        }

        if (url.HostNameType == UriHostNameType.IPv6 || EgressRules.IsHostName(host))
        {
            return host;
        }

        throw new CallRefused(CallFaults.Refused, $"'{Cut(host)}' is no name of a host.");
    }

    private static string Cut(string text) => text.Length > 100 ? text[..100] + "…" : text;
}
