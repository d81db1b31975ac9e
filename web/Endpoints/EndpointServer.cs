using System.Collections.Concurrent;
using Eddy.Egress;
using Eddy.Ingest;
using Eddy.Processes;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Endpoints;

/// <summary>
/// Answers requests by tenants' functions: in a cell of the tenant's here, on a snapshot of its KVPs. What only reads is answered at once. What changes something or tells somebody something is handed to the
/// line, which applies it if nothing that it depends on has changed since; else the request is answered anew, its calls from the record. So counters and <c>get_or_create</c> are right however many call.
/// </summary>
public sealed class EndpointServer(
    TenantEndpoints tenants, RuleSandbox sandbox, ProcessFinder processes, OutgoingCalls calls, Door door, EndpointRecorder recorder, EndpointOptions options, IHostApplicationLifetime life, TimeProvider time, ILogger<EndpointServer> log)
{
    /// <summary>After so many conflicts it is given up: the line has waited for it several times by then.</summary>
    private const int MostConflicts = 30;

    /// <summary>What only read is read anew so often, where the log went on meanwhile.</summary>
    private const int MostLooks = 3;

    /// <summary>As long after a conflict the requests of its endpoint are answered one after another.</summary>
    private static readonly TimeSpan Contended = TimeSpan.FromSeconds(1);

    /// <summary>No request is worked on for longer, whoever waits for it.</summary>
    private static readonly TimeSpan MostWork = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<TenantId, Room> _rooms = new();

    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<EndpointReply> AnswerAsync(TenantId tenant, string timeZone, string path, EndpointRequest request, string? trace, CancellationToken cancel)
    {
        var room = _rooms.GetOrAdd(tenant, _ => new Room(options.TenantRequests));
        if (Interlocked.Increment(ref room.Waiting) > options.TenantRequests + options.TenantWaiting)
        {
            Interlocked.Decrement(ref room.Waiting);
            return new EndpointReply.Busy();
        }

        // Whoever called may be gone before it is done: what it comes to is applied all the same.
        var id = Guid.CreateVersion7(time.GetUtcNow());
        var work = WorkAsync(room, tenant, timeZone, path, id, request, trace);
        try
        {
            return await work.WaitAsync(options.Patience, time, cancel);
        }
        catch (TimeoutException) when (!work.IsCompleted)
        {
            _ = work.ContinueWith(late => log.LogWarning(late.Exception, "A request of tenant {Tenant} that nobody waited for could not be answered", tenant), TaskContinuationOptions.OnlyOnFaulted);
            return new EndpointReply.Late(id);
        }
    }

    private async Task<EndpointReply> WorkAsync(Room room, TenantId tenant, string timeZone, string path, Guid id, EndpointRequest request, string? trace)
    {
        using var most = CancellationTokenSource.CreateLinkedTokenSource(life.ApplicationStopping);
        most.CancelAfter(MostWork);
        var cancel = most.Token;
        try
        {
            await room.Places.WaitAsync(cancel);
            try
            {
                return await AnswerAsync(room, tenant, timeZone, path, id, request, trace, cancel);
            }
            finally
            {
                room.Places.Release();
            }
        }
        catch (OperationCanceledException) when (!life.ApplicationStopping.IsCancellationRequested)
        {
            return new EndpointReply.Late(id);
        }
        finally
        {
            Interlocked.Decrement(ref room.Waiting);
        }
    }

    private async Task<EndpointReply> AnswerAsync(Room room, TenantId tenant, string timeZone, string path, Guid id, EndpointRequest request, string? trace, CancellationToken cancel)
    {
        var recorded = new RecordedCalls();
        var (conflicts, looks) = (0, 0);
        var cpu = TimeSpan.Zero;
        var holds = false;
        try
        {
            while (true)
            {
                var snapshot = await tenants.SnapshotAsync(tenant, timeZone, cancel);
                if (snapshot.Find(path) is not { } endpoint)
                {
                    return new EndpointReply.Absent();
                }

                if (!holds && room.IsContended(endpoint.Id, time))
                {
                    await room.Turn.WaitAsync(cancel);
                    holds = true;
                    continue;
                }

                recorded.Begin();
                var run = new EndpointRun(endpoint, request, time.GetUtcNow(), snapshot.Shared);
                var ended = await sandbox.AnswerAsync(snapshot.Tree, run, (call, ct) => recorded.CallAsync(calls, tenant, call, null, ct), cancel);
                cpu += ended.Ended.Cpu;
                var call = new EndpointCall(tenant, id, endpoint, request, snapshot.Tree.Version, ended, cpu, conflicts, recorded.Trail.Records);
                if (ended.Answer is not { } answer)
                {
                    await recorder.FailedAsync(call, ended.Ended.Error!, cancel);
                    return new EndpointReply.Failed(id, ended.Ended.Error!);
                }

                if (!ended.HasEffects)
                {
                    if (ended.HasAsked && looks++ < MostLooks && await tenants.HasMovedAsync(tenant, snapshot.Position, cancel))
                    {
                        // What it read may be of several moments.
                        continue;
                    }

                    recorder.Answered(call, answer, landed: false);
                    return new EndpointReply.Answer(id, answer);
                }

                var landing = EndpointLanding.Of(run, ended, id, snapshot.Position, snapshot.Tree.Version, recorded.Trail.Records, conflicts);
                var wakePid = ended.Ended.Changes.Select(change => change.Pid).FirstOrDefault(pid => pid != 0);
                switch (await door.LandAsync(tenant, id, landing, wakePid != 0 ? wakePid : await processes.DrawAsync(tenant, 1, cancel), request.Caller.Actor, trace, cancel))
                {
                    case LandingAnswer.Landed:
                        recorder.Answered(call, answer, landed: true);
                        return new EndpointReply.Answer(id, answer);
                    case LandingAnswer.Refused refused:
                        var error = new RunError("Refused", refused.Reason, endpoint.File, null, null);
                        await recorder.FailedAsync(call, error, cancel);
                        return new EndpointReply.Failed(id, error);
                    case LandingAnswer.TooMany:
                        return new EndpointReply.Busy();
                }

                room.Contend(endpoint.Id, time.GetTimestamp() + (long)(Contended.TotalSeconds * time.TimestampFrequency));
                if (++conflicts > MostConflicts)
                {
                    var hopeless = new RunError("Conflict", $"What it reads was changed by others {conflicts} times while it ran.", endpoint.File, null, null);
                    await recorder.FailedAsync(call, hopeless, cancel);
                    return new EndpointReply.Failed(id, hopeless);
                }
            }
        }
        finally
        {
            if (holds)
            {
                room.Turn.Release();
            }
        }
    }

    /// <summary>What is under way for one tenant here.</summary>
    private sealed class Room(int places)
    {
        private readonly ConcurrentDictionary<string, long> _contended = new(StringComparer.Ordinal);

        public int Waiting;

        public SemaphoreSlim Places { get; } = new(places);

        public SemaphoreSlim Turn { get; } = new(1);

        public bool IsContended(string endpoint, TimeProvider time) => _contended.TryGetValue(endpoint, out var until) && time.GetTimestamp() < until;

        public void Contend(string endpoint, long until) => _contended[endpoint] = until;
    }
}

/// <summary>A request that was worked on, as it is recorded.</summary>
/// <param name="Cpu">Of all the times that it was answered.</param>
public sealed record EndpointCall(
    TenantId Tenant, Guid Id, EndpointInfo Endpoint, EndpointRequest Request, long Tree, EndpointEnded Ended, TimeSpan Cpu, int Conflicts, IReadOnlyList<CallRecord> Calls);

/// <summary>What a caller is told.</summary>
public abstract record EndpointReply
{
    private EndpointReply()
    {
    }

    /// <summary>What the function answers; whatever it changed is in force.</summary>
    public sealed record Answer(Guid Id, Answered Answered) : EndpointReply;

    /// <summary>The function failed, and nothing of it is in force.</summary>
    public sealed record Failed(Guid Id, RunError Error) : EndpointReply;

    /// <summary>There is no such endpoint.</summary>
    public sealed record Absent : EndpointReply;

    /// <summary>It is not done yet, and goes on.</summary>
    public sealed record Late(Guid Id) : EndpointReply;

    /// <summary>More is under way than may be.</summary>
    public sealed record Busy : EndpointReply;
}
