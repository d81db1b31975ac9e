namespace Eddy.Schedules;

/// <summary>One kind of what runs by the clock. Each worker has one of each; which of them gets to something first does not matter.</summary>
public interface ITicker
{
    /// <summary>When something is due next, or null where nothing is.</summary>
    Task<DateTimeOffset?> NextAsync(CancellationToken cancel);

    /// <summary>Sees to a chunk of what is due; how much that was, 0 where nothing is due that nobody else has taken.</summary>
    Task<int> TickAsync(CancellationToken cancel);
}
