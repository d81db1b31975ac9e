namespace Eddy.Pump;

/// <summary>Settings of the pump (section <c>Pump</c>).</summary>
public sealed class PumpOptions
{
    /// <summary>Threads that take slices, each with a connection of its own: a slice of one shard does not hold up the others.</summary>
    public int Lanes { get; set; } = 2;

    /// <summary>The most arrivals of a slice.</summary>
    public int Slice { get; set; } = 500;

    /// <summary>The most runs of one tenant in a slice.</summary>
    public int Runs { get; set; } = 2000;

    /// <summary>How long one tenant's cell may work on a slice before it leaves the rest to a later one.</summary>
    public TimeSpan SliceTime { get; set; } = TimeSpan.FromMilliseconds(50);

    /// <summary>How long a slice waits for the cells that it started; who is slower joins a later commit.</summary>
    public TimeSpan Grace { get; set; } = TimeSpan.FromMilliseconds(20);

    /// <summary>How long a lease is good for without a sign of life; a sign comes every third of it.</summary>
    public TimeSpan Lease { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How often the line is looked at without being told to.</summary>
    public TimeSpan Poll { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How long what could not be taken is left alone before it is tried again.</summary>
    public TimeSpan Retry { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>How long a stop waits for runs under way.</summary>
    public TimeSpan StopPatience { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The most KVPs of one process, and their most bytes.</summary>
    public int ProcessKvps { get; set; } = 1000;

    public int ProcessBytes { get; set; } = 4 << 20;

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (Lanes is < 1 or > 32)
        {
            yield return $"Pump:Lanes is {Lanes}; it takes 1 to 32.";
        }

        if (Slice is < 1 or > 10_000)
        {
            yield return $"Pump:Slice is {Slice}; it takes 1 to 10000.";
        }

        if (Lease < TimeSpan.FromSeconds(1))
        {
            yield return $"Pump:Lease is {Lease}; it takes a second or more.";
        }

        if (Runs < 1 || SliceTime <= TimeSpan.Zero || Poll <= TimeSpan.Zero || Retry <= TimeSpan.Zero || Grace < TimeSpan.Zero || StopPatience < TimeSpan.Zero)
        {
            yield return "Pump:Runs, SliceTime, Poll, Retry, Grace and StopPatience take more than 0.";
        }
    }
}
