using Eddy.Mail.Inbox;
using Eddy.Mail.Mailboxes;
using Npgsql;

namespace Eddy.Mail;

/// <summary>Reads the mailbox into which the mail of all tenants comes.</summary>
public sealed class MailReader(NpgsqlDataSource source, MessageTaker taker, InboxOptions options, TimeProvider time, ILogger<MailReader> log)
{
    /// <summary>What the catch-all mailbox is called here.</summary>
    public const string CatchAll = "inbox";

    /// <summary>Runs until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        if (!options.IsOn)
        {
            log.LogInformation("There is no mailbox to read (Mail:Inbox:Imap:Host)");
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        var addresses = (await MailKeys.ReadAsync(source, cancel)).AddressesAt(options.Domain!);
        var place = new MailboxPlace(CatchAll, options.Imap, new MessageOwner.ByAddress(addresses), stop => Mailbox.OpenAsync(options.Imap, null, stop), (_, _) => Task.CompletedTask);
        await new MailboxReader(source, taker, place, time, log).RunAsync(cancel);
    }
}
