using Eddy.Sandbox;
using Npgsql;

namespace Eddy.Health;

/// <summary>Whether the parts on which the web stands are there.</summary>
public sealed class Readiness(NpgsqlDataSource source, RuleSandbox sandbox, WebOptions options, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public async Task<ReadyAnswer> LookAsync(CancellationToken cancel)
    {
        var rules = SandboxAnswer.Of(sandbox.Health);
        var (database, pump) = await AskAsync(cancel);
        return new ReadyAnswer(database.Ready && pump.Ready && rules.Ready, database, rules, pump);
    }

    private async Task<(PartAnswer Database, PumpAnswer Pump)> AskAsync(CancellationToken cancel)
    {
        using var soon = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        soon.CancelAfter(Patience);
        try
        {
            await using var oldest = source.CreateCommand("select oldest_arrival()");
            var at = await oldest.ExecuteScalarAsync(soon.Token) as DateTime?;
            var lag = at is { } since ? Math.Max(0, (time.GetUtcNow().UtcDateTime - since).TotalSeconds) : 0;
            return lag > options.ReadyLag.TotalSeconds
                ? (new PartAnswer(true, null), new PumpAnswer(false, $"An event has waited for {lag:0} s.", lag))
                : (new PartAnswer(true, null), new PumpAnswer(true, null, lag));
        }
        catch (Exception fault) when (fault is NpgsqlException or IOException or TimeoutException || (fault is OperationCanceledException && !cancel.IsCancellationRequested))
        {
            return (new PartAnswer(false, "The database does not answer."), new PumpAnswer(false, "Without the database nobody knows.", null));
        }
    }
}

/// <summary>Whether everything is there.</summary>
public sealed record ReadyAnswer(bool Ready, PartAnswer Database, SandboxAnswer Sandbox, PumpAnswer Pump);

/// <param name="Reason">Why it is not ready; null where it is.</param>
public sealed record PartAnswer(bool Ready, string? Reason);

/// <param name="LagSeconds">How long the oldest event has waited that is not applied yet; null where nobody knows.</param>
public sealed record PumpAnswer(bool Ready, string? Reason, double? LagSeconds);
