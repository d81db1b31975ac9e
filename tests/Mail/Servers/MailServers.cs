using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Eddy.Mail.Delivery;
using MailKit.Net.Imap;
using MailKit.Security;
using MimeKit;

namespace Eddy.Tests.Mail;

/// <summary>
/// Real servers for mail on ports of their own: Exim for SMTP, which delivers into the maildirs that Dovecot serves by IMAP. They are started when a test first asks for them, run as an ordinary
/// user with all their files in one folder, and end with the test process, however that ends. Both ask for TLS, with a certificate that <see cref="Roots"/> vouches for.
/// </summary>
/// <remarks>
/// The benchmarks use them too. Each domain is one mailbox that takes all its addresses; a test makes one of its own (<see cref="MakeDomain"/>). There is nobody at <c>nobody@…</c>, and <c>later@…</c> is always told to come later.
/// </remarks>
public sealed class MailServers : IAsyncDisposable
{
    public const string User = "eddy", Password = "secret";

    /// <summary>The name under which the SMTP server writes <c>Authentication-Results</c>; those of domains that begin with <c>forged</c> fail.</summary>
    public const string Name = "mx.test";

    private const UnixFileMode All = (UnixFileMode)0b111_111_111;

    private const string Issuer = "CN=Eddy tests";

    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(20);

    /// <summary>Generous, for the machine may be busy.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(2);

    private readonly SemaphoreSlim _once = new(1, 1);
    private string _folder = "";
    private Process? _guardian;

    /// <summary>The SMTP server: STARTTLS at this port.</summary>
    public int Smtp { get; private set; }

    /// <summary>The same with TLS from the first byte.</summary>
    public int SmtpTls { get; private set; }

    /// <summary>The IMAP server, with TLS from the first byte.</summary>
    public int Imap { get; private set; }

    /// <summary>The file with the root that vouches for both.</summary>
    public string Roots => Path.Combine(_folder, "roots.pem");

    /// <summary>The settings of a worker that hands its mails to the SMTP server.</summary>
    public string[] Out(int? port = null) =>
    [
        "Mail:Smtp:Host=127.0.0.1", $"Mail:Smtp:Port={port ?? Smtp}", $"Mail:Smtp:User={User}", $"Mail:Smtp:Password={Password}", "Mail:Smtp:Domain=eddy.test", $"Mail:Smtp:TrustedRoots={Roots}",
    ];

    public SmtpOptions Options(int? port = null) => new()
    {
        Host = "127.0.0.1", Port = port ?? Smtp, User = User, Password = Password, Domain = "eddy.test", TrustedRoots = Roots, Poll = TimeSpan.FromMilliseconds(50),
    };

    /// <summary>Starts them, where nobody has.</summary>
    public async Task<MailServers> StartAsync()
    {
        await _once.WaitAsync();
        try
        {
            if (_guardian is null)
            {
                await StartServersAsync();
            }
        }
        finally
        {
            _once.Release();
        }

        return this;
    }

    /// <summary>A mailbox that takes all mail to this domain, which nobody else has. Its name is the user's at the IMAP server, too.</summary>
    public string MakeDomain(string prefix = "d")
    {
        var domain = $"{prefix}{Guid.NewGuid().ToString("N")[..10]}.test";
        MakeFolder(Path.Combine(_folder, "mail", domain));
        return domain;
    }

    /// <summary>The messages in a domain's mailbox, once there are so many.</summary>
    public async Task<IReadOnlyList<MimeMessage>> ReadAsync(string domain, int count)
    {
        var started = Stopwatch.GetTimestamp();
        List<string> files;
        while ((files = [.. Files(domain)]).Count < count)
        {
            await (Stopwatch.GetElapsedTime(started) < Longest ? Task.Delay(LookPause) : throw new TimeoutException($"{count} mails should have come to {domain}, and {files.Count} have."));
        }

        return [.. files.Order(StringComparer.Ordinal).Select(file => MimeMessage.Load(file))];
    }

