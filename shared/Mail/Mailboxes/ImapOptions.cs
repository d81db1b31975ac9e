using Eddy.Egress;

namespace Eddy.Mail.Mailboxes;

/// <summary>Where a mailbox lies.</summary>
public sealed class ImapOptions
{
    public string? Host { get; set; }

    /// <summary>993 where TLS begins with the connection, 143 where STARTTLS follows.</summary>
    public int Port { get; set; } = 993;

    /// <summary>How the connection is encrypted. Without a word of it: by STARTTLS at port 143, from its beginning at any other.</summary>
    public MailTls? Tls { get; set; }

    public string User { get; set; } = "";

    public string Password { get; set; } = "";

    public string Folder { get; set; } = "INBOX";

    /// <summary>Where messages go that were taken; made where it is not there.</summary>
    public string Processed { get; set; } = "Processed";

    /// <summary>Where those go that are nobody's, or were refused.</summary>
    public string Rejected { get; set; } = "Rejected";

    /// <summary>A PEM file of roots to trust beside those of the machine, for a server of one's own.</summary>
    public string? TrustedRoots { get; set; }

    /// <summary>How often it is looked for mail where the server does not tell of it (IDLE).</summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>For how long after mail has come it is asked for more ten times a second, beside what the server tells by itself; zero for not at all.</summary>
    public TimeSpan Ask { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>After which time another worker reads the mailbox of one that is silent.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromMinutes(1);

    public bool IsOn => !string.IsNullOrEmpty(Host);

    public MailTls EffectiveTls => Tls ?? (Port == 143 ? MailTls.StartTls : MailTls.Implicit);

    /// <summary>Everything that is wrong with it, each after the name of its section.</summary>
    public IEnumerable<string> Faults()
    {
        if (!IsOn)
        {
            yield break;
        }

        if (Port is < 1 or > 65535)
        {
            yield return $"Port is {Port}; a port is from 1 to 65535.";
        }

        if (User.Length == 0 || Password.Length == 0)
        {
            yield return "User and Password are not both set.";
        }

        if (Folder.Length == 0 || Processed.Length == 0 || Rejected.Length == 0 || Folder == Processed || Folder == Rejected)
        {
            yield return "Folder, Processed and Rejected name the folder that is read and those that messages go to; a message must not come back to where it was read.";
        }

        if (Poll < TimeSpan.FromSeconds(1) || Poll > TimeSpan.FromHours(1))
        {
            yield return $"Poll is {Poll}; it takes a second to an hour.";
        }

        if (Ask < TimeSpan.Zero || Ask > TimeSpan.FromHours(1))
        {
            yield return $"Ask is {Ask}; it takes 0 to an hour.";
        }

        if (Lease < TimeSpan.FromSeconds(2) || Lease > TimeSpan.FromHours(1))
        {
            yield return $"Lease is {Lease}; it takes two seconds to an hour.";
        }

        if (TrustedRoots is not null && ServerTrust.Fault(TrustedRoots) is { } fault)
        {
            yield return fault;
        }
    }
}
