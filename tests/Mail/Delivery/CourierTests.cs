using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Eddy.Mail;
using Eddy.Mail.Delivery;
using Eddy.Secrets;
using Eddy.Tests.Secrets;
using MimeKit;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Security;

namespace Eddy.Tests.Mail;

/// <summary>Mails of the outbox on their way to a real mail server.</summary>
public sealed class CourierTests(TestDatabase database, MailServers servers)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_mail_comes_to_all_its_receivers_signed_and_under_the_name_that_the_outbox_knows()
    {
        var (outbox, tenant, domain) = await OutboxAsync(masters: TestSecrets.Masters(TestSecrets.Line("one")));
        using var rsa = RSA.Create(2048);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, rsa.ExportPkcs8PrivateKeyPem(), Cancel);
        var keys = DkimKeys.Read([new DkimOptions { Domain = "eddy.test", Selector = "mail", KeyFile = file }], out var fault);
        File.Delete(file);
        fault.ShouldBeNull();
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}", $"bert@{domain}"], "Größe (PID:15)", html: "<p>Hello.</p>");
        var other = servers.MakeDomain();
        var international = await outbox.PutAsync(tenant, [$"jörg@{other}"], pid: 16);

        await using (outbox.StartCourier(keys))
        {
            await outbox.UntilAsync(tenant, id, "it is sent", (state, _) => state == MailState.Sent);
            await outbox.UntilAsync(tenant, international, "the other is sent", (state, _) => state == MailState.Sent);
        }

        var (_, tries, error, messageId, _) = await outbox.LookAsync(tenant, id);
        (tries, error).ShouldBe((1, null));
        var copies = await servers.ReadAsync(domain, 2);
        copies.Select(copy => copy.MessageId).Distinct().ShouldBe([messageId]);
        copies.Select(copy => copy.Headers["Envelope-to"]).Order(StringComparer.Ordinal).ShouldBe([$"anna@{domain}", $"bert@{domain}"]);
        var message = copies[0];
        message.Subject.ShouldBe("Größe (PID:15)");
        message.Headers["Return-path"].ShouldBe($"<{tenant.Slug}@eddy.test>");
        message.HtmlBody!.ShouldContain("<p>Hello.</p>");
        var signature = message.Headers[HeaderId.DkimSignature].ShouldNotBeNull();
        signature.ShouldContain("d=eddy.test");
        // What has not been signed no program obeys.
        copies.ShouldAllBe(copy => copy.Headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click");
        string.Concat(signature.Where(c => !char.IsWhiteSpace(c))).ShouldContain(":list-unsubscribe:list-unsubscribe-post", Case.Insensitive);
        (await IsSignedAsync(message, isInternational: false)).ShouldBeTrue();
        (await IsSignedAsync((await servers.ReadAsync(other, 1))[0], isInternational: true)).ShouldBeTrue();

        Task<bool> IsSignedAsync(MimeMessage signed, bool isInternational)
        {
            // As it came, byte for byte.
            var format = FormatOptions.Default.Clone();
            format.International = isInternational;
            return new DkimVerifier(new Published(rsa)).VerifyAsync(format, signed, signed.Headers[signed.Headers.IndexOf(HeaderId.DkimSignature)], Cancel);
        }
    }

    [Fact]
    public async Task Who_is_refused_is_told_of_in_the_servers_words_at_once_and_the_others_have_it()
    {
        var (outbox, tenant, domain) = await OutboxAsync();
        var some = await outbox.PutAsync(tenant, [$"anna@{domain}", $"nobody@{domain}", "x@elsewhere.test"]);
        var none = await outbox.PutAsync(tenant, [$"nobody@{domain}"]);
        var refused = await outbox.PutAsync(tenant, [$"anna@{domain}"], "refuse-me");

        await using (outbox.StartCourier())
        {
            foreach (var id in new[] { some, none, refused })
            {
                await outbox.UntilAsync(tenant, id, "it has ended", (state, _) => state != MailState.Waiting);
            }
        }

        var found = await outbox.LookAsync(tenant, some);
        found.State.ShouldBe(MailState.Partly);
        found.Refused.Keys.Order(StringComparer.Ordinal).ShouldBe([$"nobody@{domain}", "x@elsewhere.test"]);
        found.Refused[$"nobody@{domain}"].ShouldBe($"The mail server 127.0.0.1:{servers.Smtp} says: 550 5.1.1 There is nobody of this name here");
        (await outbox.LookAsync(tenant, none)).State.ShouldBe(MailState.Failed);
        found = await outbox.LookAsync(tenant, refused);
        (found.State, found.Tries).ShouldBe((MailState.Failed, 1));
        found.Error!.ShouldEndWith("says: 550 5.7.1 This is not taken");
        await Patience.UntilAsync("the mail has come", () => servers.Count(domain) == 1);
    }

    [Fact]
    public async Task Who_is_told_to_come_later_is_tried_again_alone()
    {
        var (outbox, tenant, domain) = await OutboxAsync();
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}", $"later@{domain}"]);

        await using (outbox.StartCourier())
        {
            await outbox.UntilAsync(tenant, id, "it was tried", (_, tries) => tries == 1);
            await Patience.UntilAsync("what came of it is known", Patience.Long, async () => (await outbox.LookAsync(tenant, id)).Error is not null);
            outbox.Clock.Turn(TimeSpan.FromMinutes(2));
            await outbox.UntilAsync(tenant, id, "it was tried again", (_, tries) => tries == 2);
        }

        var found = await outbox.LookAsync(tenant, id);
        found.State.ShouldBe(MailState.Waiting);
        found.Error!.ShouldEndWith("says: 451 4.2.1 Come later");
        await Patience.UntilAsync("the mail has come", () => servers.Count(domain) == 1);
    }

    [Fact]
    public async Task While_the_server_is_away_mails_wait_and_then_go_out_under_the_same_name()
    {
        await servers.StartAsync();
        using var gate = new ServerGate(servers.Smtp);
        gate.Close();
        var (outbox, tenant, domain) = await OutboxAsync(gate.Port);
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}"]);
        var tardy = await outbox.PutAsync(tenant, [$"bert@{domain}"]);
        string? name;

        await using (outbox.StartCourier())
        {
            for (var i = 1; i <= 3; i++)
            {
                await outbox.UntilTriedAsync(tenant, id, i);
                await outbox.UntilTriedAsync(tenant, tardy, i);
                (await outbox.LookAsync(tenant, id)).Error!.ShouldStartWith($"The mail server 127.0.0.1:{gate.Port} can not be reached: ");
                if (i < 3)
                {
                    outbox.Clock.Turn(TimeSpan.FromHours(4));
                }
            }

            name = (await outbox.LookAsync(tenant, id)).MessageId;
            gate.Open();
            outbox.Clock.Turn(TimeSpan.FromHours(4));
            await outbox.UntilAsync(tenant, id, "it is sent", (state, _) => state == MailState.Sent);
            await outbox.UntilAsync(tenant, tardy, "the other is sent", (state, _) => state == MailState.Sent);
        }

        (await servers.ReadAsync(domain, 2)).Select(message => message.MessageId).ShouldContain(name);
        (await outbox.LookAsync(tenant, id)).Error.ShouldBeNull();
    }

    [Fact]
    public async Task A_mail_that_could_not_be_delivered_for_two_days_is_given_up()
    {
        await servers.StartAsync();
        using var gate = new ServerGate(servers.Smtp);
        gate.Close();
        var (outbox, tenant, domain) = await OutboxAsync(gate.Port);
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}"]);

        await using (outbox.StartCourier())
        {
            await Patience.UntilAsync("it was tried", Patience.Long, async () => (await outbox.LookAsync(tenant, id)).Error is not null);
            outbox.Clock.Turn(TimeSpan.FromDays(2));
            await outbox.UntilAsync(tenant, id, "it is given up", (state, _) => state == MailState.Failed);
        }

        (await outbox.LookAsync(tenant, id)).Refused.Values.ShouldHaveSingleItem().ShouldStartWith("It was tried for two days, 2 times. The last time: The mail server");
    }

    [Fact]
    public async Task Two_couriers_deliver_each_mail_once_and_no_tenant_waits_for_anothers_many()
    {
        const int Many = 60;
        var (outbox, tenant, domain) = await OutboxAsync();
        var other = await TestTenant.MakeAsync(tenant.Database);
        for (var i = 0; i < Many; i++)
        {
            await outbox.PutAsync(tenant, [$"anna@{domain}"], string.Create(CultureInfo.InvariantCulture, $"mail {i}"));
        }

        var last = await outbox.PutAsync(other, [$"anna@{domain}"], "the other's");

        await using (outbox.StartCourier())
        await using (outbox.StartCourier())
        {
            await outbox.UntilAsync(other, last, "the other's is sent", (state, _) => state == MailState.Sent);
            await Patience.UntilAsync("all are sent", Patience.Long, async () => await WaitingAsync(tenant) == 0);
        }

        var found = await servers.ReadAsync(domain, Many + 1);
        found.Count.ShouldBe(Many + 1);
        found.Select(message => message.Subject).Distinct().Count().ShouldBe(Many + 1);
        // In the order in which they were handed over, which is that of the tenants' turns.
        found.Select(message => message.MessageId).Distinct().Count().ShouldBe(Many + 1);
    }

    [Fact]
    public async Task A_worker_that_died_has_its_mail_taken_by_another_once_its_lease_is_over()
    {
        var (outbox, tenant, domain) = await OutboxAsync();
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}"]);
        var dead = new OutboxQueue(tenant.Database.App, servers.Options(), outbox.Clock);
        var taken = (await dead.TakeAsync(null, Cancel)).ShouldNotBeNull();
        (await dead.TakeAsync(null, Cancel)).ShouldBeNull();

        outbox.Clock.Turn(TimeSpan.FromHours(1));
        await using (outbox.StartCourier())
        {
            await outbox.UntilAsync(tenant, id, "it is sent", (state, _) => state == MailState.Sent);
        }

        (await outbox.LookAsync(tenant, id)).MessageId.ShouldBe(taken.MessageId);
        // What the dead one thinks of it is of no account any more.
        (await dead.NoteAsync(taken, DeliveryTurn.Of(taken, DeliveryTry.Again("late"), outbox.Clock.GetUtcNow()), Cancel)).ShouldBeFalse();
        (await outbox.LookAsync(tenant, id)).State.ShouldBe(MailState.Sent);
    }

    [Fact]
    public async Task Nothing_is_said_to_a_server_that_offers_no_encryption_or_is_not_the_one_it_claims_to_be()
    {
        await servers.StartAsync();
        using var plain = new PlainServer();
        var (outbox, tenant, domain) = await OutboxAsync(plain.Port);
        var id = await outbox.PutAsync(tenant, [$"anna@{domain}"]);
        await using (outbox.StartCourier())
        {
            await Patience.UntilAsync("it was tried", Patience.Long, async () => (await outbox.LookAsync(tenant, id)).Error is not null);
        }

        (await outbox.LookAsync(tenant, id)).Error!.ShouldContain("offers no encryption (STARTTLS)");
        plain.Said.ShouldNotContain("MAIL FROM", Case.Insensitive);
        plain.Said.ShouldNotContain("AUTH", Case.Insensitive);

        var own = await database.OfItsOwnAsync();
        var distrustful = new TestOutbox(own, new SmtpOptions { Host = "127.0.0.1", Port = servers.Smtp, Domain = "eddy.test", Poll = TimeSpan.FromMilliseconds(50) });
        var another = await TestTenant.MakeAsync(own);
        id = await distrustful.PutAsync(another, [$"anna@{domain}"]);
        await using (distrustful.StartCourier())
        {
            await Patience.UntilAsync("it was tried", Patience.Long, async () => (await distrustful.LookAsync(another, id)).Error is not null);
        }

        (await distrustful.LookAsync(another, id)).Error!.ShouldContain("its certificate is not trusted");
        servers.Count(domain).ShouldBe(0);
    }

    private async Task<(TestOutbox Outbox, TestTenant Tenant, string Domain)> OutboxAsync(int? port = null, MasterKeys? masters = null)
    {
        await servers.StartAsync();
        var own = await database.OfItsOwnAsync();
        return (new TestOutbox(own, servers.Options(port), masters), await TestTenant.MakeAsync(own), servers.MakeDomain());
    }

    private static async Task<long> WaitingAsync(TestTenant tenant)
    {
        await using var count = tenant.Database.Superuser.CreateCommand("select count(*) from outbox where state = 'waiting'");
        return (long)(await count.ExecuteScalarAsync(Cancel))!;
    }

    /// <summary>The other half of the key, as DNS has it.</summary>
    private sealed class Published(RSA key) : IDkimPublicKeyLocator
    {
        public AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken = default)
        {
            (domain, selector).ShouldBe(("eddy.test", "mail"));
            return DotNetUtilities.GetRsaPublicKey(key.ExportParameters(false));
        }

        public Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken = default) =>
            Task.FromResult(LocatePublicKey(methods, domain, selector, cancellationToken));
    }

    /// <summary>A mail server that has never heard of encryption.</summary>
    private sealed class PlainServer : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly StringBuilder _said = new();

        public PlainServer()
        {
            _listener.Start();
            _ = AcceptAsync();
        }

        public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

        public string Said
        {
            get
            {
                lock (_said)
                {
                    return _said.ToString();
                }
            }
        }

        public void Dispose() => _listener.Dispose();

        private async Task AcceptAsync()
        {
            try
            {
                while (true)
                {
                    using var client = await _listener.AcceptTcpClientAsync();
                    using var reader = new StreamReader(client.GetStream());
                    await using var writer = new StreamWriter(client.GetStream()) { NewLine = "\r\n", AutoFlush = true };
                    await writer.WriteLineAsync("220 plain ESMTP");
                    while (await reader.ReadLineAsync() is { } line)
                    {
                        lock (_said)
                        {
                            _said.AppendLine(line);
                        }

                        await writer.WriteLineAsync(line.StartsWith("EHLO", StringComparison.OrdinalIgnoreCase) ? "250 plain" : "500 What?");
                    }
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                // The client is gone, or the test is over.
            }
        }
    }
}
