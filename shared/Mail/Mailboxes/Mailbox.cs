using System.Globalization;
using System.Net.Sockets;
using Eddy.Egress;
using Eddy.Mail.Inbox;
using MailKit;
using MailKit.Net.Imap;
using MailKit.Search;
using MailKit.Security;

namespace Eddy.Mail.Mailboxes;

/// <summary>An open mailbox at an IMAP server: the messages in its folder, and the two folders that they go to.</summary>
public sealed class Mailbox : IDisposable
{
    /// <summary>Messages that are listed at once; the others come after these.</summary>
    public const int MostListed = 100_000;

    // What may come in of the server's answers: to a question, and of a list that long.
    private const long AnswerBytes = 1 << 20;
    private const long ListBytes = MostListed * 12L;

    private readonly ServerStream _wire;
    private readonly ImapClient _client;
    private readonly IMailFolder _folder;
    private readonly IMailFolder _processed;
    private readonly IMailFolder _rejected;

    private volatile CancellationTokenSource? _idle;
    private volatile bool _isNews;
    private volatile bool _isChanged;
    private int _count;

    private Mailbox(ServerStream wire, ImapClient client, IMailFolder folder, IMailFolder processed, IMailFolder rejected)
    {
        (_wire, _client, _folder, _processed, _rejected) = (wire, client, folder, processed, rejected);
        _count = folder.Count;
        // The server tells of it whenever it is asked for anything, not only while it is waited for. Where as many came as went, the number alone does not tell: whatever changes, it is listed again.
        folder.CountChanged += (_, _) =>
        {
            _isNews |= folder.Count > _count;
            _count = folder.Count;
            _isChanged = true;
            _idle?.Cancel();
        };
    }

    /// <summary>By which numbers of messages are told apart; others after the server has lost count.</summary>
    public uint Validity => _folder.UidValidity;

    /// <summary>Something has come since the messages were last listed.</summary>
    public bool IsNews => _isNews;

    /// <summary>The server tells of new mail by itself.</summary>
    public bool CanIdle => _client.Capabilities.HasFlag(ImapCapabilities.Idle);

