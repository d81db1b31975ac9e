using Eddy.Egress;
using Eddy.Files;
using Eddy.Hindsight;
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
            flight.Result = await sandbox.RunBesideAsync(
                tree, run,
                Replay.IsQuiet(flight.Run.Cascade.Root)
                    ? (request, _) => Task.FromResult(flight.Calls.Withhold(request, Replay.CallsWithheld))
                    : (request, ct) => flight.Calls.CallAsync(calls, flight.Tenant, request, missed, ct),
                cancel);
        }
        catch (Exception fault)
        {
            flight.Fault = fault;
        }
    }
}
