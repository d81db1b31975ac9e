using Eddy.Mail.Delivery;
using Eddy.Mail.Inbox;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail;

/// <summary>
/// Delivers the outbox: takes what is due, and has it handed over to the mail server (<see cref="Handover"/>). Every worker has one; which of them gets to a mail does not matter. At least once: a crash after
/// the server has taken a mail and before that is written down has it sent again, under the same Message-ID. Without a server to hand mails to, they wait.
/// </summary>
public sealed class Courier(NpgsqlDataSource source, OutboxQueue queue, Handover handover, SmtpOptions options, InboxOptions inbox, InboxAddresses addresses, DkimKeys keys, TimeProvider time, ILogger<Courier> log)
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(5);

    private TaskCompletionSource _bell = NewBell();

    /// <summary>Runs until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        if (!options.IsOn)
        {
            log.LogInformation("There is no mail server to hand mails to (Mail:Smtp:Host); they wait in the outbox");
            await Task.Delay(Timeout.InfiniteTimeSpan, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return;
        }

        using var listener = new Listener(source, log);
        listener.On("eddy_post", _ => Ring());
        listener.OnConnected(Ring);
        listener.Start();
        await Task.WhenAll(Enumerable.Range(0, options.Connections).Select(_ => DeliverAsync(cancel)));
    }

    // Answers, and what fails later, come back to the process.
    private string? ReplyTo(DueMail mail) => inbox.Domain is not null && mail.Pid > 0 ? addresses.ForProcess(mail.Tenant, mail.Slug, mail.Pid) : null;

    /// <summary>Something may be due.</summary>
    private void Ring() => Interlocked.Exchange(ref _bell, NewBell()).TrySetResult();

    private static TaskCompletionSource NewBell() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task DeliverAsync(CancellationToken cancel)
    {
        using var relay = new Relay(options, keys, ReplyTo, time);
        var isTold = false;
        TenantId? last = null;
        while (!cancel.IsCancellationRequested)
        {
            // Listened for first, then looked.
            var (bell, pause) = (Volatile.Read(ref _bell), options.Poll);
            try
            {
                if (await queue.TakeAsync(last, cancel) is { } mail)
                {
                    last = mail.Tenant;
                    await handover.SendAsync(relay, mail, cancel);
                    continue;
                }

                if (last is not null)
                {
                    // From the first tenant again.
                    last = null;
                    continue;
                }

                relay.CloseIdle();
                pause = await queue.NextAsync(cancel) is { } next && next - time.GetUtcNow() is var left && left < options.Poll ? left : options.Poll;
                isTold = false;
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException && !cancel.IsCancellationRequested)
            {
                // Once for each time that the database is away.
                log.Log(isTold ? LogLevel.Debug : LogLevel.Warning, fault, "The courier could not see to the outbox");
                isTold = true;
                pause = LongestPause;
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                return;
            }

            // What is due and could not be taken is being taken by another.
            using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
            await Task.WhenAny(bell.Task, Task.Delay(pause < ShortestPause ? ShortestPause : pause, time, enough.Token));
            await enough.CancelAsync();
        }
    }
}
