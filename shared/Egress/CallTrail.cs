using Eddy.Secrets;

namespace Eddy.Egress;

/// <summary>
/// The calls of one run: how many, how many bytes each way, and where redirects pointed. The libraries in a cell follow redirects by
/// themselves, so a call is taken for the next hop of a redirect if its URL is one that an earlier answer named, however it is escaped, or
/// if it is the very next call, a GET or HEAD, and goes to the origin that the last answer named. Safe for calls at the same time.
/// </summary>
public sealed class CallTrail
{
    private const int RememberedRedirects = 1000;

    private readonly Lock _lock = new();
    private readonly List<CallRecord> _records = [];
    private readonly Dictionary<string, Hop> _hops = [];
    private readonly SortedSet<string> _secrets = new(StringComparer.Ordinal);
    private readonly List<SecretSet> _sets = [];
    private Hop? _last;
    private int _calls;
    private long _bytesOut;
    private long _bytesIn;

    /// <summary>What was called, in the order of the ends.</summary>
    public IReadOnlyList<CallRecord> Records
    {
        get
        {
            lock (_lock)
            {
                return [.. _records];
            }
        }
    }

    /// <summary>The names of all secrets that were filled in.</summary>
    public IReadOnlyCollection<string> Secrets
    {
        get
        {
            lock (_lock)
            {
                return [.. _secrets];
            }
        }
    }

    /// <summary>The secrets of the tenant as they were at each call: what comes back is searched for all of them.</summary>
    internal IReadOnlyCollection<SecretSet> Sets
    {
        get
        {
            lock (_lock)
            {
                return [.. _sets];
            }
        }
    }

    /// <summary>Counts a call whose answer is known from an earlier try of the same run and is not asked for again.</summary>
    public void Replay(CallRequest request, CallAnswer answer, CallRecord record)
    {
        lock (_lock)
        {
            _calls++;
            _bytesOut += request.Body.Length;
            _bytesIn += answer.Body.Length;
            _secrets.UnionWith(record.Secrets);
            _records.Add(record);
            if (Uri.TryCreate(request.Url, UriKind.Absolute, out var url))
            {
                Answered(url, Follow(request.Method, url), answer.Status, answer.Headers);
            }
        }
    }

    /// <summary>Counts one more call. False where the run has had its share.</summary>
    internal bool Begin(int limit)
    {
        lock (_lock)
        {
            return ++_calls <= limit;
        }
    }

    /// <summary>Counts bytes that go out. False where they are too many.</summary>
    internal bool Send(long count, long limit)
    {
        lock (_lock)
        {
            return (_bytesOut += count) <= limit;
        }
    }

    /// <summary>Counts bytes that came in. False where they are too many.</summary>
    internal bool Receive(long count, long limit)
    {
        lock (_lock)
        {
            return (_bytesIn += count) <= limit;
        }
    }

    /// <summary>The redirect that this call follows; null where it follows none.</summary>
    internal Hop? Follow(string method, Uri url)
    {
        lock (_lock)
        {
            if (_hops.TryGetValue(Key(url), out var hop))
            {
                return hop;
            }

            // A server may spell an address so that this host and a library read it differently.
            return method is "GET" or "HEAD" && _last is { } last && last.To == Origin(url) ? last : null;
        }
    }

    /// <summary>Remembers where an answer points. A redirect that has been followed to an answer is forgotten: the next call there is the rule's own.</summary>
    internal void Answered(Uri url, Hop? followed, int status, IReadOnlyList<KeyValuePair<string, string>> headers)
    {
        lock (_lock)
        {
            _last = null;
            _hops.Remove(Key(url));
            if (status is < 300 or > 399)
            {
                return;
            }

            var location = headers.FirstOrDefault(header => header.Key.Equals("Location", StringComparison.OrdinalIgnoreCase)).Value;
            if (location is not null && Uri.TryCreate(Plain(url), Escape(location), out var target) && target.IsAbsoluteUri && target.Host.Length > 0)
            {
                // Credentials stay with the origin that the first call of the chain gave them to.
                _last = new Hop((followed?.Depth ?? 0) + 1, followed?.From ?? Origin(url), Origin(target));
                if (_hops.Count < RememberedRedirects)
                {
                    _hops[Key(target)] = _last;
                }
            }
        }
    }

    /// <summary>Remembers which secrets go out, before they do, and what is looked for in what comes back.</summary>
    internal void Use(SecretSet set, IEnumerable<string> names)
    {
        lock (_lock)
        {
            _secrets.UnionWith(names);
            if (!_sets.Contains(set))
            {
                _sets.Add(set);
            }
        }
    }

    internal void Record(CallRecord record)
    {
        lock (_lock)
        {
            _records.Add(record);
        }
    }

    internal static string Origin(Uri url)
    {
        string host;
        try
        {
            host = url.IdnHost;
        }
        catch (UriFormatException)
        {
            host = url.Host;
        }

        return $"{url.Scheme}://{host.TrimEnd('.').ToLowerInvariant()}:{url.Port}";
    }

    private static string Key(Uri url) => Origin(url) + Uri.UnescapeDataString(Plain(url).PathAndQuery);

    // The URL of a call is kept as it was sent, and can not be taken apart.
    private static Uri Plain(Uri url) => new(url.OriginalString);

    // Bytes of a header, which libraries pass on as they are.
    private static string Escape(string location) =>
        location.All(char.IsAscii) ? location : string.Concat(location.Select(letter => char.IsAscii(letter) ? letter.ToString() : $"%{(int)letter & 0xFF:X2}"));

    /// <summary>How many redirects led here, from which origin the first did, and to which the last.</summary>
    internal sealed record Hop(int Depth, string From, string To);
}
