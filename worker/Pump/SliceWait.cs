namespace Eddy.Pump;

/// <summary>Lets a slice wait for its turns, for a while. Who ends later is told, so that it asks for a slice of its own.</summary>
internal sealed class SliceWait(int turns) : IDisposable
{
    private readonly ManualResetEventSlim _allEnded = new(turns == 0);
    private readonly Lock _gate = new();
    private int _left = turns;
    private bool _isClosed;

    /// <summary>A turn ended, and is in the queue of those that did. False where the slice has gone on without it.</summary>
    public bool Ended()
    {
        lock (_gate)
        {
            if (_isClosed)
            {
                return false;
            }

            if (--_left == 0)
            {
                _allEnded.Set();
            }

            return true;
        }
    }

    public void Wait(TimeSpan grace, CancellationToken stop)
    {
        try
        {
            _allEnded.Wait(grace, stop);
        }
        catch (OperationCanceledException)
        {
            // The slice goes on with what has ended.
        }

        lock (_gate)
        {
            _isClosed = true;
        }
    }

    public void Dispose() => _allEnded.Dispose();
}
