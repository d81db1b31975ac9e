using Eddy.Upkeep;

namespace Eddy.Jobs;

/// <summary>Hangfire's face of the upkeep.</summary>
public sealed class UpkeepJob(Housekeeper housekeeper)
{
    public Task RunAsync(CancellationToken cancel) => housekeeper.TidyAsync(cancel);
}
