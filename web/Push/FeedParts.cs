using Eddy.Postgres;

namespace Eddy.Push;

internal static class FeedParts
{
    public static void AddFeed(this IServiceCollection services)
    {
        services.AddSingleton<Feed>().AddSingleton<Pulses>().AddSingleton<CardNews>();
        services.AddHostedService(all =>
        {
            var feed = all.GetRequiredService<Feed>();
            var listener = all.GetRequiredService<Listener>();
            listener.On("eddy_feed", feed.Hear);
            listener.OnConnected(feed.LookAtAll);
            var cards = all.GetRequiredService<CardNews>();
            listener.On("eddy_cards", cards.Hear);
            listener.OnConnected(cards.LookAtAll);
            return feed;
        });
    }
}
