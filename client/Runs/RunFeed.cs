using Eddy.Client.Server;

namespace Eddy.Client.Runs;

/// <summary>The runs of a tenant, those that ran before and those that come. Checks that said no are not among them.</summary>
/// <param name="rule">Only this rule; null for all.</param>
/// <param name="pid">Only this process.</param>
/// <param name="onlyFailed">Only those that failed or were killed.</param>
public sealed class RunFeed(EddyApi api, string? rule, long? pid, bool onlyFailed)
{
    /// <summary>As many as come between two looks; who has more at once sees the newest of them.</summary>
    private const int MostNew = 100;

    private long _last;

    /// <summary>The newest, the oldest of them first.</summary>
    public async Task<IReadOnlyList<RunDetail>> NewestAsync(int count, CancellationToken cancel)
    {
        _last = (await api.RunsAsync("limit=1", cancel)).Runs is [var newest, ..] ? newest.Id : 0;
        return await ReadAsync(count, 0, cancel);
    }

    /// <summary>Those that came since it was asked last.</summary>
    public async Task<IReadOnlyList<RunDetail>> NextAsync(CancellationToken cancel)
    {
        // One small question, as long as nothing happens.
        if ((await api.RunsAsync("limit=1", cancel)).Runs is not [var newest, ..] || newest.Id <= _last)
        {
            return [];
        }

        var runs = await ReadAsync(MostNew, _last, cancel);
        _last = Math.Max(newest.Id, runs.Count > 0 ? runs[^1].Id : 0);
        return runs;
    }

    private async Task<IReadOnlyList<RunDetail>> ReadAsync(int count, long after, CancellationToken cancel)
    {
        if (count == 0)
        {
            return [];
        }

        var rows = new List<RunRow>();
        foreach (var outcome in onlyFailed ? ["failed", "killed"] : (string[])["ran", "failed", "killed"])
        {
            rows.AddRange((await api.RunsAsync($"limit={count}&outcome={outcome}{(rule is null ? "" : $"&rule={Uri.EscapeDataString(rule)}")}{(pid is null ? "" : $"&pid={pid}")}", cancel)).Runs);
        }

        var runs = new List<RunDetail>();
        foreach (var row in rows.Where(row => row.Id > after).DistinctBy(row => row.Id).OrderByDescending(row => row.Id).Take(count).Reverse())
        {
            runs.Add(await api.RunAsync(row.Id, cancel));
        }

        return runs;
    }
}
