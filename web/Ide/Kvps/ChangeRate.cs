namespace Eddy.Ide.Kvps;

/// <summary>How often something changes. A row that changes now and then flashes; one that changes more than five times a second shows how often instead.</summary>
public sealed class ChangeRate
{
    public const int MostFlashes = 5;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(1);

    private readonly Queue<DateTimeOffset> _at = new();

    /// <summary>Notes a change; how many there were in the second that ends with it.</summary>
    public int Note(DateTimeOffset now)
    {
        _at.Enqueue(now);
        return PerSecond(now);
    }

    /// <summary>How many changes there were in the second before.</summary>
    public int PerSecond(DateTimeOffset now)
    {
        while (_at.TryPeek(out var first) && now - first >= Window)
        {
            _at.Dequeue();
        }

        return _at.Count;
    }
}
