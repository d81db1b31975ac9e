using Eddy.Push;
using Microsoft.AspNetCore.SignalR;

namespace Eddy.Pages;

/// <summary>
/// One page as some viewers see it alike, while they do: rendered anew where something that it shows has changed, once for all of them, and told as what became another.
/// </summary>
internal sealed class LivePage : IDisposable
{
    /// <summary>Between two renderings: what changes meanwhile is in the next.</summary>
    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(60);

    /// <summary>So often it is looked whether the page itself was saved anew.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(2);

    private const int MostMeanwhile = 2000;

    private readonly Lock _lock = new();
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _end = new();
    private readonly List<(long Pid, string Key)> _meanwhile = [];
    private TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationToken _ended;
    private readonly PageDesk _desk;
    private readonly IHubContext<PageHub> _hub;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private PageAsked _page;
    private PageReads _reads = new();
    private string? _html;
    private long _version;
    private bool _isDirty = true;

    public LivePage(PageAsked asked, PageDesk desk, IHubContext<PageHub> hub, TimeProvider time, ILogger log)
    {
        (_page, _desk, _hub, _time, _log) = (asked, desk, hub, time, log);
        _ended = _end.Token;
    }

    public string Group { get; } = $"page {Guid.NewGuid():N}";

    /// <summary>Changed under the lock of <see cref="LivePages"/>.</summary>
    public int Viewers { get; set; }

    public void Begin() => _ = Task.Run(RunAsync, CancellationToken.None);

    /// <summary>Nobody looks any more.</summary>
    public void Dispose()
    {
        _end.Cancel();
        Volatile.Read(ref _woken).TrySetResult();
        _end.Dispose();
    }

    /// <summary>The page as it is now; null where it can not be shown.</summary>
    public async Task<PageState?> StateAsync(CancellationToken cancel)
    {
        await _first.Task.WaitAsync(cancel);
        lock (_lock)
        {
            return _html is null ? null : new PageState(_version, _html);
        }
    }

    /// <summary>What was committed. Quick.</summary>
    public void Hear(FeedNews news)
    {
        lock (_lock)
        {
            if (!_isDirty)
            {
                _isDirty = news.IsGap || news.Events.Any(change => _reads.Concern(change.Pid, change.Key));
            }

            // What is read just now may be what changed just before.
            foreach (var change in news.Events)
            {
                _meanwhile.Add((change.Pid, change.Key));
            }

            if (_meanwhile.Count > MostMeanwhile)
            {
                _meanwhile.Clear();
                _isDirty = true;
            }

            if (!_isDirty)
            {
                return;
            }
        }

        Volatile.Read(ref _woken).TrySetResult();
    }

    private async Task RunAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            try
            {
                await RenderAsync();
                await Task.Delay(Rest, _time, _ended);
                await WokenAsync();
            }
            catch (OperationCanceledException) when (_ended.IsCancellationRequested)
            {
                return;
            }
            catch (Exception fault)
            {
                // The database may be away; those who look keep what they have.
                _log.LogDebug(fault, "A live page could not be rendered");
                await Task.Delay(Tick, _time, CancellationToken.None);
            }
            finally
            {
                _first.TrySetResult();
            }
        }
    }

    private async Task WokenAsync()
    {
        await Volatile.Read(ref _woken).Task.WaitAsync(Tick, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Volatile.Write(ref _woken, new(TaskCreationOptions.RunContinuationsAsynchronously));
    }

    private async Task RenderAsync()
    {
        var set = await _desk.SetAsync(_page.Site.Tenant, _ended);
        if (set.Version != _page.Set.Version)
        {
            if (!set.Has(_page.Path) || set.AudienceOf(_page.Path) != _page.Set.AudienceOf(_page.Path))
            {
                // It is gone, or for others: each of them asks anew.
                await _hub.Clients.Group(Group).SendAsync("again", _ended);
                return;
            }

            if (set.MayAskVisitor(_page.Path) != _page.Set.MayAskVisitor(_page.Path))
            {
                // It shows each who they are now, or does not any more.
                await _hub.Clients.Group(Group).SendAsync("again", _ended);
            }

            (_page, _isDirty) = (_page with { Set = set }, true);
        }

        lock (_lock)
        {
            if (!_isDirty)
            {
                return;
            }

            _isDirty = false;
            _meanwhile.Clear();
        }

        PageRendering rendering;
        try
        {
            rendering = await _desk.RenderAsync(_page, _ended);
        }
        catch (PageFault)
        {
            // Its author is told; those who look keep what they have.
            return;
        }

        HtmlDelta delta;
        lock (_lock)
        {
            _reads = rendering.Reads;
            _isDirty |= _meanwhile.Exists(change => _reads.Concern(change.Pid, change.Key));
            if (_isDirty)
            {
                Volatile.Read(ref _woken).TrySetResult();
            }

            if (_html == rendering.Html)
            {
                return;
            }

            delta = HtmlDelta.Of(_html ?? "", rendering.Html, ++_version);
            _html = rendering.Html;
        }

        if (delta.Version > 1)
        {
            await _hub.Clients.Group(Group).SendAsync("change", delta.Version, delta.Prefix, delta.Suffix, delta.Middle, _ended);
        }
    }
}
