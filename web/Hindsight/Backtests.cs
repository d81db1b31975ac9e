using System.Collections.Concurrent;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Hindsight;

/// <summary>Backtests under way and those that have ended, for a while. One at a time for a tenant: they take a CPU each.</summary>
public sealed class Backtests(Backtester backtester, IHostApplicationLifetime life, TimeProvider time, ILogger<Backtests> log)
{
    private static readonly TimeSpan Kept = TimeSpan.FromMinutes(30);

    private readonly ConcurrentDictionary<TenantId, BacktestJob> _jobs = new();

    /// <summary>Begins one; null while another of the tenant is under way.</summary>
    public BacktestJob? Begin(TenantId tenant, string timeZone, BacktestQuestion question)
    {
        var job = new BacktestJob(Guid.CreateVersion7(time.GetUtcNow()), life.ApplicationStopping);
        if (!_jobs.TryAdd(tenant, job) && (_jobs.TryGetValue(tenant, out var known) && known.Result is null || !_jobs.TryUpdate(tenant, job, known!)))
        {
            return null;
        }

        foreach (var (of, old) in _jobs.Where(one => one.Value.EndedAt < time.GetUtcNow() - Kept).ToList())
        {
            if (_jobs.TryRemove(new(of, old)))
            {
                old.Dispose();
            }
        }

        _ = RunAsync(tenant, timeZone, question, job);
        return job;
    }

    /// <summary>The tenant's last one, under way or not; null where it has none of this number.</summary>
    public BacktestJob? Find(TenantId tenant, Guid id) => _jobs.TryGetValue(tenant, out var job) && job.Id == id ? job : null;

    private async Task RunAsync(TenantId tenant, string timeZone, BacktestQuestion question, BacktestJob job)
    {
        try
        {
            job.End(await Task.Run(() => backtester.RunAsync(tenant, timeZone, question, job.Note, job.Cancelled), job.Cancelled), time.GetUtcNow());
        }
        catch (OperationCanceledException)
        {
            job.End(new Backtest.Stopped("It was stopped."), time.GetUtcNow());
        }
        catch (SandboxUnavailable unavailable)
        {
            job.End(new Backtest.Stopped($"It can not be tried now: {unavailable.Message}"), time.GetUtcNow());
        }
        catch (Exception fault)
        {
            log.LogError(fault, "A backtest of tenant {Tenant} failed", tenant);
            job.End(new Backtest.Stopped("It failed, and the platform's log says why."), time.GetUtcNow());
        }
    }
}

/// <summary>A backtest under way, or ended.</summary>
public sealed class BacktestJob : IDisposable
{
    private readonly CancellationTokenSource _cancel;
    private long _done;

    internal BacktestJob(Guid id, CancellationToken stopping) => (Id, _cancel) = (id, CancellationTokenSource.CreateLinkedTokenSource(stopping));

    public Guid Id { get; }

    /// <summary>Null while it is under way.</summary>
    public Backtest? Result { get; private set; }

    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>How many events are done, of how many; 0 of 0 at first.</summary>
    public (int Done, int Of) Progress => ((int)(Interlocked.Read(ref _done) >> 32), (int)Interlocked.Read(ref _done));

    internal CancellationToken Cancelled => _cancel.Token;

    public void Stop()
    {
        if (Result is null)
        {
            _cancel.Cancel();
        }
    }

    public void Dispose() => _cancel.Dispose();

    internal void Note(int done, int of) => Interlocked.Exchange(ref _done, ((long)done << 32) | (uint)of);

    internal void End(Backtest result, DateTimeOffset at) => (EndedAt, Result) = (at, result);
}
