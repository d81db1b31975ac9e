using System.Text.Json;
using CsCheck;
using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Processes;
using Npgsql;

namespace Eddy.Tests.Processes;

/// <summary>Queries as SQL, against what they mean.</summary>
public sealed partial class ProcessFinderTests(TestDatabase database)
{
    private static readonly Dictionary<long, IReadOnlyDictionary<string, string>> Nothing = [];

    private static readonly Gen<string> Value = Gen.OneOf(
        Gen.Int[-3, 3].Select(number => $"{number}"),
        Gen.Int[-3, 3].Select(number => $"{number}.5"),
        Gen.Int[-3, 3].Select(number => $"{{\"$decimal\":\"{number}\"}}"),
        Of("\"\"", "\"a\"", "\"ab\"", "\"b\"", "\"true\"", "\"1\"", "\"ü\"", "true", "false", "null", "[]", "[1]", "[\"a\",1]", "{}", "{\"$process\":3}"),
        Gen.Int[1, 5].Select(day => $"{{\"$date\":\"2026-01-0{day}\"}}"));

    private static readonly Gen<string> Key = Of("k", "l", "kind", "m_id");

    private static readonly Gen<Dictionary<string, string>> Process = Gen.Select(Key, Value).List[1, 4].Select(pairs => pairs.GroupBy(pair => pair.Item1).ToDictionary(pair => pair.Key, pair => pair.First().Item2));

    private static readonly Gen<ProcessCondition> Condition = Gen.Select(Of("k", "l", "kind", "m"), Gen.Int[0, 9].Select(i => (Comparison)i), Value, Value).Select((key, comparison, one, two) => comparison switch
    {
        Comparison.In => new ProcessCondition(key, comparison, [one, two]),
        Comparison.IsNull => new ProcessCondition(key, comparison, [one.Length % 2 == 0 ? "true" : "false"]),
        Comparison.StartsWith => new ProcessCondition(key, comparison, [one[0] == '"' ? one : "\"a\""]),
        Comparison.Less or Comparison.LessOrEqual or Comparison.Greater or Comparison.GreaterOrEqual when KvpLookup.Of(one) is not ({ Num: not null } or { At: not null }) && one[0] != '"' =>
            new ProcessCondition(key, comparison, ["1"]),
        _ => new ProcessCondition(key, comparison, [one]),
    });

    private static readonly Gen<ProcessClause> Clause = Gen.Select(Gen.Bool, Condition.List[1, 2]).Select((negated, conditions) => new ProcessClause(negated, conditions));

    private static Gen<string> Of(params string[] some) => Gen.Int[0, some.Length - 1].Select(i => some[i]);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_found_is_what_a_look_at_each_process_finds_committed_or_not()
    {
        var finder = new ProcessFinder(new EddyDbs(database.App));
        await Gen.Select(Process.List[0, 8], Process.List[0, 4], Clause.List[0, 3]).SampleAsync(async (committed, changed, where) =>
        {
            var tenant = await TestTenant.MakeAsync(database);
            await StoreAsync(tenant, committed);
            // The first of the touched ones are committed ones that have changed, and one of them is gone.
            var touched = changed.Select((kvps, i) => (Pid: (i * 2) + 1L, Kvps: i == 1 ? [] : kvps)).ToDictionary(one => one.Pid, one => (IReadOnlyDictionary<string, string>)one.Kvps);
            var all = committed.Select((kvps, i) => (Pid: i + 1L, Kvps: (IReadOnlyDictionary<string, string>)kvps)).Where(one => !touched.ContainsKey(one.Pid))
                .Concat(touched.Where(one => one.Value.Count > 0).Select(one => (Pid: one.Key, Kvps: one.Value))).OrderBy(one => one.Pid).ToList();
            var question = new ProcessQuestion(where, [], 0, 1000, false);

            var found = await finder.FindAsync(tenant.Id, question, touched, Cancel);

            var expected = all.Where(one => where.All(clause => clause.Conditions.All(condition => Holds(condition, one.Kvps)) != clause.Negated)).Select(one => one.Pid).ToList();
            found.Select(one => one.Pid).ShouldBe(expected, JsonSerializer.Serialize(new { committed, touched, where }));
            (await finder.CountAsync(tenant.Id, question, touched, Cancel)).ShouldBe(expected.Count);
            foreach (var (pid, kvps) in found.Where(one => one.Kvps is not null))
            {
                kvps!.OrderBy(kvp => kvp.Key, StringComparer.Ordinal).ShouldBe(committed[(int)pid - 1].OrderBy(kvp => kvp.Key, StringComparer.Ordinal));
            }
        }, iter: Environment.GetEnvironmentVariable("CI") == "true" ? 400 : 60, threads: 1);
    }

