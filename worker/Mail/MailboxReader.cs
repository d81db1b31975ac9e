using Eddy.Mail.Mailboxes;
using Npgsql;

namespace Eddy.Mail;

/// <summary>
/// Reads one mailbox: takes what is in its folder, message by message, in the order in which they came, and moves each where it belongs. Every worker has one; one of them has the mailbox, and another takes
/// over where that one is silent. Whatever breaks off, the folder has what is left: a message that was taken and not moved yet is known, and only moved.
/// </summary>
internal sealed class MailboxReader(NpgsqlDataSource source, MessageTaker taker, MailboxPlace place, TimeProvider time, ILogger log)
{
    /// <summary>So many are moved together.</summary>
    private const int Window = 50;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>Its name in the leases.</summary>
    private readonly Guid _worker = Guid.CreateVersion7();

    private ImapOptions Imap => place.Imap;

    /// <summary>Runs until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken cancel)
    {
        var (pause, isTold, isWell) = (FirstPause, false, false);
        while (!cancel.IsCancellationRequested)
        {
            try
            {
                if (await LeaseAsync(cancel))
                {
                    await ReadAsync(
                        () =>
                        {
                            var wasWell = isWell;
                            (pause, isTold, isWell) = (FirstPause, false, true);
                            return wasWell ? Task.CompletedTask : place.NoteAsync(null, cancel);
                        },
                        cancel);
                    continue;
                }

                // Another has it; that one's time may be over soon.
                pause = Imap.Lease / 4;
            }
            catch (Exception fault) when ((fault is NpgsqlException or MailboxFault || Mailbox.IsLost(fault) || fault is MailKit.CommandException) && !cancel.IsCancellationRequested)
            {
                // Once for each time that one of them is away.
                log.Log(isTold ? LogLevel.Debug : LogLevel.Warning, fault, "The mailbox {Mailbox} can not be read now", place.Name);
                if (!isTold && fault is MailboxFault)
                {
                    await place.NoteAsync(fault.Message, cancel);
                }

                (isTold, isWell) = (true, false);
            }
            catch (OperationCanceledException) when (cancel.IsCancellationRequested)
            {
                break;
            }

            await Task.Delay(pause, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, pause.Ticks * 2));
        }

        await LeaveAsync();
    }

    /// <summary>Reads for as long as the connection and the lease hold.</summary>
    private async Task ReadAsync(Func<Task> isWell, CancellationToken cancel)
    {
        using var mailbox = await place.OpenAsync(cancel);
        while (await LeaseAsync(cancel))
        {
            foreach (var window in (await mailbox.ListAsync(cancel)).Chunk(Window))
            {
                if (!await TakeAsync(mailbox, window, cancel))
                {
                    return;
                }
            }

            await isWell();
            // The lease is said again before its time is over.
            await mailbox.WaitAsync(Imap.Poll < Imap.Lease / 3 ? Imap.Poll : Imap.Lease / 3, time, cancel);
        }
    }

    /// <summary>Takes a window of messages and moves them; false where another worker has the mailbox now.</summary>
    private async Task<bool> TakeAsync(Mailbox mailbox, uint[] window, CancellationToken cancel)
    {
        var (processed, rejected) = (new List<uint>(), new List<uint>());
        var known = await KnownAsync(mailbox.Validity, window, cancel);
        var leased = time.GetTimestamp();
        foreach (var uid in window)
        {
            if (time.GetElapsedTime(leased) > Imap.Lease / 3)
            {
                if (!await LeaseAsync(cancel))
                {
                    return false;
                }

                leased = time.GetTimestamp();
            }

            if (!known.TryGetValue(uid, out var isRejected))
            {
                if (await mailbox.ReadAsync(uid, taker.MostBytes, cancel) is not { } raw)
                {
                    // Somebody has taken it away.
                    continue;
                }

                isRejected = await taker.TakeAsync(new FetchedMessage(place.Name, mailbox.Validity, uid, raw), place.Whose, cancel);
            }

            (isRejected ? rejected : processed).Add(uid);
        }

        await mailbox.MoveAsync(processed, isRejected: false, cancel);
        await mailbox.MoveAsync(rejected, isRejected: true, cancel);
        return true;
    }

    private async Task<Dictionary<uint, bool>> KnownAsync(uint validity, uint[] uids, CancellationToken cancel)
    {
        await using var look = source.CreateCommand("select uid, is_rejected from taken_of($1, $2, $3)");
        look.Parameters.Add(new() { Value = place.Name });
        look.Parameters.Add(new() { Value = (long)validity });
        look.Parameters.Add(new() { Value = uids.Select(uid => (long)uid).ToArray() });
        await using var rows = await look.ExecuteReaderAsync(cancel);
        var known = new Dictionary<uint, bool>();
        while (await rows.ReadAsync(cancel))
        {
            known[(uint)rows.GetInt64(0)] = rows.GetBoolean(1);
        }

        return known;
    }

    private async Task<bool> LeaseAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var lease = source.CreateCommand("select lease_mailbox($1, $2, $3, $4)");
        lease.Parameters.Add(new() { Value = place.Name });
        lease.Parameters.Add(new() { Value = _worker });
        lease.Parameters.Add(new() { Value = now });
        lease.Parameters.Add(new() { Value = now + Imap.Lease });
        return (bool)(await lease.ExecuteScalarAsync(cancel))!;
    }

    private async Task LeaveAsync()
    {
        try
        {
            await using var leave = source.CreateCommand("select leave_mailbox($1, $2)");
            leave.Parameters.Add(new() { Value = place.Name });
            leave.Parameters.Add(new() { Value = _worker });
            await leave.ExecuteNonQueryAsync(CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            log.LogWarning(fault, "The mailbox {Mailbox} could not be left; another worker has it once its lease is over", place.Name);
        }
    }
}

/// <summary>A mailbox that is read.</summary>
/// <param name="Name">What it is called here, in leases and in what was taken.</param>
/// <param name="Whose">Whose its messages are.</param>
/// <param name="OpenAsync">Opens it.</param>
/// <param name="NoteAsync">Told why it can not be read, in a sentence; null once it can.</param>
internal sealed record MailboxPlace(string Name, ImapOptions Imap, MessageOwner Whose, Func<CancellationToken, Task<Mailbox>> OpenAsync, Func<string?, CancellationToken, Task> NoteAsync);
