namespace Eddy.Events;

/// <summary>A change of one KVP as the tenant's log has it, for good.</summary>
/// <param name="Position">Its place in the log, counted from 1 without gaps.</param>
/// <param name="At">When it was applied; never earlier than that of the event before.</param>
/// <param name="Pid">The process, or 0 for the shared bag.</param>
/// <param name="Value">JSON, or null where the KVP was removed.</param>
/// <param name="Previous">JSON, or null where there was none before.</param>
/// <param name="Actor">On whose behalf, as in <c>key:sensors</c> or <c>ann@acme.test</c>.</param>
/// <param name="Source">The door by which it came, as in <c>post</c>, or <c>rule</c>.</param>
/// <param name="Cause">The run that made it; null for what came from outside.</param>
/// <param name="ChangeSet">The first position of its change set.</param>
/// <param name="Arrival">The arrival whose cascade it belongs to.</param>
public sealed record StoredEvent(
    long Position, DateTimeOffset At, long Pid, string Key, string? Value, string? Previous, string Actor, string Source, long? Cause, long ChangeSet, Guid Arrival);
