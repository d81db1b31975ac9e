using System.Text.Json;
using Eddy.Egress;
using Eddy.Sandbox;

namespace Eddy.Endpoints;

/// <summary>
/// What a request came to, as it waits in the line: it is applied if nothing that it depends on has changed since its snapshot. Written by the web that answered the request, read by the pump.
/// </summary>
/// <param name="Endpoint">As <see cref="EndpointInfo.Id"/>.</param>
/// <param name="Request">The same for all tries of one request.</param>
/// <param name="Snapshot">The tenant's position when it began.</param>
/// <param name="Tree">The version of the files.</param>
/// <param name="Reads">As <see cref="EndpointEnded.Reads"/>.</param>
/// <param name="Conflicts">How often what it depended on had changed.</param>
public sealed record EndpointLanding(
    string Endpoint, Guid Request, long Snapshot, long Tree, IReadOnlyList<EndpointRead> Reads, IReadOnlyList<PidChange> Changes, IReadOnlyList<Effect> Effects, IReadOnlyList<CallRecord> Calls,
    string? Log, long ElapsedMicroseconds, long CpuMicroseconds, int Conflicts)
{
    /// <summary>After so many conflicts the tenant's line waits for the next try, for as long as <see cref="MostHeld"/>.</summary>
    public const int MostConflicts = 3;

    public static readonly TimeSpan MostHeld = TimeSpan.FromSeconds(2);

    public static EndpointLanding Of(EndpointRun run, EndpointEnded ended, Guid request, long snapshot, long tree, IReadOnlyList<CallRecord> calls, int conflicts) => new(
        run.Endpoint.Id, request, snapshot, tree, [.. ended.Reads.Select(read => new EndpointRead(read.Pid, read.Key))], ended.Ended.Changes,
        [.. ended.Ended.Effects.Where(effect => effect is not Answered)], calls, ended.Ended.Log, (long)ended.Ended.Elapsed.TotalMicroseconds, (long)ended.Ended.Cpu.TotalMicroseconds, conflicts);

    public string Write() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    /// <exception cref="JsonException">It is none.</exception>
    public static EndpointLanding Read(string json) => JsonSerializer.Deserialize<EndpointLanding>(json, JsonSerializerOptions.Web) ?? throw new JsonException("There is nothing.");

    /// <summary>The run that takes its place in the log. It is of the process that it changed first, or of the new one in which what it shares wakes rules.</summary>
    public RunEnded ToRun(long pid) => new(
        Endpoint, pid, -1, 0, 0, RunOutcome.Ran, Changes, Log, null, TimeSpan.FromMicroseconds(ElapsedMicroseconds), TimeSpan.FromMicroseconds(CpuMicroseconds))
    {
        Calls = Calls,
        Effects = Effects,
    };
}

/// <summary>A KVP, or what stands for more of them, as in <see cref="EndpointEnded.Reads"/>.</summary>
public readonly record struct EndpointRead(long Pid, string Key);
