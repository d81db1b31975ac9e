namespace Eddy.Pump;

/// <summary>
/// The shards where something waits. A lane takes all light ones together, for one commit carries many tenants, or one heavy shard: by turns, so
/// that neither holds up the other. Of several lanes at rest the one that worked last is woken: its connection's memory is still warm.
/// </summary>
internal sealed class ShardQueue
{
    private readonly Queue<ShardLine> _light = [];
    private readonly Queue<ShardLine> _heavy = [];
    private readonly Stack<AutoResetEvent> _resting = [];
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
