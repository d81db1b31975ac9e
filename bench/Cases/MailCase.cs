using System.Globalization;
using Eddy.Bench.Load;
using Eddy.Bench.Report;
using Eddy.Tests.Mail;

namespace Eddy.Bench.Cases;

/// <summary>
/// Mail that comes in: from the moment at which the receiving server has put a message into the mailbox until the change of the rule that it wakes is committed. The product is one of its own, with a real
/// IMAP server (Dovecot, a maildir) beside it.
/// </summary>
internal sealed class MailCase : ICase
{
    private const int FloodPerSecond = 20;

    private const string Rule =
        """
        class letter(Rule):
            listens_to = ["mail_subject"]

            def action(self):
                self.seen = self.mail_subject

        """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    public string Name => "mail";

    public bool NeedsProduct => false;

    public void Measure(Stage stage)
    {
        var servers = new MailServers();
        try
        {
            servers.StartAsync().GetAwaiter().GetResult();
            var domain = servers.MakeDomain("in");
            using var product = Product.Start(stage.Root, Path.Combine(stage.Root, "artifacts", $"bench-mail-{Environment.ProcessId}"), Settings(servers, domain), stage.Cancel);
            using var db = new BenchDb(product.Connection("eddy", stage.Cancel), stage.Cancel);
            var inbox = Open(db, servers, domain);
            Measure(stage, product, inbox);
        }
        finally
        {
            servers.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
    }

    private void Measure(Stage stage, Product product, Inbox inbox)
    {
        // The first wakes a cell.
        for (var n = 0; n < 5; n++)
        {
            inbox.Put();
            Until(stage, inbox, 0);
        }

        var took = new List<double>();
        for (var n = 0; n < stage.Plan.Mails; n++)
        {
            var put = inbox.Put();
            took.Add(Until(stage, inbox, 0));
            stage.Pause(TimeSpan.FromSeconds(1) - TimeProvider.System.GetElapsedTime(put) is { Ticks: > 0 } rest ? rest : TimeSpan.Zero);
        }

        took.Sort();
        stage.Sheet.Line(Name, "message to rule's change, one a second, p50", Unit.Milliseconds, aim: new Aim.AtMost(250)).Add(took[took.Count / 2]);
        stage.Sheet.Line(Name, "message to rule's change, one a second, p99", Unit.Milliseconds).Add(took[Math.Min(took.Count - 1, took.Count * 99 / 100)]);

        var (before, cpu, started) = (inbox.Seen(), CpuClock.Read(product, Environment.ProcessId), TimeProvider.System.GetTimestamp());
        var count = stage.Plan.MailFlood * FloodPerSecond;
        for (var n = 0; n < count; n++)
        {
            inbox.Put();
            if (TimeSpan.FromSeconds((n + 1.0) / FloodPerSecond) - TimeProvider.System.GetElapsedTime(started) is { Ticks: > 0 } early)
            {
                stage.Pause(early);
            }
        }

        var span = TimeProvider.System.GetElapsedTime(started);
        var settled = inbox.Seen() - before;
        var lag = Until(stage, inbox, 0);
        var spent = CpuClock.Read(product, Environment.ProcessId).Since(cpu);
        // What was not settled at the end may be as much as comes in while one message is on its way.
        stage.Sheet.Line(Name, $"settled a second, {FloodPerSecond} sent", Unit.PerSecond, aim: new Aim.AtLeast(FloodPerSecond * 0.95)).Add(settled / span.TotalSeconds);
        stage.Sheet.Line(Name, $"until the last was settled, {FloodPerSecond} a second sent", Unit.Milliseconds, aim: new Aim.AtMost(1000)).Add(lag);
        stage.Sheet.CpuOf(Name, $"{FloodPerSecond} a second").Add(spent.Per(count));

        // As many as there are, at once: how fast a full mailbox is emptied.
        var burst = TimeProvider.System.GetTimestamp();
        for (var n = 0; n < count; n++)
        {
            inbox.Put();
        }

        Until(stage, inbox, 0);
        stage.Sheet.Line(Name, $"settled a second, {count} at once", Unit.PerSecond).Add(count / TimeProvider.System.GetElapsedTime(burst).TotalSeconds);
    }

    /// <summary>Waits until all but so many that were put are settled; how many milliseconds that took.</summary>
    private static double Until(Stage stage, Inbox inbox, int left)
    {
        var asked = TimeProvider.System.GetTimestamp();
        while (inbox.Seen() < inbox.Sent - left)
        {
            if (TimeProvider.System.GetElapsedTime(asked) > Patience)
            {
                throw new BenchFault($"Of {inbox.Sent} mails {inbox.Seen()} were settled.");
            }

            stage.Pause(TimeSpan.FromMilliseconds(2));
        }

        return TimeProvider.System.GetElapsedTime(asked).TotalMilliseconds;
    }

    private static string[] Settings(MailServers servers, string domain) =>
    [
        $"Mail:Inbox:Domain={domain}", "Mail:Inbox:DeliveryHeaders:0=Envelope-To", $"Mail:Inbox:AuthenticationServers:0={MailServers.Name}",
        "Mail:Inbox:Imap:Host=127.0.0.1", string.Create(CultureInfo.InvariantCulture, $"Mail:Inbox:Imap:Port={servers.Imap}"), "Mail:Inbox:Imap:Tls=Implicit", $"Mail:Inbox:Imap:User={domain}",
        $"Mail:Inbox:Imap:Password={MailServers.Password}", $"Mail:Inbox:Imap:TrustedRoots={servers.Roots}",
    ];

    private static Inbox Open(BenchDb db, MailServers servers, string domain)
    {
        var tenant = BenchTenants.Make(db.Source, 1, Rule)[0];
        using var open = db.Source.CreateCommand(
            """
            insert into inbox_policies (tenant_id, opening, listed, secrets, takes_answers, answers_refused, changed_at, changed_by) values ($1, 'anyone', '{}', '{}', true, false, now(), 'bench');
            """);
        open.Parameters.Add(new() { Value = tenant.Id });
        open.ExecuteNonQuery();
        using var slug = db.Source.CreateCommand("select slug from tenants where id = $1");
        slug.Parameters.Add(new() { Value = tenant.Id });
        return new Inbox(db, servers, domain, tenant.Id, (string)slug.ExecuteScalar()!);
    }

    /// <summary>One tenant's inbox: what was put into it, and what came of that.</summary>
    private sealed class Inbox(BenchDb db, MailServers servers, string domain, Guid tenant, string slug)
    {
        public int Sent { get; private set; }

        /// <summary>Puts a message into the mailbox, each from somebody else; when that was.</summary>
        public long Put()
        {
            var number = Sent++;
            servers.Put(domain, string.Create(CultureInfo.InvariantCulture, $"""
                Return-Path: <ann{number}@people.test>
                Envelope-To: {slug}@{domain}
                Received: from client by {MailServers.Name} id {Guid.NewGuid():N}; Sat, 28 Nov 2026 12:00:00 +0000
                Authentication-Results: {MailServers.Name}; dmarc=pass header.from=people.test
                From: Ann <ann{number}@people.test>
                To: {slug}@{domain}
                Subject: mail {number}
                Message-ID: <{Guid.NewGuid():N}@people.test>
                Date: Sat, 28 Nov 2026 12:00:00 +0000
                Content-Type: text/plain; charset=utf-8

                The heating of room {number} is cold.

                """));
            return TimeProvider.System.GetTimestamp();
        }

        /// <summary>How many have woken the rule, and have its change in the log.</summary>
        public int Seen()
        {
            using var count = db.Source.CreateCommand("select count(*)::int from events where tenant_id = $1 and key = 'seen'");
            count.Parameters.Add(new() { Value = tenant });
            return (int)count.ExecuteScalar()!;
        }
    }
}