    /// <summary>Signs in and opens the folders, making those that are missing.</summary>
    /// <exception cref="MailboxFault">It can not; the message is a sentence for whoever has set it up.</exception>
    /// <param name="socket">Connected to the server, or not yet.</param>
    public static async Task<Mailbox> OpenAsync(ImapOptions options, Socket socket, CancellationToken cancel)
    {
        var server = string.Create(CultureInfo.InvariantCulture, $"The mail server {options.Host}:{options.Port}");
        var client = new ImapClient { CheckCertificateRevocation = false, Timeout = (int)TimeSpan.FromMinutes(1).TotalMilliseconds };
        if (new ServerTrust(options.TrustedRoots).Options().RemoteCertificateValidationCallback is { } verify)
        {
            client.ServerCertificateValidationCallback = verify;
        }

        try
        {
            var tls = options.EffectiveTls switch { MailTls.Implicit => SecureSocketOptions.SslOnConnect, MailTls.StartTls => SecureSocketOptions.StartTls, _ => SecureSocketOptions.None };
            if (!socket.Connected)
            {
                await socket.ConnectAsync(options.Host!, options.Port, cancel);
            }

            var wire = new ServerStream(socket);
            wire.Allow(AnswerBytes);
            await client.ConnectAsync(wire, options.Host!, options.Port, tls, cancel);
            await client.AuthenticateAsync(options.User, options.Password, cancel);
            var folder = options.Folder.Equals("INBOX", StringComparison.OrdinalIgnoreCase) ? client.Inbox! : await client.GetFolderAsync(options.Folder, cancel);
            var (processed, rejected) = (await MakeAsync(client, options.Processed, cancel), await MakeAsync(client, options.Rejected, cancel));
            await folder.OpenAsync(FolderAccess.ReadWrite, cancel);
            return new Mailbox(wire, client, folder, processed, rejected);
        }
        catch (Exception e) when (IsLost(e) || e is CommandException or SslHandshakeException or AuthenticationException or SaslException or NotSupportedException or FolderNotFoundException)
        {
            client.Dispose();
            socket.Dispose();
            // In it may be what the server says, at whatever length.
            var said = HeaderText.Line(e.Message, 300);
            throw new MailboxFault(e switch
            {
                SslHandshakeException => $"{server} and this worker could not agree on encryption, or its certificate is not trusted: {said}",
                NotSupportedException => $"{server} offers no encryption (STARTTLS), and without it no mail is read.",
                AuthenticationException or SaslException => $"{server} does not let {options.User} in: {said}",
                FolderNotFoundException => $"{server} has no folder {options.Folder}.",
                _ => $"{server} can not be reached: {said}",
            }, e);
        }
        catch
        {
            client.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The connection is gone, or the server does not do what is asked: another has to be opened.</summary>
    public static bool IsLost(Exception e) => e is IOException or SocketException or ProtocolException or ServiceNotConnectedException or TimeoutException or FolderNotOpenException or ServiceNotAuthenticatedException;

    /// <summary>The messages that are in the folder, in the order in which they came; no more than <see cref="MostListed"/>.</summary>
    public async Task<IReadOnlyList<uint>> ListAsync(CancellationToken cancel)
    {
        // Dovecot looks for what has come where it is asked to do nothing, and not where it is asked to search.
        _wire.Allow(AnswerBytes);
        await _client.NoOpAsync(cancel);
        (_isNews, _isChanged) = (false, false);
        _wire.Allow(ListBytes);
        // A server may say in a few characters that there are four thousand millions.
        return [.. (await _folder.SearchAsync(SearchQuery.NotDeleted, cancel)).Take(MostListed).Select(uid => uid.Id).Order()];
    }

    /// <summary>The bytes of a message, no more than so many; null where it is not there any more.</summary>
    public async Task<byte[]?> ReadAsync(uint uid, int most, CancellationToken cancel)
    {
        _wire.Allow(AnswerBytes + most);
        try
        {
            await using var stream = await _folder.GetStreamAsync(new UniqueId(Validity, uid), 0, most, cancel);
            using var bytes = new MemoryStream();
            await stream.CopyToAsync(bytes, cancel);
            return bytes.ToArray();
        }
        catch (MessageNotFoundException)
        {
            return null;
        }
    }

    /// <summary>Puts messages where they belong, once they are taken.</summary>
    public async Task MoveAsync(IReadOnlyList<uint> uids, bool isRejected, CancellationToken cancel)
    {
        if (uids.Count > 0)
        {
            _wire.Allow(AnswerBytes);
            await _folder.MoveToAsync([.. uids.Select(uid => new UniqueId(Validity, uid))], isRejected ? _rejected : _processed, cancel);
        }
    }

    /// <summary>Waits until the server tells of new mail, or the time is over.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider time, CancellationToken cancel)
    {
        _wire.Allow(AnswerBytes);
        if (!CanIdle)
        {
            await Task.Delay(_isChanged ? TimeSpan.Zero : atMost, time, cancel);
            await _client.NoOpAsync(cancel);
            return;
        }

        using var done = new CancellationTokenSource(atMost, time);
        _idle = done;
        try
        {
            if (!_isChanged)
            {
                await _client.IdleAsync(done.Token, cancel);
            }
        }
        finally
        {
            _idle = null;
        }
    }

    public void Dispose() => _client.Dispose();

    private static async Task<IMailFolder> MakeAsync(ImapClient client, string name, CancellationToken cancel)
    {
        try
        {
            return await client.GetFolderAsync(name, cancel);
        }
        catch (FolderNotFoundException)
        {
            var root = client.GetFolder(client.PersonalNamespaces[0]);
            return await root.CreateAsync(name, true, cancel) ?? throw new FolderNotFoundException(name);
        }
    }
}

/// <summary>A mailbox can not be opened. The message is a sentence for whoever has set it up.</summary>
public sealed class MailboxFault(string message, Exception inner) : Exception(message, inner);
