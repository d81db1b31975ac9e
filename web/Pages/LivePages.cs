using System.Collections.Concurrent;
using System.Net;
using Eddy.Access;
using Eddy.Events;
using Eddy.Processes;
using Eddy.Push;
using Eddy.Sites;
using Eddy.Tenants;
using Microsoft.AspNetCore.SignalR;

namespace Eddy.Pages;

/// <summary>
/// The pages that are open somewhere. All viewers who see the same of a page share one <see cref="LivePage"/>: it is rendered once for each change, and sent once to a group. Members' rights are looked at
/// again and again; whose have changed asks anew.
/// </summary>
public sealed class LivePages(PageDesk desk, Visitors visitors, ProcessStore processes, Feed feed, IHubContext<PageHub> hub, SiteOptions options, TimeProvider time, ILogger<LivePages> log)
{
    /// <summary>Keys that one page's script listens to.</summary>
    private const int MostKeys = 50;

    private static readonly string ForAnybody = PageReader.Anybody.Class(0);

    private static readonly TimeSpan RightsTick = TimeSpan.FromSeconds(3);

    private readonly Lock _lock = new();
    private readonly Dictionary<string, Viewer> _viewers = new(StringComparer.Ordinal);
    private readonly Dictionary<TenantId, Watched> _tenants = [];
    private readonly Dictionary<string, int> _addresses = new(StringComparer.Ordinal);

    /// <summary>How many are connected, of one tenant.</summary>
    public int ViewersOf(TenantId tenant)
    {
        lock (_lock)
        {
            return _tenants.TryGetValue(tenant, out var watched) ? watched.Viewers.Count : 0;
        }
    }

    /// <summary>False where there are too many.</summary>
    internal bool Connect(HubCallerContext connection)
    {
        var http = connection.GetHttpContext()!;
        var (site, address) = (http.Site(), SitePace.PlaceOf(http.Connection.RemoteIpAddress ?? IPAddress.None));
        lock (_lock)
        {
            var watched = _tenants.GetValueOrDefault(site.Tenant);
            if (watched?.Viewers.Count >= options.TenantPages || _addresses.GetValueOrDefault(address) >= options.AddressPages)
            {
                return false;
            }

            if (watched is null)
            {
                _tenants[site.Tenant] = watched = new Watched();
                // What is committed from here on is heard, so nothing lies between it and the first rendering.
                watched.Feed = feed.Watch(site.Tenant, news => HearAsync(site.Tenant, watched, news));
                watched.Rights = time.CreateTimer(_ => _ = LookAtRightsAsync(watched), null, RightsTick, RightsTick);
            }

            var viewer = new Viewer(connection.ConnectionId, http, watched, address);
            (_viewers[connection.ConnectionId], watched.Viewers[connection.ConnectionId]) = (viewer, viewer);
            _addresses[address] = _addresses.GetValueOrDefault(address) + 1;
            return true;
        }
    }

    internal void Disconnect(HubCallerContext connection)
    {
        lock (_lock)
        {
            if (!_viewers.Remove(connection.ConnectionId, out var viewer))
            {
                return;
            }

            Leave(viewer);
            if (--_addresses[viewer.From] == 0)
            {
                _addresses.Remove(viewer.From);
            }

            var watched = viewer.Watched;
            watched.Viewers.TryRemove(viewer.Connection, out _);
            if (watched.Viewers.IsEmpty)
            {
                _tenants.Remove(viewer.Http.Site().Tenant);
                watched.Feed?.Dispose();
                watched.Rights?.Dispose();
            }
        }
    }

    internal async Task<PageState?> FollowAsync(HubCallerContext connection, string address, long? pid)
    {
        if (Find(connection) is not { } viewer)
        {
            return null;
        }

        var visitor = await visitors.OfAsync(viewer.Http, connection.ConnectionAborted);
        if (await desk.FindAsync(visitor, address, pid is > 0 ? pid : null, connection.ConnectionAborted) is not PageOutcome.There there)
        {
            return null;
        }

        var page = there.Page;
        LivePage live;
        string? left;
        lock (_lock)
        {
            if (!_viewers.ContainsKey(connection.ConnectionId))
            {
                // Gone meanwhile.
                return null;
            }

            left = viewer.Page?.Group;
            Leave(viewer);
            var (pages, key) = (viewer.Watched.Pages, (page.Path, page.Pid, page.Class));
            if (!pages.TryGetValue(key, out live!))
            {
                pages[key] = live = new LivePage(page, desk, hub, time, log);
                live.Begin();
            }

            live.Viewers++;
            (viewer.Page, viewer.Key, viewer.Address, viewer.Pid, viewer.Class) = (live, key, address, pid, page.Class);
        }

        if (left is not null && left != live.Group)
        {
            await hub.Groups.RemoveFromGroupAsync(connection.ConnectionId, left, connection.ConnectionAborted);
        }

        // First in the group, then told how it is: a change between the two comes twice, not never.
        await hub.Groups.AddToGroupAsync(connection.ConnectionId, live.Group, connection.ConnectionAborted);
        return await live.StateAsync(connection.ConnectionAborted);
    }

