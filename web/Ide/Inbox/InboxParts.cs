using Eddy.Mail;
using Eddy.Mail.Inbox;

namespace Eddy.Ide.Inbox;

/// <summary>What the screens of the inbox and the preview over HTTP need.</summary>
internal static class InboxParts
{
    public static IServiceCollection AddInbox(this IServiceCollection services) => services
        .AddSingleton(all => all.GetRequiredService<MailOptions>().Inbox)
        .AddSingleton(all => new InboxAddresses(all.GetRequiredService<InboxOptions>(), all.GetRequiredService<Secrets.MasterKeys>()))
        .AddSingleton<InboxPolicyStore>().AddSingleton<InboxFactStore>().AddSingleton<InboxPreview>();
}
