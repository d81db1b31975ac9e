using System.Text;
using Eddy.Postgres;
using Eddy.Processes;
using Eddy.Runs;
using Npgsql;

namespace Eddy.Tests.Processes;

/// <summary>Long lists of processes, and the story of one.</summary>
public sealed class ProcessListTests(TestDatabase database)
{
    private readonly ProcessListStore _lists = new(new EddyDbs(database.App));
    private readonly ProcessStoryStore _stories = new(new EddyDbs(database.App));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_place_of_a_long_list_is_found_by_its_number()
    {
        var tenant = await WithProcessesAsync(1203);

        var outline = await _lists.OutlineAsync(tenant.Id, ProcessFilter.None, Cancel);

        outline.Count.ShouldBe(1203);
        outline.IsCut.ShouldBeFalse();
        (outline.First, outline.Last).ShouldBe((3609, 3));
        foreach (var index in (int[])[0, 1, 499, 500, 501, 999, 1000, 1202])
        {
            var (from, skip) = outline.At(index);
            var pids = await _lists.PidsAsync(tenant.Id, ProcessFilter.None, from, outline.Last, skip + 1, Cancel);
            pids[skip].ShouldBe(3 * (1203 - index), $"place {index}");
        }
    }

    [Fact]
    public async Task A_list_is_narrowed_by_kind_parent_key_value_and_time()
    {
        var tenant = await WithProcessesAsync(20);

        (await CountAsync(new ProcessFilter("room", null, null, null, null, null))).ShouldBe(10);
        (await CountAsync(new ProcessFilter(null, 3, null, null, null, null))).ShouldBe(10);
        (await CountAsync(new ProcessFilter(null, null, "n", null, null, null))).ShouldBe(20);
        (await CountAsync(new ProcessFilter(null, null, "n", "7", null, null))).ShouldBe(1);
        (await CountAsync(new ProcessFilter(null, null, "none", null, null, null))).ShouldBe(0);
        (await CountAsync(new ProcessFilter("room", null, null, null, At(10), At(14)))).ShouldBe(2);

        async Task<int> CountAsync(ProcessFilter filter)
        {
            var outline = await _lists.OutlineAsync(tenant.Id, filter, Cancel);
            (await _lists.PidsAsync(tenant.Id, filter, long.MaxValue, outline.Last, 100, Cancel)).Count.ShouldBe(outline.Count);
            return outline.Count;
        }
    }

    [Fact]
    public async Task Of_another_tenant_nothing_is_found()
    {
        var (tenant, other) = (await WithProcessesAsync(3), await TestTenant.MakeAsync(database));

        (await _lists.OutlineAsync(other.Id, ProcessFilter.None, Cancel)).Count.ShouldBe(0);
        (await _lists.PidsAsync(other.Id, ProcessFilter.None, long.MaxValue, 0, 10, Cancel)).ShouldBeEmpty();
        (await _lists.ReadAsync(other.Id, [3, 6], Cancel)).ShouldBeEmpty();
        (await _stories.KvpsAsync(other.Id, 3, Cancel)).ShouldBeEmpty();
        (await _stories.HistoryAsync(other.Id, 3, long.MaxValue, 10, Cancel)).Events.ShouldBeEmpty();
        (await _lists.ReadAsync(tenant.Id, [6, 3], Cancel)).Select(process => (process.Pid, process.KeyCount)).ShouldBe([(6, 1), (3, 1)]);
    }

    [Fact]
    public async Task A_part_of_a_list_is_read_in_the_order_of_an_index()
    {
        var tenant = await WithProcessesAsync(5000);

        foreach (var filter in (ProcessFilter[])[ProcessFilter.None, new("room", null, null, null, null, null), new(null, 3, null, null, null, null)])
        {
            var command = ProcessListStore.PidsCommand(tenant.Id, filter, 6000, 0, 50);
            var plan = await ExplainAsync(tenant, command.CommandText, [.. command.Parameters.Cast<NpgsqlParameter>().Select(parameter => parameter.Value!)]);

            plan.ShouldContain("Index");
            plan.ShouldNotContain("Sort");
        }
    }

    [Fact]
    public async Task The_history_of_one_process_among_many_is_read_by_its_index()
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync(
            """
            insert into events (tenant_id, position, at, pid, key, value, actor, source, set_position, root)
            select $1, n, now(), 1 + n % 400, 'n', to_jsonb(n), 'key:x', 'post', n, gen_random_uuid() from generate_series(1, 20000) n
            """);
        await using (var analyze = database.Superuser.CreateCommand("analyze events"))
        {
            await analyze.ExecuteNonQueryAsync(Cancel);
        }

        var (events, more) = await _stories.HistoryAsync(tenant.Id, 7, long.MaxValue, 20, Cancel);
        var plan = await ExplainAsync(tenant, ProcessStoryStore.HistorySql, tenant.Id.Value, 7L, long.MaxValue, 20);

        (events.Count, more, events[0].Position).ShouldBe((20, true, 19606));
        plan.ShouldContain("tenant_id_pid_position_idx");
        plan.ShouldNotContain("Rows Removed");
    }

    private static DateTimeOffset At(int minute) => new(2026, 11, 28, 12, minute, 0, TimeSpan.Zero);

    // Numbers with gaps, every second one of kind room and below process 3.
    private async Task<TestTenant> WithProcessesAsync(int count)
    {
        var tenant = await TestTenant.MakeAsync(database);
        await tenant.PrepareAsync(
            $"""
            insert into processes (tenant_id, pid, kind, parent, created_at)
            select $1, 3 * n, case when n % 2 = 0 then 'room' end, case when n % 2 = 0 then 3 end, timestamptz '2026-11-28 12:00:00Z' + n * interval '1 minute' from generate_series(1, {count}) n
            """);
        await tenant.PrepareAsync($"insert into kvps (tenant_id, pid, key, value, txt, position) select $1, 3 * n, 'n', to_jsonb(n), n::text, n from generate_series(1, {count}) n");
        return tenant;
    }

    private async Task<string> ExplainAsync(TestTenant tenant, string sql, params object[] values)
    {
        var command = new NpgsqlBatchCommand("explain (analyze, costs off, timing off) " + sql);
        foreach (var value in values)
        {
            command.Parameters.Add(new() { Value = value });
        }

        await using var batch = new EddyDbs(database.App).BatchFor(tenant.Id);
        batch.BatchCommands.Add(command);
        await using var rows = await batch.ExecuteReaderAsync(Cancel);
        await rows.NextResultAsync(Cancel);
        var plan = new StringBuilder();
        while (await rows.ReadAsync(Cancel))
        {
            plan.AppendLine(rows.GetString(0));
        }

        return plan.ToString();
    }
}
