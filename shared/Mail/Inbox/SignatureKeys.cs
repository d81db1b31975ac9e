using System.Net;
using System.Text.RegularExpressions;
using DnsClient;
using Microsoft.Extensions.Caching.Memory;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Security;

namespace Eddy.Mail.Inbox;

/// <summary>
/// Finds the public keys of DKIM signatures, by DNS (RFC 6376, 3.6.2). Three endings: the key; <see cref="FormatException"/> where the domain has none of this name, has taken it back or only tries it out;
/// <see cref="IOException"/> where nobody says so in time, so that whoever asks later may get another answer.
/// </summary>
/// <param name="resolver">Who is asked; null for those of the machine.</param>
/// <param name="patience">For an answer; within it, it is asked for twice.</param>
public sealed partial class SignatureKeys(IPEndPoint? resolver, TimeSpan patience) : DkimPublicKeyLocatorBase, IDisposable
{
    /// <summary>Whoever sends mail chooses what is asked for, so what is kept has a bound, and answers are kept neither very shortly nor for long.</summary>
    private const int MostKept = 10_000;

    private const int MostCharacters = 4_096;

    private static readonly TimeSpan ShortestKept = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LongestKept = TimeSpan.FromHours(1);

    private readonly MemoryCache _kept = new(new MemoryCacheOptions { SizeLimit = MostKept });
    private readonly Lazy<LookupClient> _client = new(() => Client(resolver, patience));

    public void Dispose() => _kept.Dispose();

    /// <remarks>Nobody waits for an answer on a thread: it is only there because the base asks for it.</remarks>
    public override AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken) =>
        LocatePublicKeyAsync(methods, domain, selector, cancellationToken).GetAwaiter().GetResult();

    public override async Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken)
    {
        var name = $"{selector}._domainkey.{domain}".ToLowerInvariant();
        if (name.Length > 253 || !NameForm().IsMatch(name))
        {
            throw new FormatException("The signature names a key that can not be asked for.");
        }

        if (!_kept.TryGetValue(name, out string? record))
        {
            (record, var ttl) = await AskAsync(name, cancellationToken);
            using var entry = _kept.CreateEntry(name);
            entry.Value = record;
            entry.Size = 1;
            entry.AbsoluteExpirationRelativeToNow = ttl < ShortestKept ? ShortestKept : ttl > LongestKept ? LongestKept : ttl;
        }

        return record is null ? throw new FormatException($"{domain} has no key {selector}.") : Key(record);
    }

    private async Task<(string? Record, TimeSpan Ttl)> AskAsync(string name, CancellationToken cancel)
    {
        try
        {
            var answer = await _client.Value.QueryAsync(new DnsQuestion(name, QueryType.TXT), cancel);
            if (answer.Header.ResponseCode is not (DnsHeaderResponseCode.NoError or DnsHeaderResponseCode.NotExistentDomain))
            {
                throw new IOException($"The name server answers {answer.Header.ResponseCode}.");
            }

            var found = answer.Answers.TxtRecords().Select(one => (Text: string.Concat(one.Text), Ttl: TimeSpan.FromSeconds(one.InitialTimeToLive))).FirstOrDefault(one => one.Text.Contains("p=", StringComparison.Ordinal) && one.Text.Length <= MostCharacters);
            return found.Text is null ? (null, ShortestKept) : (found.Text, found.Ttl);
        }
        catch (Exception fault) when (fault is DnsResponseException or InvalidOperationException)
        {
            throw new IOException($"No name server says whether there is a key: {fault.Message}", fault);
        }
    }

    // What the key may be used for is said beside it; MimeKit reads only what it is.
    private static AsymmetricKeyParameter Key(string record)
    {
        var tags = MessageVerdicts.Tags(record);
        var fault = tags.GetValueOrDefault("v", "DKIM1") != "DKIM1" ? "is of another version"
            : tags.GetValueOrDefault("p", "").Length == 0 ? "was taken back"
            : Lists("t").Contains("y") ? "is only tried out"
            : tags.ContainsKey("s") && !Lists("s").Intersect(["*", "email"]).Any() ? "is not for mail"
            : tags.ContainsKey("h") && !Lists("h").Contains("sha256") ? "is for digests that are not taken"
            : null;
        try
        {
            return fault is null ? GetPublicKey(record) : throw new FormatException($"The key {fault}.");
        }
        catch (Exception broken) when (broken is IOException or ArgumentException or InvalidOperationException or NotSupportedException or GeneralSecurityException)
        {
            throw new FormatException("The key is none.", broken);
        }

        IEnumerable<string> Lists(string tag) => tags.GetValueOrDefault(tag, "").Split(':', StringSplitOptions.TrimEntries);
    }

    // What is kept is kept here, with a bound; there it would have none.
    private static LookupClient Client(IPEndPoint? resolver, TimeSpan patience)
    {
        var options = resolver is null ? new LookupClientOptions() : new LookupClientOptions(resolver);
        options.UseCache = false;
        options.Timeout = patience / 2;
        options.Retries = 1;
        return new LookupClient(options);
    }

    [GeneratedRegex(@"^[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})+$", RegexOptions.CultureInvariant)]
    private static partial Regex NameForm();
}