    internal async Task<bool> OnAsync(HubCallerContext connection, string key, long? pid)
    {
        if (Find(connection) is not { } viewer || (viewer.Keys.Count >= MostKeys && !viewer.Keys.ContainsKey((key, pid))))
        {
            return false;
        }

        viewer.Visitor = await visitors.OfAsync(viewer.Http, connection.ConnectionAborted);
        viewer.Keys[(key, pid)] = true;
        return true;
    }

    private Viewer? Find(HubCallerContext connection)
    {
        lock (_lock)
        {
            return _viewers.GetValueOrDefault(connection.ConnectionId);
        }
    }

    // Under the lock.
    private static void Leave(Viewer viewer)
    {
        if (viewer.Page is { } page && --page.Viewers == 0)
        {
            viewer.Watched.Pages.Remove(viewer.Key);
            page.Dispose();
        }

        viewer.Page = null;
    }

    private async Task HearAsync(TenantId tenant, Watched watched, FeedNews news)
    {
        List<LivePage> open;
        lock (_lock)
        {
            open = [.. watched.Pages.Values];
        }

        foreach (var page in open)
        {
            page.Hear(news);
        }

        await TellKeysAsync(tenant, watched, news);
    }

    /// <summary>Tells scripts of the keys that they listen to, of each the last value, as far as their visitor may read it.</summary>
    private async Task TellKeysAsync(TenantId tenant, Watched watched, FeedNews news)
    {
        var listening = watched.Viewers.Values.Where(viewer => !viewer.Keys.IsEmpty).ToList();
        if (listening.Count == 0)
        {
            return;
        }

        var keys = listening.SelectMany(viewer => viewer.Keys.Keys).Select(key => key.Key).ToHashSet(StringComparer.Ordinal);
        var last = new Dictionary<(long, string), StoredEvent>();
        foreach (var change in news.Events.Where(change => keys.Contains(change.Key)))
        {
            last[(change.Pid, change.Key)] = change;
        }

        if (last.Count == 0)
        {
            return;
        }

        var kinds = await processes.KindsAsync(tenant, [.. last.Keys.Select(one => one.Item1).Where(pid => pid != 0).Distinct()], CancellationToken.None);
        foreach (var change in last.Values)
        {
            var place = change.Pid == 0 ? KvpPlace.Shared : KvpPlace.Process(kinds.GetValueOrDefault(change.Pid));
            var told = listening.Where(viewer => (viewer.Keys.ContainsKey((change.Key, null)) || viewer.Keys.ContainsKey((change.Key, change.Pid))) && viewer.Visitor?.Access.May(KeyAct.Read, place, change.Key) == true)
                .Select(viewer => viewer.Connection).ToList();
            if (told.Count > 0)
            {
                await hub.Clients.Clients(told).SendAsync("kvp", change.Key, change.Value, change.Pid);
            }
        }
    }

    /// <summary>Whose rights have changed sees nothing more of the page until they have asked for it anew, and hears of keys by what they may now.</summary>
    private async Task LookAtRightsAsync(Watched watched)
    {
        if (Interlocked.Exchange(ref watched.IsLooking, 1) != 0)
        {
            return;
        }

        foreach (var viewer in watched.Viewers.Values.Where(viewer => !viewer.Keys.IsEmpty || (viewer.Class is { } seen && seen != ForAnybody)))
        {
            try
            {
                await LookAtRightsAsync(viewer);
            }
            catch (Exception fault)
            {
                // Who left meanwhile, or a database that is away: the next look is soon, and the others have theirs now.
                log.LogDebug(fault, "The rights of somebody who looks at a page could not be looked at");
            }
        }

        Volatile.Write(ref watched.IsLooking, 0);
    }

    private async Task LookAtRightsAsync(Viewer viewer)
    {
        var visitor = await visitors.OfAsync(viewer.Http, viewer.Http.RequestAborted);
        viewer.Visitor = visitor;
        if (viewer.Page is not { } page || viewer.Address is not { } address
            || (await desk.FindAsync(visitor, address, viewer.Pid, viewer.Http.RequestAborted) is PageOutcome.There there && there.Page.Class == viewer.Class))
        {
            return;
        }

        lock (_lock)
        {
            if (viewer.Page != page)
            {
                return;
            }

            Leave(viewer);
        }

        // Before it is told: whatever its script does then, nothing more comes to it.
        await hub.Groups.RemoveFromGroupAsync(viewer.Connection, page.Group);
        await hub.Clients.Client(viewer.Connection).SendAsync("again");
    }

    /// <summary>A tenant of which a page is open. Its pages are changed under the lock.</summary>
    private sealed class Watched
    {
        public int IsLooking;

        public ConcurrentDictionary<string, Viewer> Viewers { get; } = new(StringComparer.Ordinal);

        public Dictionary<(string Path, long? Pid, string Class), LivePage> Pages { get; } = [];

        public IDisposable? Feed { get; set; }

        public ITimer? Rights { get; set; }
    }

    private sealed class Viewer(string connection, HttpContext http, Watched watched, string from)
    {
        public string Connection => connection;

        public HttpContext Http => http;

        public Watched Watched => watched;

        public string From => from;

        public ConcurrentDictionary<(string Key, long? Pid), bool> Keys { get; } = new();

        /// <summary>Changed under the lock, as those below.</summary>
        public LivePage? Page { get; set; }

        public (string, long?, string) Key { get; set; }

        public string? Address { get; set; }

        public long? Pid { get; set; }

        public string? Class { get; set; }

        public volatile Visitor? Visitor;
    }
}
