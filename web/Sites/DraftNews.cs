using Eddy.Pages;
using Eddy.Push;

namespace Eddy.Sites;

/// <summary>Whether something was committed that a draft shows, since it was rendered last.</summary>
internal sealed class DraftNews
{
    private readonly Lock _lock = new();
    private TaskCompletionSource _came = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Null while it is rendered: what it will have read is not known, so all concerns it.</summary>
    private PageReads? _reads;

    public void Begin()
    {
        lock (_lock)
        {
            _reads = null;
            _came = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    public void Concern(PageReads reads)
    {
        lock (_lock)
        {
            _reads = reads;
        }
    }

    public void Hear(FeedNews news)
    {
        lock (_lock)
        {
            if (news.IsGap || news.Events.Any(change => _reads?.Concern(change.Pid, change.Key) ?? true))
            {
                _came.TrySetResult();
            }
        }
    }

    /// <summary>Returns when something came, or after so long.</summary>
    public async Task CameAsync(TimeSpan within, TimeProvider time, CancellationToken cancel)
    {
        Task came;
        lock (_lock)
        {
            came = _came.Task;
        }

        await came.WaitAsync(within, time, cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