    /// <summary>How many messages are in a domain's mailbox.</summary>
    public int Count(string domain) => Files(domain).Count();

    /// <summary>A client that is signed in to a domain's mailbox.</summary>
    public async Task<ImapClient> OpenAsync(string domain)
    {
        var client = new ImapClient { CheckCertificateRevocation = false, ServerCertificateValidationCallback = (_, certificate, _, _) => IsOurs(certificate) };
        await client.ConnectAsync("127.0.0.1", Imap, SecureSocketOptions.SslOnConnect);
        await client.AuthenticateAsync(domain, Password);
        return client;
    }

    /// <summary>The certificate is that of these servers.</summary>
    public static bool IsOurs(X509Certificate? certificate) => certificate?.Issuer == Issuer;

    /// <summary>Puts a message into a domain's mailbox as the SMTP server would have, without asking it.</summary>
    public void Put(string domain, string message)
    {
        var place = Path.Combine(_folder, "mail", domain);
        foreach (var part in new[] { "tmp", "new", "cur" })
        {
            MakeFolder(Path.Combine(place, part));
        }

        var name = $"{DateTime.UtcNow.Ticks}.{Guid.NewGuid():N}.test";
        File.WriteAllText(Path.Combine(place, "tmp", name), message.ReplaceLineEndings("\n"));
        Open(Path.Combine(place, "tmp", name));
        File.Move(Path.Combine(place, "tmp", name), Path.Combine(place, "new", name));
    }

    /// <summary>Whether the IMAP server may put anything into a folder of a domain's mailbox, which is there.</summary>
    public void Close(string domain, string folder, bool isClosed)
    {
        foreach (var part in Directory.GetDirectories(Path.Combine(_folder, "mail", domain, "." + folder)))
        {
            Open(part, isClosed ? (UnixFileMode)0b101_101_101 : All);
        }
    }

    /// <summary>As after a restored backup: the IMAP server has lost count of a domain's messages, and numbers them anew.</summary>
    public void LoseCount(string domain)
    {
        foreach (var file in Directory.GetFiles(Path.Combine(_folder, "mail", domain), "dovecot*").Where(file => Path.GetFileName(file) is "dovecot-uidlist" || Path.GetFileName(file).StartsWith("dovecot.index", StringComparison.Ordinal)))
        {
            File.Delete(file);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_guardian is not null)
        {
            _guardian.StandardInput.Close();
            await _guardian.WaitForExitAsync();
            _guardian.Dispose();
            Directory.Delete(_folder, recursive: true);
        }

        _once.Dispose();
    }

    private static void MakeFolder(string path)
    {
        if (!Directory.Exists(path))
        {
            Directory.CreateDirectory(path);
            Open(path);
        }
    }

