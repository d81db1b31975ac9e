namespace Eddy.Pump;

/// <summary>
/// The shards where something waits. A lane takes all light ones together, for one commit carries many tenants, or one heavy shard: by turns, so
/// that neither holds up the other.
/// </summary>
internal sealed class ShardQueue
{
    private readonly Queue<ShardLine> _light = [];
    private readonly Queue<ShardLine> _heavy = [];
    private bool _isHeavysTurn;
    private bool _isOver;

    public void Add(ShardLine shard)
    {
        lock (_light)
        {
            (shard.IsHeavy ? _heavy : _light).Enqueue(shard);
            Monitor.Pulse(_light);
        }
    }

    /// <summary>What to do next; null at the end. Blocks.</summary>
    public List<ShardLine>? Take()
    {
        lock (_light)
        {
            while (_light.Count + _heavy.Count == 0)
            {
                if (_isOver)
                {
                    return null;
                }

                Monitor.Wait(_light);
            }

            List<ShardLine> taken;
            if (_heavy.Count > 0 && (_isHeavysTurn || _light.Count == 0))
            {
                taken = [_heavy.Dequeue()];
                _isHeavysTurn = false;
            }
            else
            {
                taken = [.. _light];
                _light.Clear();
                _isHeavysTurn = true;
            }

            return taken;
        }
    }

    /// <summary>Lets the lanes end once it is empty.</summary>
    public void Complete()
    {
        lock (_light)
        {
            _isOver = true;
            Monitor.PulseAll(_light);
        }
    }
}