    [Fact]
    [Trait("Category", "Long")]
    public async Task A_kind_and_a_key_are_found_among_many_processes_by_their_indexes()
    {
        await using var own = await database.OfItsOwnAsync();
        var tenant = await TestTenant.MakeAsync(own);
        await using (var fill = own.Superuser.CreateCommand($"""
            insert into processes (tenant_id, pid, kind, created_at) select '{tenant.Id}', n, case n % 4 when 0 then 'order' when 1 then 'item' when 2 then 'person' else null end, now() from generate_series(1, 200000) n;
            insert into kvps (tenant_id, pid, key, value, txt, num, position) select '{tenant.Id}', n, 'number', to_jsonb(n), n::text, n, n from generate_series(1, 200000) n;
            insert into kvps (tenant_id, pid, key, value, txt, num, position) select '{tenant.Id}', n, 'city', to_jsonb('city-' || n % 1000), 'city-' || n % 1000, null, n from generate_series(1, 200000) n;
            insert into kvps (tenant_id, pid, key, value, txt, num, position) select tenant_id, pid, 'kind', to_jsonb(kind), kind, null, pid from processes where kind is not null;
            analyze;
            """))
        {
            fill.CommandTimeout = 600;
            await fill.ExecuteNonQueryAsync(Cancel);
        }

        // The first question by a key fills its index, which may take a busy machine its time.
        await using var patient = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(own.AppConnection) { CommandTimeout = 600 });
        var finder = new ProcessFinder(new EddyDbs(patient));
        foreach (var (key, operand, count) in new[] { ("city", "\"city-17\"", 200), ("number", "100001", 1) })
        {
            var question = new ProcessQuestion(
                [new ProcessClause(false, [new ProcessCondition("kind", Comparison.Equal, ["\"item\""]), new ProcessCondition(key, Comparison.Equal, [operand])])], [], 0, 1000, false);

            var found = await finder.FindAsync(tenant.Id, question, Nothing, Cancel);
            var plan = await finder.ExplainAsync(tenant.Id, question, Cancel);

            TestContext.Current.TestOutputHelper?.WriteLine(plan);
            found.Count.ShouldBe(count, plan);
            plan.ShouldContain("kvp_index_");
            plan.ShouldNotContain("Seq Scan");
            // Some pages for each of those found, whatever else there is.
            int.Parse(Buffers().Match(plan).Groups[1].Value).ShouldBeLessThan(40 * count + 100, plan);
        }
    }

    [System.Text.RegularExpressions.GeneratedRegex(@"Buffers: shared hit=(\d+)")]
    private static partial System.Text.RegularExpressions.Regex Buffers();

    /// <summary>What docs/rules.md says of a condition, looked at one process at a time.</summary>
    private static bool Holds(ProcessCondition condition, IReadOnlyDictionary<string, string> kvps)
    {
        // A reference named m is kept as m_id.
        var isReference = condition.Operands.Any(operand => operand.StartsWith("{\"$process\":", StringComparison.Ordinal))
            && condition.Comparison is not (Comparison.StartsWith or Comparison.IsNull);
        string[] names = isReference ? [condition.Key, condition.Key + "_id"] : [condition.Key];
        var values = names.Where(kvps.ContainsKey).Select(name => kvps[name]).Where(value => value != "null").ToList();
        return condition.Comparison switch
        {
            Comparison.Equal => Equal(condition.Operands[0]),
            Comparison.NotEqual => !Equal(condition.Operands[0]),
            Comparison.In => condition.Operands.Any(Equal),
            Comparison.IsNull => condition.Operands[0] == "true" == (values.Count == 0),
            Comparison.StartsWith => values.Exists(value => value[0] == '"' && Text(value).StartsWith(Text(condition.Operands[0]), StringComparison.Ordinal)),
            Comparison.Contains => values.Exists(value =>
                value[0] == '"' && condition.Operands[0][0] == '"' && Text(value).Contains(Text(condition.Operands[0]), StringComparison.Ordinal)
                || value[0] == '[' && JsonDocument.Parse(value).RootElement.EnumerateArray().Any(element => element.GetRawText() == condition.Operands[0])),
            var comparison => values.Exists(value => Compare(value, condition.Operands[0]) is { } order && comparison switch
            {
                Comparison.Less => order < 0,
                Comparison.LessOrEqual => order <= 0,
                Comparison.Greater => order > 0,
                _ => order >= 0,
            }),
        };

        bool Equal(string operand) => operand == "null" ? values.Count == 0
            : values.Exists(value => value == operand || KvpLookup.Of(value).Num is { } one && KvpLookup.Of(operand).Num is { } two && one.Equals(two));
    }

    private static int? Compare(string value, string operand) => (KvpLookup.Of(value), KvpLookup.Of(operand)) switch
    {
        ({ Num: { } one }, { Num: { } two }) => one.CompareTo(two),
        ({ At: { } one }, { At: { } two }) => one.CompareTo(two),
        _ when value[0] == '"' && operand[0] == '"' => string.CompareOrdinal(Text(value), Text(operand)),
        _ => null,
    };

    private static string Text(string value) => JsonSerializer.Deserialize<string>(value)!;

    private async Task StoreAsync(TestTenant tenant, List<Dictionary<string, string>> processes)
    {
        await using var batch = database.Superuser.CreateBatch();
        for (var i = 0; i < processes.Count; i++)
        {
            var kind = processes[i].GetValueOrDefault("kind") is { } text ? KvpLookup.Of(text).Txt : null;
            batch.BatchCommands.Add(new("insert into processes (tenant_id, pid, kind, created_at) values ($1, $2, $3, now())")
            {
                Parameters = { new() { Value = tenant.Id.Value }, new() { Value = i + 1L }, new() { Value = (object?)kind ?? DBNull.Value } },
            });
            foreach (var (key, value) in processes[i])
            {
                var lookup = KvpLookup.Of(value);
                batch.BatchCommands.Add(new("insert into kvps (tenant_id, pid, key, value, txt, num, at, position) values ($1, $2, $3, $4::jsonb, $5, $6, $7, 1)")
                {
                    Parameters =
                    {
                        new() { Value = tenant.Id.Value }, new() { Value = i + 1L }, new() { Value = key }, new() { Value = value },
                        new() { Value = (object?)lookup.Txt ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                        new() { Value = (object?)lookup.Num ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Double },
                        new() { Value = (object?)lookup.At ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz },
                    },
                });
            }
        }

        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(Cancel);
        }
    }
}
