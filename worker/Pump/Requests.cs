using Eddy.Endpoints;
using Eddy.Kvps;
using Eddy.Sandbox;

namespace Eddy.Pump;

/// <summary>
/// Judges what requests of API scripts came to, in the order of the line: whatever depends on nothing that has changed since its snapshot lands like a run beside the line. The others are told so, and
/// tried again by the web that made them. For one that had <see cref="EndpointLanding.MostConflicts"/> the tenant's line waits, so that it comes to an end. No I/O.
/// </summary>
internal sealed class Requests(PumpOptions options, TimeProvider time)
{
    /// <summary>What the requests of a tenant come to in this turn.</summary>
    public sealed record Verdict(IReadOnlyList<(Flight Flight, Landing Landing)> Landings, IReadOnlyList<LineArrival> Conflicts, IReadOnlyList<(LineArrival Arrival, string Reason)> Refused);

    /// <param name="outdated">Those that depend on what is committed since.</param>
    /// <param name="before">What lands before them.</param>
    public Verdict Judge(TenantLine line, IReadOnlyList<LineArrival> calls, IReadOnlySet<Guid> outdated, IReadOnlyList<(Flight Flight, Landing Landing)> before)
    {
        var changed = new List<(long Pid, string Key)>();
        var latest = new Dictionary<(long Pid, string Key), string?>();
        before.Select(one => one.Landing.Ended).OfType<RunEnded>().ToList().ForEach(Note);
        var (landings, conflicts, refused) = (new List<(Flight, Landing)>(), new List<LineArrival>(), new List<(LineArrival, string)>());
        Dictionary<long, (int Kvps, long Bytes)>? sizes = null;
        foreach (var arrival in calls)
        {
            var call = arrival.Call!;
            if (IsWaitedFor(line) && line.Waits!.Value.Request != call.Request)
            {
                // It would be in the way of the one for which the line waits.
                conflicts.Add(arrival);
            }
            else if (outdated.Contains(arrival.Set.Arrival) || changed.Exists(change => call.Reads.Any(read => IsOf(read, change))))
            {
                conflicts.Add(arrival);
                if (call.Conflicts + 1 >= EndpointLanding.MostConflicts && !IsWaitedFor(line))
                {
                    line.Waits = (call.Request, time.GetTimestamp() + (long)(EndpointLanding.MostHeld.TotalSeconds * time.TimestampFrequency));
                }
            }
            else if (Fault(line, call, ref sizes) is { } fault)
            {
                refused.Add((arrival, fault));
            }
            else
            {
                var pid = call.Changes.Select(change => change.Pid).FirstOrDefault(pid => pid != 0, arrival.Set.WakePid);
                var ended = call.ToRun(pid) with { Changes = [.. call.Changes.Where(change => Now(line, change) != change.Value)] };
                var run = new OwedRun(call.Endpoint, arrival.Set.WakePid, [], arrival.ReceivedAt, "api", new Cascade(arrival.Set.Arrival, arrival.Set.Actor, 0), 0, []);
                landings.Add((new Flight(arrival.Tenant, 0, run, 0, arrival.Tag, arrival.Trace, call.Tree) { Arrival = arrival }, new Landing(run, ended)));
                Note(ended);
            }

            if (line.Waits?.Request == call.Request && !conflicts.Contains(arrival))
            {
                line.Waits = null;
            }
        }

        return new Verdict(landings, conflicts, refused);

        string? Now(TenantLine of, PidChange change) => latest.TryGetValue((change.Pid, change.Key), out var value) ? value : of.State(change.Pid).GetValueOrDefault(change.Key);

        void Note(RunEnded run)
        {
            foreach (var change in run.Changes)
            {
                changed.Add((change.Pid, change.Key));
                latest[(change.Pid, change.Key)] = change.Value;
            }

            changed.AddRange(run.Effects.OfType<FileSaved>().Select(file => (BesideEnded.Files, file.Path)));
        }
    }

    /// <summary>The processes that have to be known for these to land.</summary>
    public static IEnumerable<long> Wanted(EndpointLanding call) => call.Changes.Select(change => change.Pid).Concat(call.Effects.Select(effect => effect.Pid)).Append(0).Distinct();

    /// <summary>Nothing but its own tries is applied, until it comes or the time is over.</summary>
    public bool IsWaitedFor(TenantLine line)
    {
        if (line.Waits is { } waits && waits.Until <= time.GetTimestamp())
        {
            line.Waits = null;
        }

        return line.Waits is not null;
    }

    private static bool IsOf(EndpointRead read, (long Pid, string Key) change) => read.Pid switch
    {
        -1 => change.Pid != BesideEnded.Files,
        EndpointEnded.Anywhere => change.Pid != BesideEnded.Files && read.Key == change.Key,
        BesideEnded.Files => change.Pid == BesideEnded.Files && read.Key.EndsWith(" " + change.Key, StringComparison.Ordinal),
        _ => read.Pid == change.Pid && (read.Key.Length == 0 || read.Key == change.Key),
    };

    private string? Fault(TenantLine line, EndpointLanding call, ref Dictionary<long, (int Kvps, long Bytes)>? sizes)
    {
        foreach (var of in call.Changes.GroupBy(change => change.Pid))
        {
            if (ProcessSize.Fault(line, of.Key, [.. of.Select(change => new Change(change.Key, change.Value))], ref sizes, options) is { } fault)
            {
                return fault;
            }
        }

        return null;
    }
}
