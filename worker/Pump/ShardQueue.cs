namespace Eddy.Pump;

/// <summary>
/// The shards where something waits. A lane takes all light ones together, for one commit carries many tenants, or one heavy shard: by turns, so
/// that neither holds up the other. Of several lanes at rest the one that worked last is woken: its connection's memory is still warm.
/// </summary>
internal sealed class ShardQueue(TimeProvider time)
{
    /// <summary>What was taken is counted for so long before it is judged.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(250);

    private readonly Queue<ShardLine> _light = [];
    private readonly Queue<ShardLine> _heavy = [];
    private readonly Stack<AutoResetEvent> _resting = [];
    private long _windowAt;
    private (int Light, int Heavy) _taken;
    private volatile bool _isFlood;
    private bool _isHeavysTurn;
    private bool _isOver;

    public void Add(ShardLine shard)
    {
        lock (_light)
        {
            (shard.IsHeavy ? _heavy : _light).Enqueue(shard);
            if (_resting.TryPop(out var lane))
            {
                lane.Set();
            }
        }
    }

    /// <summary>What to do next; null at the end. Blocks.</summary>
    /// <param name="lane">The caller's own; it is set when there may be something.</param>
    public List<ShardLine>? Take(AutoResetEvent lane)
    {
        while (true)
        {
            lock (_light)
            {
                if (_heavy.Count > 0 && (_isHeavysTurn || _light.Count == 0))
                {
                    _isHeavysTurn = false;
                    return [_heavy.Dequeue()];
                }

                if (_light.Count > 0)
                {
                    List<ShardLine> taken = [.. _light];
                    _light.Clear();
                    _isHeavysTurn = true;
                    return taken;
                }

                if (_isOver)
                {
                    return null;
                }

                _resting.Push(lane);
            }

            lane.WaitOne();
        }
    }

    /// <summary>A few shards bring far more than all others, and there are others.</summary>
    public bool IsFlood => _isFlood;

    /// <summary>
    /// So many arrivals were taken of a heavy shard or of light ones. True where a few shards bring far more than all others, and there are others: these then
    /// have the machine to themselves every other moment, or what they bring would wait behind the flood for a processor.
    /// </summary>
    public bool Took(int arrivals, bool isHeavy)
    {
        lock (_light)
        {
            _taken = isHeavy ? (_taken.Light, _taken.Heavy + arrivals) : (_taken.Light + arrivals, _taken.Heavy);
            if (time.GetElapsedTime(_windowAt) > Window)
            {
                _isFlood = _taken.Light > 0 && _taken.Heavy > 10 * _taken.Light;
                (_windowAt, _taken) = (time.GetTimestamp(), (0, 0));
            }

            return _isFlood;
        }
    }

    /// <summary>Lets the lanes end once it is empty.</summary>
    public void Complete()
    {
        lock (_light)
        {
            _isOver = true;
            while (_resting.TryPop(out var lane))
            {
                lane.Set();
            }
        }
    }
}
