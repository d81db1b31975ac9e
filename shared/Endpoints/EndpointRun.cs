using Eddy.Sandbox;

namespace Eddy.Endpoints;

/// <summary>A request to be answered by a function of the tenant's, on the shared KVPs as they are.</summary>
/// <param name="Shared">Canonical JSON by key.</param>
public sealed record EndpointRun(EndpointInfo Endpoint, EndpointRequest Request, DateTimeOffset At, IReadOnlyDictionary<string, string> Shared)
{
    /// <summary>As the run that it is, for those that tell of it. If it fails, it leaves nothing in a process.</summary>
    public OwedRun ToOwed() => new(Endpoint.Id, 0, [], At, "api", new Cascade(Guid.Empty, Request.Caller.Actor, 0), 0, []) { IsQuiet = true };
}

/// <summary>What came of a request.</summary>
/// <param name="Ended">Its run. Its answer is among its effects where it ran well.</param>
/// <param name="Reads">What it depends on: KVPs by process and key; <see cref="BesideEnded.Files"/> and a path; no key for all of a process; <see cref="Anywhere"/> for a key in any.</param>
/// <param name="HasAsked">It has looked beyond the shared KVPs, and so at moments after its snapshot.</param>
public sealed record EndpointEnded(RunEnded Ended, IReadOnlySet<(long Pid, string Key)> Reads, bool HasAsked)
{
    /// <summary>Among the reads, in the place of a process: it depends on this key wherever it is.</summary>
    public const long Anywhere = -3;

    /// <summary>Null where it failed.</summary>
    public Answered? Answer => Ended.Effects.OfType<Answered>().FirstOrDefault();

    /// <summary>It changes something or tells somebody something, and so has to take its place in the line.</summary>
    public bool HasEffects => Ended.Changes.Count > 0 || Ended.Effects.Any(effect => effect is not Answered);
}
