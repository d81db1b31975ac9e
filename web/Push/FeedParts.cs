using Eddy.Postgres;

namespace Eddy.Push;

internal static class FeedParts
{
    public static void AddFeed(this IServiceCollection services)
    {
        services.AddSingleton<Feed>().AddSingleton<Pulses>();
        services.AddHostedService(all =>
        {
            var feed = all.GetRequiredService<Feed>();
            var listener = all.GetRequiredService<Listener>();
            listener.On("eddy_feed", feed.Hear);
            listener.OnConnected(feed.LookAtAll);
            return feed;
        });
    }
}
