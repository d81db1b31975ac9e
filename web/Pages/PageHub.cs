using Eddy.Kvps;
using Eddy.Sites;
using Microsoft.AspNetCore.SignalR;

namespace Eddy.Pages;

/// <summary>
/// The line between an open page and its tenant's state, at <c>/_eddy/live</c>. The page asks to be kept as it would be rendered now, and its script for single keys; the rest is told to it. See
/// <see cref="LivePages"/>.
/// </summary>
public sealed class PageHub(LivePages live) : Hub
{
    /// <summary>Calls of one connection in <see cref="Window"/>; whoever calls more often is cut off.</summary>
    private const int MostCalls = 60;

    private static readonly TimeSpan Window = TimeSpan.FromSeconds(10);

    public override async Task OnConnectedAsync()
    {
        // A page of another origin has the member's cookie sent along, too.
        if (SiteOrigin.Fault(Context.GetHttpContext()!) is not null || !live.Connect(Context))
        {
            Context.Abort();
            return;
        }

        await base.OnConnectedAsync();
    }

    public override Task OnDisconnectedAsync(Exception? exception)
    {
        live.Disconnect(Context);
        return base.OnDisconnectedAsync(exception);
    }

    /// <summary>Keeps this page as it is rendered from now on, and answers with it; null where there is none for this visitor.</summary>
    /// <param name="address">The page's path.</param>
    /// <param name="pid">The process that it is shown for.</param>
    public async Task<PageState?> Follow(string address, long? pid) => MayCall() ? await live.FollowAsync(Context, address, pid) : null;

    /// <summary>Tells of this key from now on, as far as this visitor may read it.</summary>
    public async Task<bool> On(string key, long? pid) => MayCall() && KvpKey.Fault(key) is null && await live.OnAsync(Context, key, pid);

    private bool MayCall()
    {
        var now = DateTimeOffset.UtcNow;
        var (since, count) = Context.Items[nameof(MayCall)] is ValueTuple<DateTimeOffset, int> known && now - known.Item1 < Window ? known : (now, 0);
        Context.Items[nameof(MayCall)] = (since, count + 1);
        if (count < MostCalls)
        {
            return true;
        }

        Context.Abort();
        return false;
    }
}

/// <summary>A page as it is now.</summary>
/// <param name="Version">Counts the changes since somebody first followed it.</param>
public sealed record PageState(long Version, string Html);
