using System.Globalization;
using Eddy.Access;
using Eddy.Egress;
using Eddy.Mail;
using Eddy.Mail.Inbox;
using Eddy.Mail.Mailboxes;
using Eddy.Postgres;
using Eddy.Secrets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Mail;

/// <summary>A mailbox on a real server with a database of its own, and readers that a test starts.</summary>
internal sealed class TestInbox
{
    private readonly MailServers _servers;
    private readonly InboxOptions _options;

    private TestInbox(TestDatabase database, MailServers servers, string domain, InboxOptions options) => (Database, _servers, Domain, _options) = (database, servers, domain, options);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public TestDatabase Database { get; }

    /// <summary>What stands behind the @ of its inboxes.</summary>
    public string Domain { get; }

    /// <param name="port">Of the IMAP server, or of a way to it.</param>
    /// <param name="dns">Who is asked for the keys of signatures.</param>
    public static async Task<TestInbox> MakeAsync(TestDatabase database, MailServers servers, int? port = null, string? dns = null)
    {
        await servers.StartAsync();
        var (own, domain) = (await database.OfItsOwnAsync(), servers.MakeDomain("in"));
        return new TestInbox(own, servers, domain, new InboxOptions
        {
            Domain = domain,
            Dns = dns,
            DnsPatience = Patience.Long,
            DeliveryHeaders = ["Envelope-To"],
            AuthenticationServers = [MailServers.Name],
            Imap = new ImapOptions
            {
                Host = "127.0.0.1", Port = port ?? servers.Imap, Tls = MailTls.Implicit, User = domain, Password = MailServers.Password, TrustedRoots = servers.Roots, Poll = TimeSpan.FromSeconds(1), Lease = TimeSpan.FromSeconds(3),
            },
        });
    }

    /// <summary>The settings of a worker that reads the mailbox of this domain.</summary>
    public static string[] In(MailServers servers, string domain) =>
    [
        "Mail:Inbox:Imap:Host=127.0.0.1", $"Mail:Inbox:Imap:Port={servers.Imap}", "Mail:Inbox:Imap:Tls=Implicit", $"Mail:Inbox:Imap:User={domain}", $"Mail:Inbox:Imap:Password={MailServers.Password}",
        $"Mail:Inbox:Imap:TrustedRoots={servers.Roots}", "Mail:Inbox:Imap:Poll=00:00:01", "Mail:Inbox:Imap:Lease=00:00:10", $"Mail:Inbox:Domain={domain}", "Mail:Inbox:DeliveryHeaders:0=Envelope-To", $"Mail:Inbox:AuthenticationServers:0={MailServers.Name}",
    ];

    /// <summary>A tenant that takes mail of anyone, or says who else may.</summary>
    public Task<TestTenant> TenantAsync(string opening = "anyone", bool answersRefused = false) => OpenAsync(Database, opening, answersRefused);

    public static async Task<TestTenant> OpenAsync(TestDatabase database, string opening, bool answersRefused = false)
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync(
            $"insert into inbox_policies (tenant_id, opening, listed, secrets, takes_answers, answers_refused, changed_at, changed_by) values ($1, '{opening}', '{{}}', '{{}}', true, {answersRefused}, now(), 'test')");
        return tenant;
    }

    /// <summary>Puts a message for this address into the mailbox, as the SMTP server would have.</summary>
    public void Put(string to, string subject, string text = "Hello.", string from = "ann@people.test", string headers = "", string dmarc = "pass") => _servers.Put(Domain, Message(Domain, to, subject, text, from, headers, dmarc));

    public static string Message(string domain, string to, string subject, string text = "Hello.", string from = "ann@people.test", string headers = "", string dmarc = "pass") => string.Create(CultureInfo.InvariantCulture, $"""
        Return-Path: <{from}>
        Envelope-To: {to}@{domain}
        Received: from client by {MailServers.Name} id {Guid.NewGuid():N}; Sat, 28 Nov 2026 12:00:00 +0000
        Authentication-Results: {MailServers.Name}; dmarc={dmarc} header.from={from.Split('@')[1]}
        From: {from}
        To: {to}@{domain}
        Subject: {subject}
        Message-ID: <{Guid.NewGuid():N}@people.test>
        Date: Sat, 28 Nov 2026 12:00:00 +0000
        {headers}{(headers.Length > 0 ? "\n" : "")}
        {text}

        """);

    public InboxFactStore Facts => new(new EddyDbs(Database.App), new AccessStore(new EddyDbs(Database.App), TimeProvider.System), TimeProvider.System);

    /// <summary>Takes messages one by one, without a mailbox.</summary>
    public MessageTaker Taker()
    {
        var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var dbs = new EddyDbs(Database.App);
        return new MessageTaker(
            Database.App, new InboxPolicyStore(dbs, new AccessStore(dbs, TimeProvider.System), TimeProvider.System), Facts, new UnsubscribedStore(dbs), _options, new MailOptions { Site = "https://eddy.test" }, new SignatureKeys(_options.Resolver, _options.DnsPatience),
            ActivatorUtilities.CreateInstance<InboxMeters>(services), TimeProvider.System, NullLogger<MessageTaker>.Instance);
    }

    /// <summary>A reader, until it is disposed of.</summary>
    public IAsyncDisposable StartReader(MasterKeys? masters = null)
    {
        var dbs = new EddyDbs(Database.App);
        var taker = Taker();
        var tenants = new TenantMailboxes(Database.App, new SecretKeeper(new SecretStore(dbs, MasterKeys.None, TimeProvider.System), TimeProvider.System, NullLogger<SecretKeeper>.Instance), new EgressOptions(), TimeProvider.System);
        var reader = new MailReader(Database.App, taker, _options, new InboxAddresses(_options, masters ?? MasterKeys.None), tenants, new MailboxStore(dbs), TimeProvider.System, NullLogger<MailReader>.Instance);
        var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        return new Running(reader.RunAsync(stop.Token), stop);
    }

    /// <summary>What came in to a tenant: subject, state and process of each, in order of their subjects.</summary>
    public async Task<IReadOnlyList<StoredMessage>> MessagesAsync(TestTenant tenant) =>
        [.. (await new InboxStore(new EddyDbs(Database.App)).LastAsync(tenant.Id, null, 1000, Cancel)).OrderBy(message => message.Subject, StringComparer.Ordinal)];

    public Task UntilAsync(TestTenant tenant, int count) => Patience.UntilAsync($"{count} messages have come in", Patience.Long, async () => (await MessagesAsync(tenant)).Count >= count);

    /// <summary>How many messages are in these folders.</summary>
    public async Task<(int Left, int Processed, int Rejected)> FoldersAsync()
    {
        using var client = await _servers.OpenAsync(Domain);
        return (await CountAsync("INBOX"), await CountAsync("Processed"), await CountAsync("Rejected"));

        async Task<int> CountAsync(string name)
        {
            try
            {
                var folder = await client.GetFolderAsync(name, Cancel);
                await folder.StatusAsync(MailKit.StatusItems.Count, Cancel);
                return folder.Count;
            }
            catch (MailKit.FolderNotFoundException)
            {
                return 0;
            }
        }
    }

    public Task UntilFoldersAsync(int processed, int rejected) =>
        Patience.UntilAsync($"{processed} are processed and {rejected} rejected", Patience.Long, async () => await FoldersAsync() == (0, processed, rejected));

    private sealed class Running(Task work, CancellationTokenSource stop) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await work;
            stop.Dispose();
        }
    }
}
