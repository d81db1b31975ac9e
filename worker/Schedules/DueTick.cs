using Eddy.Tenants;

namespace Eddy.Schedules;

/// <summary>
/// A rule's schedule that the clock looks at, and locked by whoever took it.
/// <code>
/// idle ── due ──► a tick is under way ── a chunk of processes is woken ──► … ──► ran
///   │                    ├── due again ──► counted as missed
///   │                    └── the rule is switched off ──► stopped
///   └── due while the rule is switched off ──► skipped
/// </code>
/// </summary>
/// <param name="Asked">Which processes it is for, as a <see cref="Processes.ProcessQuestion"/> in JSON; null for all.</param>
/// <param name="Next">When it is due next.</param>
/// <param name="Missed">How often it was due since its last tick began, and nothing came of it.</param>
/// <param name="IsOff">The rule is switched off.</param>
/// <param name="IsWaiting">Something that a schedule woke still waits in the tenant's line.</param>
/// <param name="LastPid">The tenant's last process.</param>
public sealed record DueTick(
    TenantId Tenant, string Rule, string Cron, string Zone, string? Asked, DateTimeOffset? Next, Tick? Tick, int Missed, bool IsOff, bool IsWaiting, long LastPid)
{
    /// <summary>How far back it is counted.</summary>
    public const int MostMissed = 1000;

    /// <summary>Who causes what the ticks of a rule wake.</summary>
    public static string ActorOf(string rule) => "schedule:" + rule;

    /// <summary>By which door that comes, as rules see it in <c>event.source</c>.</summary>
    public const string Source = "schedule";

    /// <summary>What is to become of it. However often it was due meanwhile, there is one tick.</summary>
    public TickTurn Decide(DateTimeOffset now)
    {
        if (!Cadence.TryParse(Cron, out var cadence, out var fault))
        {
            return Fail(fault.Detail);
        }

        if (!TimeZoneInfo.TryFindSystemTimeZoneById(Zone, out var zone))
        {
            return Fail($"'{Zone}' is not a time zone here any more.");
        }

        var turn = new TickTurn(Next, Tick, Missed, null);
        if (Next <= now)
        {
            var missed = 0;
            var next = cadence.NextAfter(zone, Next.Value);
            for (; next <= now && missed < MostMissed; next = cadence.NextAfter(zone, next.Value))
            {
                missed++;
            }

            turn = turn with { Next = next <= now ? cadence.NextAfter(zone, now) : next };
            turn = Tick is not null ? turn with { Missed = Math.Min(MostMissed, Missed + 1 + missed) }
                : IsOff ? turn with { Ended = new EndedTick(Next.Value, EndedTick.Skipped, "The rule was switched off.", 0) }
                : turn with { Tick = new Tick(Next.Value, 0, LastPid, 0), Missed = missed };
        }

        return turn.Tick is { } tick && IsOff
            ? turn with { Tick = null, Ended = new EndedTick(tick.Due, EndedTick.Stopped, "The rule was switched off while it was under way.", tick.Count) }
            : turn;
    }

    public TickTurn Fail(string reason) => new(null, null, Missed, new EndedTick(Tick?.Due ?? Next ?? DateTimeOffset.UnixEpoch, EndedTick.Failed, reason, Tick?.Count ?? 0));
}

/// <summary>A tick that is under way.</summary>
/// <param name="Due">When it was due: what its rule sees as <c>event.at</c>.</param>
/// <param name="Pid">The process that it has come to.</param>
/// <param name="Last">The last process that there was when it began. Later ones are the next tick's.</param>
/// <param name="Count">How many it has woken.</param>
public sealed record Tick(DateTimeOffset Due, long Pid, long Last, long Count);

/// <summary>A tick that came to its end.</summary>
/// <param name="Reason">In a sentence, where there is something to say.</param>
public sealed record EndedTick(DateTimeOffset Due, string Outcome, string? Reason, long Count)
{
    public const string Ran = "ran", Skipped = "skipped", Stopped = "stopped", Failed = "failed";
}

/// <summary>What becomes of a schedule that the clock looks at.</summary>
/// <param name="Next">When it is due next; null for never.</param>
/// <param name="Tick">What is under way.</param>
/// <param name="Ended">What has ended.</param>
public sealed record TickTurn(DateTimeOffset? Next, Tick? Tick, int Missed, EndedTick? Ended)
{
    /// <summary>It woke these processes, and there are no more.</summary>
    public TickTurn End(int count) => this with
    {
        Tick = null,
        Ended = new EndedTick(Tick!.Due, EndedTick.Ran, Missed == 0 ? null : $"It was due {Missed} more times meanwhile, of which nothing came: the one before was under way, or no worker was there.", Tick.Count + count),
    };
}
