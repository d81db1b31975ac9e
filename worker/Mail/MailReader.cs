using System.Net.Sockets;
using Eddy.Mail.Inbox;
using Eddy.Mail.Mailboxes;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail;

/// <summary>Reads the mailbox into which the mail of all tenants comes, and those that tenants have added.</summary>
public sealed class MailReader(
    NpgsqlDataSource source, MessageTaker taker, InboxOptions options, InboxAddresses addresses, TenantMailboxes tenants, MailboxStore store, TimeProvider time, ILogger<MailReader> log)
{
    /// <summary>What the mailbox for all is called here.</summary>
    private const string CatchAll = "inbox";

    private ImapOptions Imap => options.Imap;

    private readonly Dictionary<(TenantId Tenant, string Name), (StoredMailbox Mailbox, CancellationTokenSource Stop, Task Work)> _own = [];

    /// <summary>Runs until it is told to stop.</summary>
    public Task RunAsync(CancellationToken cancel) => Task.WhenAll(ReadCatchAllAsync(cancel), ReadOwnAsync(cancel));

    private async Task ReadCatchAllAsync(CancellationToken cancel)
    {
        if (!Imap.IsOn)
        {
            log.LogInformation("There is no mailbox for all tenants (Mail:Inbox:Imap:Host)");
            return;
        }

        var place = new MailboxPlace(CatchAll, Imap, new MessageOwner.ByAddress(addresses), stop => Mailbox.OpenAsync(Imap, new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true }, stop), (_, _) => Task.CompletedTask);
        await new MailboxReader(source, taker, place, time, log).RunAsync(cancel);
    }

    /// <summary>Looks every now and then which there are; one that was changed is read anew.</summary>
    private async Task ReadOwnAsync(CancellationToken cancel)
    {
        var isTold = false;
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(await tenants.AllAsync(cancel), cancel);
                isTold = false;
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException && !cancel.IsCancellationRequested)
            {
                log.Log(isTold ? LogLevel.Debug : LogLevel.Warning, fault, "Tenants' mailboxes can not be looked for");
                isTold = true;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }

            await Task.Delay(options.Look, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(_own.Keys.ToList().Select(StopAsync));
    }

    private async Task FollowAsync(IReadOnlyList<(TenantId Tenant, string Slug, StoredMailbox Mailbox)> all, CancellationToken cancel)
    {
        var wanted = all.ToDictionary(one => (one.Tenant, one.Mailbox.Name), one => one);
        // What was noted of it is no change.
        foreach (var key in _own.Where(one => one.Value.Work.IsCompleted || !wanted.TryGetValue(one.Key, out var now) || now.Mailbox.ChangedAt != one.Value.Mailbox.ChangedAt).Select(one => one.Key).ToList())
        {
            await StopAsync(key);
        }

        foreach (var (key, (tenant, slug, mailbox)) in wanted.Where(one => !_own.ContainsKey(one.Key)))
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            var place = new MailboxPlace(
                $"{tenant}/{mailbox.Name}", mailbox.Options("", null), new MessageOwner.Tenant(tenant, slug), token => tenants.OpenAsync(tenant, mailbox, token), (error, token) => store.NoteAsync(tenant, mailbox.Name, error, token));
            _own[key] = (mailbox, stop, new MailboxReader(source, taker, place, time, log).RunAsync(stop.Token));
        }
    }

    private async Task StopAsync((TenantId Tenant, string Name) key)
    {
        var (_, stop, work) = _own[key];
        _own.Remove(key);
        await stop.CancelAsync();
        await work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (work.Exception is { } fault)
        {
            log.LogError(fault, "The reader of the mailbox {Mailbox} of tenant {Tenant} failed; another is started", key.Name, key.Tenant);
        }

        stop.Dispose();
    }
}
