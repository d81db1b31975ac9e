namespace Eddy.Push;

/// <summary>How a tenant is at a moment, as every one of its screens tells it.</summary>
/// <param name="Lag">How long the oldest event of the platform has waited that is not applied yet, in seconds; null where nobody knows.</param>
/// <param name="Quarantined">Runs in quarantine that failed.</param>
/// <param name="Owed">Runs that are put off: debounced, throttled, to be tried again.</param>
/// <param name="Version">The last version of its files, 0 before the first.</param>
public sealed record Pulse(double? Lag, long Quarantined, long Owed, long Version, string? SavedBy, DateTimeOffset? SavedAt);
