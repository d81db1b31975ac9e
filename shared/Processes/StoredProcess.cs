namespace Eddy.Processes;

/// <summary>A process and its KVPs as they are in force. The tenant's shared bag is one with PID 0 and without kind and moment.</summary>
/// <param name="Pid">Its number, unique in the tenant.</param>
/// <param name="Kind">The text of its KVP <c>kind</c>, or null.</param>
/// <param name="Kvps">By key, in the order of the keys' bytes.</param>
public sealed record StoredProcess(long Pid, string? Kind, DateTimeOffset? CreatedAt, IReadOnlyList<StoredKvp> Kvps);

/// <summary>A KVP as it is in force.</summary>
/// <param name="Value">JSON.</param>
public readonly record struct StoredKvp(string Key, string Value);
