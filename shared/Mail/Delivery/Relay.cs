using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Eddy.Egress;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Eddy.Mail.Delivery;

/// <summary>A connection to the server that mails are handed to, opened when it is needed. One mail at a time.</summary>
/// <param name="replyTo">Where answers to a mail go, and what fails later; null for its sender.</param>
public sealed class Relay(SmtpOptions options, DkimKeys keys, Func<DueMail, string?> replyTo, TimeProvider time) : IDisposable
{
    private const int MostWords = 300;

    /// <summary>After this time without a mail it is asked whether the server is still there.</summary>
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(30);

    private readonly ServerTrust _trust = new(options.TrustedRoots);
    private Client? _client;
    private long _usedAt;

    /// <summary>
    /// Hands one message of a mail over to the server. Whatever becomes of it is a value. Where the connection is lost after the server has the whole text, it is not known
    /// whether it took it: the mail counts as not delivered, and goes out again.
    /// </summary>
    /// <exception cref="OperationCanceledException">It is told to stop. It may have been delivered.</exception>
    public async Task<DeliveryTry> TryAsync(DueMail mail, Parcel parcel, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(options.Timeout);
        try
        {
            return await ConnectAsync(limit.Token) is { } fault ? DeliveryTry.Away(fault) : await SendAsync(_client!, mail, parcel, limit.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            Close();
            return DeliveryTry.Away($"{Server} took longer than {options.Timeout}.");
        }
        catch
        {
            Close();
            throw;
        }
    }

    public void Dispose() => Close();

    /// <summary>Ends the connection where it has not been needed for a while.</summary>
    public void CloseIdle()
    {
        if (_client is not null && time.GetElapsedTime(_usedAt) > Idle)
        {
            Close();
        }
    }

    private void Close()
    {
        _client?.Dispose();
        _client = null;
    }

    private string Server => string.Create(CultureInfo.InvariantCulture, $"The mail server {options.Host}:{options.Port}");

    private async Task<string?> ConnectAsync(CancellationToken cancel)
    {
        if (_client is not null)
        {
            try
            {
                if (time.GetElapsedTime(_usedAt) > Fresh)
                {
                    await _client.NoOpAsync(cancel);
                }

                if (_client.IsConnected)
                {
                    return null;
                }
            }
            catch (Exception e) when (IsLost(e) || e is CommandException)
            {
                // It may have closed a connection that was idle, which is its right.
            }

            Close();
        }

        var client = new Client { LocalDomain = options.Domain, CheckCertificateRevocation = false, Timeout = (int)options.Timeout.TotalMilliseconds };
        if (_trust.Options().RemoteCertificateValidationCallback is { } verify)
        {
            client.ServerCertificateValidationCallback = verify;
        }

        try
        {
            var tls = options.EffectiveTls switch { MailTls.Implicit => SecureSocketOptions.SslOnConnect, MailTls.StartTls => SecureSocketOptions.StartTls, _ => SecureSocketOptions.None };
            await client.ConnectAsync(options.Host!, options.Port, tls, cancel);
            if (options.User is not null)
            {
                await client.AuthenticateAsync(options.User, options.Password!, cancel);
            }

            (_client, _usedAt) = (client, time.GetTimestamp());
            return null;
        }
        catch (Exception e) when (IsLost(e) || e is CommandException or SslHandshakeException or AuthenticationException or SaslException or NotSupportedException)
        {
            client.Dispose();
            return e switch
            {
                SslHandshakeException => $"{Server} and this worker could not agree on encryption, or its certificate is not trusted: {Words(e.Message)}",
                NotSupportedException when options.EffectiveTls == MailTls.StartTls => $"{Server} offers no encryption (STARTTLS), and without it no mail is sent (Mail:Smtp:Tls).",
                AuthenticationException or SaslException or NotSupportedException => $"{Server} does not let this worker in: {Words(e.Message)}",
                _ => $"{Server} can not be reached: {Words(e.Message)}",
            };
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private async Task<DeliveryTry> SendAsync(Client client, DueMail mail, Parcel parcel, CancellationToken cancel)
    {
        var format = FormatOptions.Default.Clone();
        format.NewLineFormat = NewLineFormat.Dos;
        format.International = client.Capabilities.HasFlag(SmtpCapabilities.UTF8) && parcel.To.Any(IsInternational);
        var impossible = format.International ? [] : parcel.Receivers.Where(IsInternational).ToDictionary(one => one, _ => $"{Server} takes no addresses with other letters than those of English before the @ (SMTPUTF8).");
        var receivers = parcel.Receivers.Where(one => !impossible.ContainsKey(one)).ToList();
        if (receivers.Count == 0)
        {
            return new DeliveryTry([], impossible, null);
        }

        MimeMessage message;
        var answers = replyTo(mail);
        try
        {
            message = OutgoingMessage.Of(mail, parcel, options.Domain!, answers);
        }
        catch (ParseException e)
        {
            return DeliveryTry.Never(receivers, $"It can not be written as a mail: {Words(e.Message)}");
        }

        using (message)
        {
            // Signed is what is sent: as seven bits, no server on the way has a reason to write it anew.
            message.Prepare(EncodingConstraint.SevenBit);
            keys.Sign(format, message);
            client.Begin();
            string? later = null;
            var sender = new MailboxAddress(null, answers ?? message.From.Mailboxes.Single().Address);
            try
            {
                await client.SendAsync(format, message, sender, receivers.Select(one => new MailboxAddress(null, one)), cancel);
            }
            catch (SmtpCommandException e) when (e.ErrorCode == SmtpErrorCode.RecipientNotAccepted)
            {
                // Each of them is told of by itself.
            }
            catch (SmtpCommandException e)
            {
                client.Note(e);
            }
            catch (Exception e) when (IsLost(e))
            {
                Close();
                later = $"{Server} broke off: {Words(e.Message)}";
            }

            _usedAt = time.GetTimestamp();
            return Outcome(client, receivers, impossible, later);
        }
    }

    private DeliveryTry Outcome(Client client, List<string> receivers, Dictionary<string, string> impossible, string? fault)
    {
        var (refused, later) = (impossible, fault);
        foreach (var (address, answer) in client.Refused)
        {
            // By the address as it was given: the server was asked for it in its own spelling.
            var receiver = receivers.First(one => new MailboxAddress(null, one).Address == address);
            if ((int)answer.StatusCode >= 500)
            {
                refused[receiver] = Says(answer);
            }
            else
            {
                later ??= Says(answer);
            }
        }

        var left = receivers.Where(one => !refused.ContainsKey(one) && !client.Refused.Any(other => other.Address == new MailboxAddress(null, one).Address)).ToList();
        if (client.Never is { } never)
        {
            left.ForEach(one => refused[one] = Says(never));
            return new DeliveryTry([], refused, later) { IsAway = fault is not null };
        }

        // What could not be handed over whole is delivered to nobody.
        return new DeliveryTry(fault is null && client.Failure is null ? left : [], refused, later ?? (client.Failure is { } failure ? Says(failure) : null)) { IsAway = fault is not null };
    }

    private string Says(SmtpResponse answer) => string.Create(CultureInfo.InvariantCulture, $"{Server} says: {(int)answer.StatusCode} {Words(answer.Response)}");

    private static bool IsInternational(string address) => !Ascii.IsValid(address.AsSpan(0, address.LastIndexOf('@')));

    private static bool IsLost(Exception e) => e is IOException or SocketException or ProtocolException or ServiceNotConnectedException or TimeoutException;

    // A server's words may be of several lines and any length.
    private static string Words(string text)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length > MostWords ? line[..MostWords] + "…" : line;
    }

    /// <summary>Goes on with those receivers that the server takes.</summary>
    private sealed class Client : SmtpClient
    {
        public List<(string Address, SmtpResponse Answer)> Refused { get; } = [];

        /// <summary>It takes the mail for nobody, ever.</summary>
        public SmtpResponse? Never { get; private set; }

        /// <summary>It does not take it for now.</summary>
        public SmtpResponse? Failure { get; private set; }

        public void Begin()
        {
            Refused.Clear();
            (Never, Failure) = (null, null);
        }

        public void Note(SmtpCommandException fault)
        {
            var answer = new SmtpResponse(fault.StatusCode, fault.Message);
            // That one has to sign in first, or otherwise, is for the operator to mend and says nothing of the mail.
            var isOurs = fault.StatusCode is SmtpStatusCode.AuthenticationRequired or SmtpStatusCode.AuthenticationInvalidCredentials or SmtpStatusCode.AuthenticationMechanismTooWeak
                or SmtpStatusCode.EncryptionRequiredForAuthenticationMechanism;
            if ((int)fault.StatusCode >= 500 && !isOurs && fault.ErrorCode is (SmtpErrorCode.MessageNotAccepted or SmtpErrorCode.SenderNotAccepted))
            {
                Never = answer;
            }
            else
            {
                Failure = answer;
            }
        }

        protected override void OnRecipientNotAccepted(MimeMessage message, MailboxAddress mailbox, SmtpResponse response) => Refused.Add((mailbox.Address, response));
    }
}
