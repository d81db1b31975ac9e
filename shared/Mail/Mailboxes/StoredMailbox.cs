using System.Globalization;
using System.Text.RegularExpressions;

namespace Eddy.Mail.Mailboxes;

/// <summary>A mailbox of a tenant's own, which is read beside the one for all. Its password is one of the tenant's secrets, which has to be for its host.</summary>
/// <param name="Name">What the tenant calls it.</param>
/// <param name="Secret">The name of the secret.</param>
public sealed partial record StoredMailbox(string Name, string Host, int Port, MailTls Tls, string User, string Secret, string Folder)
{
    /// <summary>Of one tenant.</summary>
    public const int Most = 10;

    /// <summary>Why it can not be read now, in a sentence; null where it can, or nobody has tried.</summary>
    public string? Error { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public string ChangedBy { get; init; } = "";

    /// <summary>The host as secrets have it.</summary>
    internal string Authority => string.Create(CultureInfo.InvariantCulture, $"{Host}:{Port}");

    /// <summary>How it is opened. Somebody else's server is not asked ten times a second.</summary>
    public ImapOptions Options(string password, string? trustedRoots) =>
        new() { Host = Host, Port = Port, Tls = Tls, User = User, Password = password, Folder = Folder, TrustedRoots = trustedRoots, Ask = TimeSpan.Zero };

    /// <summary>Everything that is wrong with it, in sentences.</summary>
    public IEnumerable<string> Faults()
    {
        if (!NameForm().IsMatch(Name))
        {
            yield return $"'{Name}' is no name of a mailbox: it has 1 to 40 letters of a to z, digits and hyphens.";
        }

        if (!Egress.EgressRules.IsHostName(Host))
        {
            yield return $"'{Host}' is no host, as imap.example.com is one.";
        }

        if (Port is < 1 or > 65535)
        {
            yield return $"{Port} is no port; IMAP has 993, or 143 with STARTTLS.";
        }

        if (Tls == MailTls.Off)
        {
            yield return "A mailbox is read over TLS: 'Implicit' at port 993, or 'StartTls' at 143.";
        }

        foreach (var (what, text) in new[] { ("user", User), ("secret", Secret), ("folder", Folder) })
        {
            if (text.Length is 0 or > 254 || text.Any(char.IsControl))
            {
                yield return $"The {what} has 1 to 254 characters, on one line.";
            }
        }
    }

    [GeneratedRegex("^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$", RegexOptions.CultureInvariant)]
    private static partial Regex NameForm();
}
