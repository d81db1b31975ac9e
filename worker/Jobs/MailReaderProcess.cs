using Eddy.Mail;
using Hangfire.Server;

namespace Eddy.Jobs;

/// <summary>Hangfire's face of the reader of mail: runs it for as long as the server runs, and again if it ends by a fault.</summary>
public sealed class MailReaderProcess(MailReader reader) : IBackgroundProcess
{
    public void Execute(BackgroundProcessContext context) => reader.RunAsync(context.StoppingToken).GetAwaiter().GetResult();
}
