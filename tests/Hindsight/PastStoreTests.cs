using CsCheck;
using Eddy.Hindsight;
using Eddy.Postgres;

namespace Eddy.Tests.Hindsight;

/// <summary>A process as it was at each position of its log.</summary>
public sealed class PastStoreTests(TestDatabase database)
{
    private static readonly string[] Keys = ["a", "b", "c", "d"];

    // A process or the shared bag, a key, and a value; 0 removes.
    private static readonly Gen<(int Pid, int Key, int Value)[]> Logs = Gen.Select(Gen.Int[0, 1], Gen.Int[0, 3], Gen.Int[0, 3]).Array[1, 25];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task At_each_position_it_is_what_the_log_comes_to_until_then() =>
        await Logs.SampleAsync(async log =>
        {
            var (tenant, states) = await WithLogAsync(log);
            var store = new PastStore(new EddyDbs(database.App));
            var near = new PastStore(new EddyDbs(database.App)) { Reach = [1, 2] };

            for (var position = 0; position < states.Count; position++)
            {
                for (var pid = 0; pid < 2; pid++)
                {
                    var expected = states[position].Where(one => one.Key.Pid == pid).ToDictionary(one => one.Key.Key, one => one.Value);
                    var state = (await store.StateAsync(tenant.Id, pid, position, Cancel)).ShouldNotBeNull();
                    state.IsWhole.ShouldBeTrue();
                    state.Kvps.Select(kvp => (kvp.Key, kvp.Value, kvp.Position)).ShouldBe(expected.OrderBy(one => one.Key).Select(one => (one.Key, one.Value.Value, (long?)one.Value.Position)));
                    state.Kvps.ShouldAllBe(kvp => kvp.Origin!.Actor == "key:" + kvp.Position);

                    // Who looks less far knows less, and nothing wrong.
                    var told = (await near.StateAsync(tenant.Id, pid, position, Cancel)).ShouldNotBeNull();
                    told.Kvps.ShouldAllBe(kvp => expected[kvp.Key].Value == kvp.Value && (kvp.Position == null || kvp.Position == expected[kvp.Key].Position));
                    expected.Keys.Except(told.Kvps.Select(kvp => kvp.Key)).ShouldBeSubsetOf(told.Unknown);
                }
            }
        }, iter: 4, threads: 1);

    [Fact]
    public async Task A_moment_is_the_last_position_until_then()
    {
        var (tenant, _) = await WithLogAsync([.. Enumerable.Range(1, 20).Select(n => (1, 0, n))]);
        var store = new PastStore(new EddyDbs(database.App));

        // Two events a minute.
        for (var second = -30; second <= 660; second += 30)
        {
            (await store.PositionAsync(tenant.Id, Beginning.AddSeconds(second), Cancel)).ShouldBe(Math.Clamp(second / 60 * 2, 0, 20), $"after {second} s");
        }

        (await store.PositionAsync((await TestTenant.MakeAsync(database)).Id, Beginning, Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task Before_the_log_nothing_is_known_and_after_it_all_that_later_events_replaced()
    {
        var (tenant, states) = await WithLogAsync([(1, 0, 1), (1, 1, 1), (1, 0, 2), (1, 2, 1), (1, 0, 3), (1, 1, 2), (1, 2, 0)]);
        await tenant.PrepareAsync("delete from events where tenant_id = $1 and position <= 4");
        var store = new PastStore(new EddyDbs(database.App));

        (await store.StateAsync(tenant.Id, 1, 3, Cancel)).ShouldBeNull();
        var state = (await store.StateAsync(tenant.Id, 1, 4, Cancel)).ShouldNotBeNull();
        state.Kvps.Select(kvp => (kvp.Key, kvp.Value)).ShouldBe(states[4].Select(one => (one.Key.Key, one.Value.Value)).OrderBy(one => one.Key));
        state.IsWhole.ShouldBeTrue();
        (await store.PositionAsync(tenant.Id, Beginning, Cancel)).ShouldBe(0);
    }

    [Fact]
    public async Task The_difference_between_two_moments_is_what_is_another_or_on_one_side_alone()
    {
        var (tenant, _) = await WithLogAsync([(1, 0, 1), (1, 1, 1), (1, 3, 1), (1, 0, 2), (1, 1, 0), (1, 2, 1), (1, 3, 2), (1, 3, 1)]);
        var store = new PastStore(new EddyDbs(database.App));

        var difference = PastDifference.Between((await store.StateAsync(tenant.Id, 1, 3, Cancel))!, (await store.StateAsync(tenant.Id, 1, 8, Cancel))!);

        difference.Keys.Select(key => (key.Key, key.Before?.Value, key.After?.Value)).ShouldBe([("a", "1", "2"), ("b", "1", null), ("c", null, "1")]);
    }

    [Fact]
    public async Task Another_tenants_past_is_not_there()
    {
        var (tenant, _) = await WithLogAsync([(1, 0, 1), (0, 1, 1)]);
        var other = await TestTenant.MakeAsync(database);
        var store = new PastStore(new EddyDbs(database.App));

        (await store.StateAsync(tenant.Id, 1, 2, Cancel))!.Kvps.Count.ShouldBe(1);
        (await store.StateAsync(other.Id, 1, 2, Cancel))!.Kvps.ShouldBeEmpty();
        (await store.StateAsync(other.Id, 0, 2, Cancel))!.Kvps.ShouldBeEmpty();
    }

    private static readonly DateTimeOffset Beginning = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);

    // The log, the KVPs that it comes to, and all that it came to on the way; two events a minute.
    private async Task<(TestTenant Tenant, List<Dictionary<(int Pid, string Key), (string Value, long Position)>> States)> WithLogAsync((int Pid, int Key, int Value)[] log)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var now = new Dictionary<(int, string), (string Value, long Position)>();
        List<Dictionary<(int, string), (string, long)>> states = [new(now)];
        var rows = new List<string>();
        foreach (var (pid, n, value) in log)
        {
            var (position, key) = (states.Count, Keys[n]);
            var previous = now.TryGetValue((pid, key), out var before) ? $"'{before.Value}'" : "null";
            rows.Add($"($1, {position}, '{Beginning.AddMinutes((position + 1) / 2):O}', {pid}, '{key}', {(value == 0 ? "null" : $"'{value}'")}, {previous}, 'key:{position}', 'post', null, {position}, gen_random_uuid())");
            if (value == 0)
            {
                now.Remove((pid, key));
            }
            else
            {
                now[(pid, key)] = ($"{value}", position);
            }

            states.Add(new(now));
        }

        await tenant.PrepareAsync($"insert into events (tenant_id, position, at, pid, key, value, previous, actor, source, cause, set_position, root) values {string.Join(", ", rows)}");
        if (now.Count > 0)
        {
            await tenant.PrepareAsync($"insert into kvps (tenant_id, pid, key, value, position) values {string.Join(", ", now.Select(one => $"($1, {one.Key.Item1}, '{one.Key.Item2}', '{one.Value.Value}', {one.Value.Position})"))}");
        }

        return (tenant, states);
    }
}