    // To the servers, who may be somebody else.
    private static void Open(string path, UnixFileMode mode = All)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }

    private IEnumerable<string> Files(string domain) => new[] { "new", "cur" }.Select(part => Path.Combine(_folder, "mail", domain, part)).Where(Directory.Exists).SelectMany(Directory.GetFiles);

    private async Task StartServersAsync()
    {
        _folder = Directory.CreateTempSubdirectory("eddy-mail-").FullName;
        MakeCertificates();
        foreach (var part in new[] { "mail", "spool", "log", "run", "state" })
        {
            Directory.CreateDirectory(Path.Combine(_folder, part));
        }

        var owner = await OwnerAsync();
        // Ports that are free now may be taken in a moment: others are tried then.
        for (var left = 3; ; left--)
        {
            (Smtp, SmtpTls, Imap) = (FreePort(), FreePort(), FreePort());
            await File.WriteAllTextAsync(Path.Combine(_folder, "exim.conf"), Exim(owner));
            await File.WriteAllTextAsync(Path.Combine(_folder, "dovecot.conf"), Dovecot(owner));
            _guardian = Start(owner);
            if (await AnswerAsync())
            {
                return;
            }

            _guardian.StandardInput.Close();
            await _guardian.WaitForExitAsync();
            _guardian.Dispose();
            _guardian = null;
            if (left == 1)
            {
                throw new InvalidOperationException($"The mail servers did not start: {string.Join('\n', Directory.GetFiles(Path.Combine(_folder, "log")).Select(File.ReadAllText))}");
            }
        }
    }

    /// <summary>As whom they run: who runs the tests, and for root somebody who may do nothing.</summary>
    private static async Task<(string User, string Group)> OwnerAsync() => Environment.IsPrivilegedProcess ? ("nobody", "nogroup") : (await AskAsync("id", "-un"), await AskAsync("id", "-gn"));

    private static async Task<string> AskAsync(string program, string argument)
    {
        using var process = Process.Start(new ProcessStartInfo(program, [argument]) { RedirectStandardOutput = true })!;
        var answer = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return answer.Trim();
    }

    private Process Start((string User, string Group) owner)
    {
        // The shell's standard input is the servers' lifeline.
        const string Script = """
            dovecot -F -c "$1/dovecot.conf" >"$1/log/dovecot.out" 2>&1 &
            dovecot=$!
            /usr/sbin/exim4 -C "$1/exim.conf" -bdf -q10s >"$1/log/exim.out" 2>&1 &
            exim=$!
            cat >/dev/null
            kill $dovecot $exim 2>/dev/null
            wait $dovecot $exim
            """;
        string[] shell = ["sh", "-c", Script, "sh", _folder];
        var start = new ProcessStartInfo("sh", shell[1..]);
        if (Environment.IsPrivilegedProcess)
        {
            using var own = Process.Start("chown", ["-R", $"{owner.User}:{owner.Group}", _folder]);
            own.WaitForExit();
            start = new ProcessStartInfo("setpriv", [$"--reuid={owner.User}", $"--regid={owner.Group}", "--clear-groups", .. shell]);
        }

        start.RedirectStandardInput = true;
        start.WorkingDirectory = _folder;
        // Where Debian has servers is not on everybody's way.
        start.Environment["PATH"] = Environment.GetEnvironmentVariable("PATH") + ":/usr/sbin:/sbin";
        return Process.Start(start)!;
    }

    private async Task<bool> AnswerAsync()
    {
        for (var started = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(started) < Longest;)
        {
            if (_guardian!.HasExited)
            {
                return false;
            }

            try
            {
                foreach (var port in new[] { Smtp, SmtpTls, Imap })
                {
                    using var client = new TcpClient();
                    await client.ConnectAsync(IPAddress.Loopback, port);
                }

                return true;
            }
            catch (SocketException)
            {
                await Task.Delay(LookPause);
            }
        }

        return false;
    }

    private void MakeCertificates()
    {
        var (from, to) = (DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(30));
        using var rootKey = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var root = new CertificateRequest(Issuer, rootKey, HashAlgorithmName.SHA256);
        root.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        using var authority = root.CreateSelfSigned(from, to);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        names.AddDnsName("localhost");
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new("1.3.6.1.5.5.7.3.1")], false));
        using var server = request.Create(authority, from.AddHours(1), to.AddHours(-1), RandomNumberGenerator.GetBytes(12));
        File.WriteAllText(Roots, authority.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "server.pem"), server.ExportCertificatePem());
        File.WriteAllText(Path.Combine(_folder, "key.pem"), key.ExportPkcs8PrivateKeyPem());
    }

    private string Exim((string User, string Group) owner) => string.Create(CultureInfo.InvariantCulture, $$$"""
        exim_user = {{{owner.User}}}
        exim_group = {{{owner.Group}}}
        never_users =
        spool_directory = {{{_folder}}}/spool
        log_file_path = {{{_folder}}}/log/%slog
        pid_file_path = {{{_folder}}}/run/exim.pid
        primary_hostname = {{{Name}}}
        qualify_domain = {{{Name}}}
        local_interfaces = 127.0.0.1
        daemon_smtp_ports = {{{Smtp}}} : {{{SmtpTls}}}
        tls_on_connect_ports = {{{SmtpTls}}}
        tls_advertise_hosts = *
        tls_certificate = {{{_folder}}}/server.pem
        tls_privatekey = {{{_folder}}}/key.pem
        keep_environment =
        host_lookup =
        rfc1413_query_timeout = 0s
        smtputf8_advertise_hosts = *
        message_size_limit = 60M
        smtp_accept_max = 200
        smtp_accept_max_per_connection = 0
        smtp_accept_queue_per_connection = 0
        check_spool_space = 0
        deliver_drop_privilege = true
        timeout_frozen_after = 1h
        acl_smtp_rcpt = receiver
        acl_smtp_data = message

        begin acl
        receiver:
          deny message = 5.1.1 There is nobody of this name here
               local_parts = nobody
          defer message = 4.2.1 Come later
                local_parts = later
          accept domains = dsearch;{{{_folder}}}/mail
          deny message = 5.1.2 There is no such domain
        message:
          deny message = 5.7.1 This is not taken
               condition = ${if match{$h_subject:}{refuse-me}}
          warn condition = ${if match{${domain:$h_from:}}{^forged}{no}{yes}}
               add_header = :at_start:Authentication-Results: {{{Name}}}; spf=pass smtp.mailfrom=$sender_address; dmarc=pass header.from=${domain:$h_from:}
          warn condition = ${if match{${domain:$h_from:}}{^forged}}
               add_header = :at_start:Authentication-Results: {{{Name}}}; spf=fail smtp.mailfrom=$sender_address; dmarc=fail header.from=${domain:$h_from:}
          accept

        begin authenticators
        plain:
          driver = plaintext
          public_name = PLAIN
          server_prompts = :
          server_condition = ${if and {{eq{$auth2}{eddy}} {eq{$auth3}{secret}} } }
          server_set_id = $auth2
          server_advertise_condition = ${if def:tls_in_cipher}

        begin routers
        all:
          driver = accept
          domains = dsearch;{{{_folder}}}/mail
          transport = maildir

        begin transports
        maildir:
          driver = appendfile
          maildir_format
          directory = {{{_folder}}}/mail/$domain_data
          create_directory
          envelope_to_add
          return_path_add
          user = {{{owner.User}}}
          group = {{{owner.Group}}}

        begin retry
        * * F,1h,10s

        """);

    private string Dovecot((string User, string Group) owner) => string.Create(CultureInfo.InvariantCulture, $$"""
        base_dir = {{_folder}}/run
        state_dir = {{_folder}}/state
        log_path = {{_folder}}/log/dovecot.log
        protocols = imap
        listen = 127.0.0.1
        default_internal_user = {{owner.User}}
        default_internal_group = {{owner.Group}}
        default_login_user = {{owner.User}}
        ssl = required
        ssl_cert = <{{_folder}}/server.pem
        ssl_key = <{{_folder}}/key.pem
        mail_location = maildir:{{_folder}}/mail/%u
        mail_uid = {{owner.User}}
        mail_gid = {{owner.Group}}
        first_valid_uid = 1
        mail_max_userip_connections = 100
        maildir_stat_dirs = yes
        service anvil {
          chroot =
        }
        service stats {
          chroot =
        }
        service imap-login {
          chroot =
          inet_listener imap {
            port = 0
          }
          inet_listener imaps {
            port = {{Imap}}
            ssl = yes
          }
        }
        passdb {
          driver = static
          args = password={{Password}}
        }
        userdb {
          driver = static
          args = uid={{owner.User}} gid={{owner.Group}} home={{_folder}}/mail/%u
        }

        """);

    private static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(20_000, 32_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken.
            }
        }
    }
}
