using Eddy.Secrets;

namespace Eddy.Egress;

/// <summary>
/// The calls of one run: how many, how many bytes each way, and where redirects pointed. The libraries in a cell follow redirects by
/// themselves, so a call is taken for the next hop of a redirect if its URL is one that an earlier answer named, or if it is the very
/// next call and goes to the origin that the last answer named. Safe for calls at the same time.
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
                Answered(url, Follow(url), answer.Status, answer.Headers);
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
    internal Hop? Follow(Uri url)
    {
        lock (_lock)
        {
            if (_hops.TryGetValue(Key(url), out var hop))
            {
                return hop;
            }

            return _last is { } last && last.To == Origin(url) ? last : null;
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

            foreach (var (name, value) in headers)
            {
                if (name.Equals("Location", StringComparison.OrdinalIgnoreCase) && Uri.TryCreate(url, value, out var target) && target.IsAbsoluteUri && target.Host.Length > 0)
                {
                    _last = new Hop((followed?.Depth ?? 0) + 1, Origin(url), Origin(target));
                    if (_hops.Count < RememberedRedirects)
                    {
                        _hops[Key(target)] = _last;
                    }

                    return;
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

    internal static string Origin(Uri url) => $"{url.Scheme}://{url.IdnHost.TrimEnd('.').ToLowerInvariant()}:{url.Port}";

    private static string Key(Uri url) => Origin(url) + new Uri(url.OriginalString).PathAndQuery;

    /// <summary>How many redirects led here, and from which origin to which the last one did.</summary>
    internal sealed record Hop(int Depth, string From, string To);
}
