using System.Net;
using Eddy.Egress;

namespace Eddy.Mail.Delivery;

/// <summary>The server that mails are handed to (section <c>Mail:Smtp</c>). Without a host nothing is sent: mails wait in the outbox.</summary>
public sealed class SmtpOptions
{
    private const int ImplicitTlsPort = 465;

    public string? Host { get; set; }

    /// <summary>587 where people hand in mail, 465 where TLS begins with the connection, 25 between servers.</summary>
    public int Port { get; set; } = 587;

    /// <summary>How the connection is encrypted. Without a word of it: from its beginning at port 465, by STARTTLS at any other.</summary>
    public SmtpTls? Tls { get; set; }

    public string? User { get; set; }

    public string? Password { get; set; }

    /// <summary>What stands behind the @ of senders: <c>acme@eddy.example.com</c>. Its SPF and DKIM records have to name the server.</summary>
    public string? Domain { get; set; }

    /// <summary>A PEM file of roots to trust beside those of the machine, for a server of one's own.</summary>
    public string? TrustedRoots { get; set; }

    /// <summary>How many connections a worker may have at once.</summary>
    public int Connections { get; set; } = 4;

    /// <summary>How long one try may take. A worker that dies in it has its mails taken by another after twice this time.</summary>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromMinutes(2);

    /// <summary>How often it is looked for what is due, should a wake-up be lost.</summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>There is a server to hand mails to.</summary>
    public bool IsOn => !string.IsNullOrEmpty(Host);

    /// <summary>How the connection is encrypted, whether it is said or not.</summary>
    public SmtpTls EffectiveTls => Tls ?? (Port == ImplicitTlsPort ? SmtpTls.Implicit : SmtpTls.StartTls);

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (!IsOn)
        {
            yield break;
        }

        if (Port is < 1 or > 65535)
        {
            yield return $"Mail:Smtp:Port is {Port}; a port is from 1 to 65535.";
        }

        if (Domain is null || MailAddress.Fault($"a@{Domain}") is not null)
        {
            yield return $"Mail:Smtp:Domain is '{Domain}'; it takes what stands behind the @ of those who send, as eddy.example.com does.";
        }

        if (User is null != Password is null)
        {
            yield return "Mail:Smtp:User and Mail:Smtp:Password go together; one of them is not set.";
        }

        if (User is not null && EffectiveTls == SmtpTls.Off && !(IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address)))
        {
            yield return "Mail:Smtp:Tls is Off and Mail:Smtp:Password is set: it would cross the net for all to read. Leave one of them out.";
        }

        if (Connections is < 1 or > 100)
        {
            yield return $"Mail:Smtp:Connections is {Connections}; it takes 1 to 100.";
        }

        if (Timeout < TimeSpan.FromSeconds(1) || Timeout > TimeSpan.FromHours(1))
        {
            yield return $"Mail:Smtp:Timeout is {Timeout}; it takes a second to an hour.";
        }

        if (Poll < TimeSpan.FromMilliseconds(10) || Poll > TimeSpan.FromMinutes(10))
        {
            yield return $"Mail:Smtp:Poll is {Poll}; it takes 10 ms to ten minutes.";
        }

        if (TrustedRoots is not null && ServerTrust.Fault(TrustedRoots) is { } fault)
        {
            yield return "Mail:Smtp: " + fault;
        }
    }
}

/// <summary>How a connection to a mail server is encrypted.</summary>
public enum SmtpTls
{
    /// <summary>It begins in the clear and is encrypted before anything is said; a server that does not offer it is not used.</summary>
    StartTls,

    /// <summary>From its first byte.</summary>
    Implicit,

    /// <summary>Not at all: for a server on the same machine.</summary>
    Off,
}
