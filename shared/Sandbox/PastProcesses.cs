namespace Eddy.Sandbox;

/// <summary>Other processes as they were at the moment of a look.</summary>
/// <param name="ReadAsync">The KVPs of a process then; null where there was none of this number.</param>
/// <param name="ChangedSinceAsync">
/// The processes that have changed since, as they were then: without KVPs one was not there. What is not among them is as it was. Null where they are too many, so that what is found is of now.
/// </param>
public sealed record PastProcesses(
    Func<long, CancellationToken, Task<IReadOnlyDictionary<string, string>?>> ReadAsync, Func<CancellationToken, Task<IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>>?>> ChangedSinceAsync);
