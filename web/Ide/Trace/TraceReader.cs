using Eddy.Cascades;
using Eddy.Events;
using Eddy.Identity;
using Eddy.Push;
using Eddy.Quarantine;
using Eddy.Runs;

namespace Eddy.Ide.Trace;

/// <summary>Reads what traces show, as far as the seat may see it.</summary>
public sealed class TraceReader(EventStore events, RunStore runs, CascadeStore cascades, TraceJudge judge)
{
    /// <summary>So far back the log is read at first.</summary>
    private const int Recent = 400;

    /// <summary>Of one process as many cascades are read at first.</summary>
    private const int OfProcess = 10;

    private const int Page = 500;

    /// <summary>The newest arrivals that are whole; those of a process where one is given.</summary>
    public async Task<TraceNews> RecentAsync(Seat seat, long? pid, CancellationToken cancel)
    {
        if (pid is not null)
        {
            return await OfProcessAsync(seat, pid.Value, cancel);
        }

        var (position, run, _) = await runs.ReadUsageAsync(seat.Tenant, cancel);
        var (recent, _) = await events.ReadAfterAsync(seat.Tenant, Math.Max(0, position - Recent), Recent * 2, cancel);
        var (ran, _) = await runs.ReadAfterAsync(seat.Tenant, Math.Max(0, run - (2 * Recent)), Recent * 4, cancel);
        var whole = recent.Where(one => one.Cause is null && one.Position == one.ChangeSet).Select(one => one.Arrival).ToHashSet();
        return await JudgeAsync(seat, [.. recent.Where(one => whole.Contains(one.Arrival))], [.. ran.Where(one => one.SetPosition == 0 || whole.Contains(one.Root))], cancel);
    }

    /// <summary>What was committed just now.</summary>
    public Task<TraceNews> JudgeAsync(Seat seat, FeedNews news, CancellationToken cancel) => JudgeAsync(seat, news.Events, news.Runs, cancel);

    /// <summary>A part of an arrival's cascade: with 0 its beginning, with the number of a run what came after it. The last one says that there is no more.</summary>
    public async Task<(TraceNews News, bool More)> CascadeAsync(Seat seat, Guid arrival, long after, CancellationToken cancel)
    {
        var arrived = after == 0 ? await cascades.ReadArrivedAsync(seat.Tenant, arrival, cancel) : [];
        var (page, changes, more) = await cascades.ReadRunsAsync(seat.Tenant, arrival, after, Page, cancel);
        return (await JudgeAsync(seat, [.. arrived, .. changes], page, cancel), more);
    }

    public Task<(IReadOnlyList<DeferredRun> Deferred, IReadOnlyList<QuarantinedRun> Quarantined)> StandingAsync(Seat seat, CancellationToken cancel) => judge.StandingAsync(seat, cancel);

    private async Task<TraceNews> OfProcessAsync(Seat seat, long pid, CancellationToken cancel)
    {
        var last = await runs.ListAsync(seat.Tenant, new RunQuery(null, pid, null, null, null, Page), cancel);
        var all = TraceNews.None;
        foreach (var arrival in last.Items.Select(run => run.Root).Distinct().Take(OfProcess))
        {
            all = all.Then((await CascadeAsync(seat, arrival, 0, cancel)).News);
        }

        return all;
    }

    private async Task<TraceNews> JudgeAsync(Seat seat, IReadOnlyList<StoredEvent> changes, IReadOnlyList<StoredRun> ran, CancellationToken cancel) => new(
        await judge.JudgeAsync(seat, changes, cancel), [.. TraceJudge.Judge(seat, ran)], await judge.ToldAsync(seat, [.. ran.Select(run => run.Id)], cancel));
}

/// <summary>Events, runs, and what these told, as far as a seat may see them.</summary>
public sealed record TraceNews(IReadOnlyList<StoredEvent> Events, IReadOnlyList<StoredRun> Runs, IReadOnlyList<RunTold> Told)
{
    public static TraceNews None { get; } = new([], [], []);

    public TraceNews Then(TraceNews next) => new([.. Events, .. next.Events], [.. Runs, .. next.Runs], [.. Told, .. next.Told]);
}
