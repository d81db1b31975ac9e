using Eddy.Egress;
using Eddy.Sandbox;

namespace Eddy.Pump;

/// <summary>Lets a flight run in a cell beside the line, and makes its calls. Many are under way at once.</summary>
public sealed class FlightRunner(RuleSandbox sandbox, TreeReader trees, OutgoingCalls calls)
{
    /// <summary>Sets the flight's result, or its fault where nothing could be run. Does not throw.</summary>
    /// <param name="tree">The files in force; null where they are to be read.</param>
    /// <param name="missed">Called when it makes a call whose answer is not known from the time before.</param>
    public async Task RunAsync(Flight flight, CellTree? tree, string timeZone, BesideRun run, Action missed, CancellationToken cancel)
    {
        try
        {
            if (tree is null || tree.Version < flight.TreeVersion)
            {
                tree = await trees.TreeAsync(flight.Tenant, timeZone, cancel);
            }

            flight.TreeVersion = tree.Version;
            flight.Result = await sandbox.RunBesideAsync(tree, run, CallAsync, cancel);
        }
        catch (Exception fault)
        {
            flight.Fault = fault;
        }

        async Task<CallAnswer> CallAsync(CallRequest request, CancellationToken ct)
        {
            if (flight.Again(request) is { } known)
            {
                return known;
            }

            missed();
            var before = flight.Trail.Records.Count;
            var answer = await calls.CallAsync(flight.Tenant, request, flight.Trail, ct);
            if (flight.Trail.Records is var records && records.Count > before)
            {
                flight.Keep(request, answer, records[^1]);
            }

            return answer;
        }
    }
}
