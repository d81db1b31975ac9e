using Eddy.Mail.Mailboxes;
using MailKit;
using Npgsql;

namespace Eddy.Mail;

/// <summary>
/// Reads one mailbox: takes what is in its folder, message by message, in the order in which they came, and moves each where it belongs. Every worker has one; one of them has the mailbox, and another takes
/// over where that one is silent. Whatever breaks off, the folder has what is left: a message that was taken and not moved yet is known, and only moved.
/// </summary>
internal sealed class MailboxReader(NpgsqlDataSource source, MessageTaker taker, MailboxPlace place, TimeProvider time, ILogger log)
{
    /// <summary>So many are taken, and then moved together.</summary>
    private const int Window = 50;

    /// <summary>So many are moved together that were taken before.</summary>
    private const int MoveWindow = 500;

    /// <summary>So many are asked for together whether they were taken.</summary>
    private const int LookWindow = 5_000;

    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan AskPause = TimeSpan.FromMilliseconds(100);

    /// <summary>After which time it is tried again to read or to move what the server would not.</summary>
    private static readonly TimeSpan StuckPause = TimeSpan.FromMinutes(1);

    /// <summary>Its name in the leases.</summary>
    private readonly Guid _worker = Guid.CreateVersion7();

    private long _leased;

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
            catch (Exception fault) when (!cancel.IsCancellationRequested)
            {
                // Whatever a server says, or the database: it is tried again, for nobody else reads this mailbox. Told once for each time that one of them is away.
                log.Log(isTold ? LogLevel.Debug : LogLevel.Warning, fault, "The mailbox {Mailbox} can not be read now", place.Name);
                if (!isTold && fault is MailboxFault)
                {
                    await NoteAsync(fault.Message, cancel);
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

    private async Task NoteAsync(string fault, CancellationToken cancel)
    {
        try
        {
            await place.NoteAsync(fault, cancel);
        }
        catch (NpgsqlException lost)
        {
            log.LogDebug(lost, "It can not be noted that the mailbox {Mailbox} can not be read", place.Name);
        }
    }

    /// <summary>Reads for as long as the connection and the lease hold.</summary>
    private async Task ReadAsync(Func<Task> isWell, CancellationToken cancel)
    {
        using var mailbox = await place.OpenAsync(cancel);
        var (stuck, since) = (new HashSet<uint>(), time.GetTimestamp());
        while (await LeaseAsync(cancel))
        {
            if (time.GetElapsedTime(since) > StuckPause)
            {
                stuck.Clear();
                since = time.GetTimestamp();
            }

            var listed = (await mailbox.ListAsync(cancel)).Where(uid => !stuck.Contains(uid)).ToList();
            var known = await KnownAsync(mailbox.Validity, listed, cancel);
            if (known.Count <= Window)
            {
                // A few are read again, and known by their bytes: some servers give numbers anew without saying so, and another message under one of them would be lost.
                known.Clear();
            }

            var fresh = listed.Where(uid => !known.ContainsKey(uid)).ToList();
            foreach (var window in fresh.Chunk(Window))
            {
                if (!await TakeAsync(mailbox, window, stuck, cancel))
                {
                    return;
                }
            }

            // Those that were taken before have time: what comes meanwhile goes first.
            foreach (var window in known.Chunk(MoveWindow).TakeWhile(_ => !mailbox.IsNews))
            {
                if (!await HoldAsync(cancel))
                {
                    return;
                }

                await MoveAsync(mailbox, window.ToDictionary(), stuck, cancel);
            }

            await isWell();
            if (fresh.Count > 0 && await AskAsync(mailbox, stuck, cancel))
            {
                continue;
            }

            // The lease is said again before its time is over.
            await mailbox.WaitAsync(Imap.Poll < Imap.Lease / 3 ? Imap.Poll : Imap.Lease / 3, time, cancel);
        }
    }

    /// <summary>
    /// Asks for a while, again and again, whether more has come, until it has. Some servers tell of it by themselves only after a time (Dovecot after half a second); whoever asks knows at once.
    /// </summary>
    private async Task<bool> AskAsync(Mailbox mailbox, HashSet<uint> stuck, CancellationToken cancel)
    {
        var atMost = Imap.Ask < Imap.Lease / 3 ? Imap.Ask : Imap.Lease / 3;
        for (var started = time.GetTimestamp(); time.GetElapsedTime(started) < atMost;)
        {
            if ((await mailbox.ListAsync(cancel)).Any(uid => !stuck.Contains(uid)))
            {
                return true;
            }

            await Task.Delay(AskPause, time, cancel);
        }

        return false;
    }

    /// <summary>Takes a window of messages and moves them; false where another worker has the mailbox now.</summary>
    /// <param name="stuck">Filled with those that the server does not give, or does not move: they must not hold up the others.</param>
    private async Task<bool> TakeAsync(Mailbox mailbox, uint[] window, HashSet<uint> stuck, CancellationToken cancel)
    {
        var taken = new Dictionary<uint, bool>();
        foreach (var uid in window)
        {
            if (!await HoldAsync(cancel))
            {
                return false;
            }

            if (await FetchAsync(mailbox, uid, stuck, cancel) is { } raw)
            {
                taken[uid] = await taker.TakeAsync(new FetchedMessage(place.Name, mailbox.Validity, uid, raw), place.Whose, cancel);
            }
        }

        await MoveAsync(mailbox, taken, stuck, cancel);
        return true;
    }

    /// <summary>The bytes of a message; null where somebody has taken it away, or the server does not give it.</summary>
    private async Task<byte[]?> FetchAsync(Mailbox mailbox, uint uid, HashSet<uint> stuck, CancellationToken cancel)
    {
        try
        {
            if (await mailbox.ReadAsync(uid, taker.MostBytes, cancel) is { } raw)
            {
                return raw;
            }

            stuck.Add(uid);
            return null;
        }
        catch (CommandException refusal)
        {
            log.LogWarning(refusal, "The server does not give message {Uid} of mailbox {Mailbox}; it is asked for again later", uid, place.Name);
            stuck.Add(uid);
            return null;
        }
    }

    /// <param name="taken">Messages, and whether they are for the folder of the rejected.</param>
    private async Task MoveAsync(Mailbox mailbox, Dictionary<uint, bool> taken, HashSet<uint> stuck, CancellationToken cancel)
    {
        try
        {
            await mailbox.MoveAsync([.. taken.Where(one => !one.Value).Select(one => one.Key)], isRejected: false, cancel);
            await mailbox.MoveAsync([.. taken.Where(one => one.Value).Select(one => one.Key)], isRejected: true, cancel);
        }
        catch (CommandException refusal)
        {
            log.LogWarning(refusal, "The server does not move messages out of mailbox {Mailbox}; they are taken, and it is tried again later", place.Name);
            stuck.UnionWith(taken.Keys);
        }
    }

    /// <summary>Those of these messages that were taken before, and whether they are for the folder of the rejected.</summary>
    private async Task<Dictionary<uint, bool>> KnownAsync(uint validity, List<uint> uids, CancellationToken cancel)
    {
        var known = new Dictionary<uint, bool>();
        foreach (var window in uids.Chunk(LookWindow))
        {
            await LookAsync(validity, window, known, cancel);
        }

        return known;
    }

    private async Task LookAsync(uint validity, uint[] uids, Dictionary<uint, bool> known, CancellationToken cancel)
    {
        await using var look = source.CreateCommand("select uid, is_rejected from taken_of($1, $2, $3)");
        look.Parameters.Add(new() { Value = place.Name });
        look.Parameters.Add(new() { Value = (long)validity });
        look.Parameters.Add(new() { Value = uids.Select(uid => (long)uid).ToArray() });
        await using var rows = await look.ExecuteReaderAsync(cancel);
        while (await rows.ReadAsync(cancel))
        {
            known[(uint)rows.GetInt64(0)] = rows.GetBoolean(1);
        }
    }

    /// <summary>Whether this one still has the mailbox; says so again where that was a while ago.</summary>
    private async ValueTask<bool> HoldAsync(CancellationToken cancel) => time.GetElapsedTime(_leased) <= Imap.Lease / 3 || await LeaseAsync(cancel);

    private async Task<bool> LeaseAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        _leased = time.GetTimestamp();
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
