using System.Net.Sockets;
using Eddy.Mail;
using Eddy.Mail.Mailboxes;

namespace Eddy.Tests.Mail;

/// <summary>A tenant's own mailbox lies on a server of its own choice: whatever that one says, the worker that reads for all tenants stays.</summary>
public sealed class HostileServerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_lists_four_thousand_million_messages_is_heard_up_to_a_bound()
    {
        using var server = new TestImapServer(async (command, say) =>
        {
            if (!command.StartsWith("UID SEARCH", StringComparison.Ordinal))
            {
                return false;
            }

            await say("* ESEARCH UID ALL 1:4294967294\r\n* SEARCH 1 2 3\r\n");
            return true;
        });
        using var mailbox = await OpenAsync(server);

        (await mailbox.ListAsync(Cancel)).Count.ShouldBeLessThanOrEqualTo(Mailbox.MostListed);
    }

    [Theory]
    [InlineData("UID FETCH", "* 1 FETCH (UID 1 BODY[]<0> {2000000000}\r\n")]
    [InlineData("UID FETCH", "* 1 FETCH (UID 1 FLAGS (")]
    [InlineData("UID SEARCH", "* SEARCH ")]
    public async Task A_server_that_never_ends_its_answer_is_left(string question, string begin)
    {
        const long Enough = 200L << 20;
        var said = 0L;
        using var server = new TestImapServer(async (command, say) =>
        {
            if (!command.StartsWith(question, StringComparison.Ordinal))
            {
                return false;
            }

            await say(begin);
            var much = string.Concat(Enumerable.Repeat("12345678 ", 10_000));
            while (Interlocked.Read(ref said) < Enough)
            {
                await say(much);
                Interlocked.Add(ref said, much.Length);
            }

            return true;
        });
        using var mailbox = await OpenAsync(server);

        var fault = await Should.ThrowAsync<Exception>(async () =>
        {
            await mailbox.ListAsync(Cancel);
            await mailbox.ReadAsync(1, 1 << 20, Cancel);
        });

        fault.ShouldBeAssignableTo<IOException>(fault.ToString())!.Message.ShouldBe("The server sends more than was asked for.");
        Interlocked.Read(ref said).ShouldBeLessThan(Enough);
    }

    private static Task<Mailbox> OpenAsync(TestImapServer server) =>
        Mailbox.OpenAsync(new ImapOptions { Host = "127.0.0.1", Port = server.Port, Tls = MailTls.Off, User = "somebody", Password = "secret" }, new Socket(SocketType.Stream, ProtocolType.Tcp), Cancel);
}
