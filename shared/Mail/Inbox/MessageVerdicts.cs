using MimeKit;
using MimeKit.Cryptography;

namespace Eddy.Mail.Inbox;

/// <summary>
/// What is known of where a message comes from. The receiving server says so in the topmost run of <c>Authentication-Results</c> that bear its name (RFC 8601); what stands below another's, or below a
/// <c>Received</c>, came along with the message and is not believed. What it does not say of signatures is checked here.
/// </summary>
internal static class MessageVerdicts
{
    private const int MostSignatures = 5;

    /// <summary>Headers of which a message has one. Where there is a second, nobody can say which of them was signed.</summary>
    private static readonly HeaderId[] OnlyOnce =
        [HeaderId.From, HeaderId.Sender, HeaderId.ReplyTo, HeaderId.To, HeaderId.Cc, HeaderId.Subject, HeaderId.Date, HeaderId.MessageId, HeaderId.InReplyTo, HeaderId.References, HeaderId.ContentType, HeaderId.ContentTransferEncoding];

    public static async Task<MailVerdicts> OfAsync(MimeMessage message, MessageSettings settings, IDkimPublicKeyLocator? keys, CancellationToken cancel)
    {
        var told = Told(message.Headers, settings.AuthenticationServers);
        if (keys is null || told.Dkim.Count > 0)
        {
            return told;
        }

        var signatures = await CheckAsync(message, keys, settings.KeyPatience, cancel);
        return signatures.Count == 0 ? told : told with { Dkim = signatures, By = told.By is null ? "the check that was made here" : $"{told.By} and the check of its signatures that was made here" };
    }

    private static MailVerdicts Told(HeaderList headers, IReadOnlyList<string> servers)
    {
        var verdicts = MailVerdicts.Unknown;
        var dkim = new List<MailVerdict>();
        var (hasSpf, hasDmarc) = (false, false);
        foreach (var result in Run(headers, servers))
        {
            verdicts = verdicts with { By = verdicts.By ?? result.AuthenticationServiceIdentifier };
            foreach (var method in result.Results)
            {
                var word = (method.Result ?? "none").ToLowerInvariant();
                // The uppermost counts: that below it may have come along.
                switch (method.Method?.ToLowerInvariant())
                {
                    case "spf" when !hasSpf:
                        (hasSpf, verdicts) = (true, verdicts with { Spf = new(word, Domain(method, "smtp", "mailfrom")) });
                        break;
                    case "dmarc" when !hasDmarc:
                        (hasDmarc, verdicts) = (true, verdicts with { Dmarc = new(word, Domain(method, "header", "from")) });
                        break;
                    case "dkim" when dkim.Count < MostSignatures:
                        dkim.Add(new(word, Domain(method, "header", "d") ?? Domain(method, "header", "i")));
                        break;
                }
            }
        }

        return verdicts with { Dkim = dkim };
    }

    private static IEnumerable<AuthenticationResults> Run(HeaderList headers, IReadOnlyList<string> servers)
    {
        var hasBegun = false;
        foreach (var header in headers)
        {
            if (header.Id == HeaderId.AuthenticationResults)
            {
                if (!AuthenticationResults.TryParse(header.RawValue, out var result) || !servers.Contains(result.AuthenticationServiceIdentifier, StringComparer.OrdinalIgnoreCase))
                {
                    yield break;
                }

                hasBegun = true;
                yield return result;
            }
            else if (hasBegun && header.Id == HeaderId.Received)
            {
                yield break;
            }
        }
    }

    private static string? Domain(AuthenticationMethodResult method, string type, string name)
    {
        var value = method.Properties.FirstOrDefault(one => one.PropertyType.Equals(type, StringComparison.OrdinalIgnoreCase) && one.Property.Equals(name, StringComparison.OrdinalIgnoreCase))?.Value;
        return value is null ? null : DomainOf(value.Trim().Trim('<', '>')[(value.Trim().Trim('<', '>').LastIndexOf('@') + 1)..]);
    }

    private static async Task<List<MailVerdict>> CheckAsync(MimeMessage message, IDkimPublicKeyLocator keys, TimeSpan patience, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(patience);
        var verifier = new DkimVerifier(keys);
        var isDouble = message.Headers.Concat(message.Body?.Headers ?? []).Where(header => OnlyOnce.Contains(header.Id)).GroupBy(header => header.Id).Any(group => group.Skip(1).Any());
        var verdicts = new List<MailVerdict>();
        foreach (var (header, tags, domain) in Signatures(message))
        {
            verdicts.Add(new(isDouble || !IsWhole(message, tags) ? "policy" : await ResultAsync(verifier, message, header, limit.Token, cancel), domain));
        }

        return verdicts;
    }

    // Those that could vouch for the sender come first, however many others were put above them.
    private static List<(Header Header, Dictionary<string, string> Tags, string? Domain)> Signatures(MimeMessage message)
    {
        var from = HeaderText.Address(message.From.Mailboxes.FirstOrDefault()?.Address) is { } address ? address[(address.LastIndexOf('@') + 1)..] : null;
        return [.. message.Headers
            .Where(header => header.Id == HeaderId.DkimSignature)
            .Select(header => (Header: header, Tags: Tags(header.Value)))
            .Select(one => (one.Header, one.Tags, Domain: one.Tags.TryGetValue("d", out var domain) ? DomainOf(domain) : null))
            .OrderBy(one => from is not null && MailVerdicts.Aligns(one.Domain, from) ? 0 : 1)
            .Take(MostSignatures)];
    }

    // A signature of a part of the text (l=) says nothing of what somebody has put behind it, and one without the subject lets anybody write another above a letter that was signed once.
    private static bool IsWhole(MimeMessage message, Dictionary<string, string> tags) =>
        !tags.ContainsKey("l") && (!message.Headers.Contains(HeaderId.Subject) || tags.GetValueOrDefault("h", "").Split(':', StringSplitOptions.TrimEntries).Contains("subject", StringComparer.OrdinalIgnoreCase));

    private static async Task<string> ResultAsync(DkimVerifier verifier, MimeMessage message, Header header, CancellationToken limit, CancellationToken cancel)
    {
        try
        {
            return await verifier.VerifyAsync(message, header, limit) ? "pass" : "fail";
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return "temperror";
        }
        catch (Exception fault) when (fault is FormatException or ArgumentException or InvalidOperationException or NotSupportedException or Org.BouncyCastle.Security.GeneralSecurityException)
        {
            return "permerror";
        }
        catch (Exception fault) when (fault is IOException or TimeoutException or System.Net.Sockets.SocketException)
        {
            // The key could not be asked for.
            return "temperror";
        }
    }

    /// <summary>A list of <c>tag=value;</c> as signatures and keys have them.</summary>
    internal static Dictionary<string, string> Tags(string value)
    {
        var tags = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var tag in value.Split(';'))
        {
            if (tag.IndexOf('=', StringComparison.Ordinal) is > 0 and var equals)
            {
                tags.TryAdd(tag[..equals].Trim(), tag[(equals + 1)..].Trim());
            }
        }

        return tags;
    }

    // In the form that addresses have.
    private static string? DomainOf(string domain) => People.MailAddress.TryRead($"x@{domain}", out var address) ? address[2..] : null;
}
