using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using Eddy.Kvps;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Processes;

/// <summary>
/// Answers what runs ask of their tenant's processes. PostgreSQL is the only evaluator: the committed KVPs without the processes that the slice has touched, and these as
/// rows that come along. Row-level security shows no other tenant's.
/// </summary>
public sealed class ProcessFinder(EddyDbs dbs)
{
    // Keys that were looked up before, and whether there is an index by them. As many as are worth remembering.
    private const int Remembered = 100_000;
    private readonly ConcurrentDictionary<(TenantId, string), bool> _lookedUp = new();

    /// <summary>How many characters of KVPs come along with an answer, so that they need not be asked for one by one.</summary>
    private const int Along = 1 << 20;
    private const int MostAlong = 200;

    // The worth of a number or a decimal. Else null.
    private const string Worth = "case jsonb_typeof(k.value) when 'number' then k.value::numeric else (k.value ->> '$decimal')::numeric end";
    private const string Letters = "jsonb_typeof(k.value) = 'string' and k.value #>> '{}'";

    /// <summary>The KVPs of a process as canonical JSON by key, or null where the tenant has none of this number.</summary>
    public async Task<IReadOnlyDictionary<string, string>?> ReadAsync(TenantId tenant, long pid, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(ProcessStore.ReadCommand(tenant, pid));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        return (await ProcessStore.ReadOneAsync(rows, pid, cancel))?.Kvps.ToDictionary(kvp => kvp.Key, kvp => KvpValue.Stored(kvp.Value), StringComparer.Ordinal);
    }

    /// <summary>Numbers for processes that a run makes: the first of <paramref name="count"/>. They are gone, whether they are used or not.</summary>
    public async Task<long> DrawAsync(TenantId tenant, int count, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        // Whoever uses a number is durable after this, so that nothing is lost with it; and the next one does not wait for the disk.
        batch.BatchCommands.Add(new("set local synchronous_commit = off"));
        batch.BatchCommands.Add(new("select first from draw_pids(array[$1], array[$2])") { Parameters = { new() { Value = tenant.Value }, new() { Value = count } } });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return rows.GetInt64(0);
    }

    /// <summary>How many processes match.</summary>
    /// <param name="touched">The KVPs of processes that are not as they are committed; without KVPs a process is not there.</param>
    public async Task<long> CountAsync(TenantId tenant, ProcessQuestion question, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> touched, CancellationToken cancel)
    {
        var keys = await KeysAsync(tenant, question, cancel);
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new Statement(tenant, touched, keys).Count(question));
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        await rows.ReadAsync(cancel);
        return rows.GetInt64(0);
    }

    /// <summary>The processes that match, in order, with the committed KVPs of the first ones that are not <paramref name="touched"/>; null where they have to be read.</summary>
    public async Task<IReadOnlyList<(long Pid, IReadOnlyDictionary<string, string>? Kvps)>> FindAsync(
        TenantId tenant, ProcessQuestion question, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> touched, CancellationToken cancel)
    {
        var pids = await PidsAsync(tenant, question, touched, cancel);
        var wanted = pids.Where(pid => !touched.ContainsKey(pid)).Take(MostAlong).ToArray();
        var along = wanted.Length == 0 ? [] : await KvpsAsync(tenant, wanted, cancel);
        return pids.ConvertAll(pid => (pid, along.TryGetValue(pid, out var kvps) ? (IReadOnlyDictionary<string, string>)kvps : null));
    }

    /// <summary>Those of these processes that match, in order, by the same evaluator: nobody's others are looked at.</summary>
    public async Task<List<long>> FindAmongAsync(ProcessQuestion question, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> processes, CancellationToken cancel)
    {
        if (processes.Count == 0)
        {
            return [];
        }

        // Row-level security shows nothing to nobody.
        return await PidsAsync(default, new Statement(default, processes, new HashSet<string>()).Find(question), cancel);
    }

    /// <summary>The statement that <see cref="FindAsync"/> would send, explained by the database.</summary>
    internal async Task<string> ExplainAsync(TenantId tenant, ProcessQuestion question, CancellationToken cancel)
    {
        var keys = await KeysAsync(tenant, question, cancel);
        var statement = new Statement(tenant, new Dictionary<long, IReadOnlyDictionary<string, string>>(), keys).Find(question);
        statement.CommandText = "explain (analyze, buffers, costs off) " + statement.CommandText;
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(statement);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var plan = new StringBuilder();
        while (await rows.ReadAsync(cancel))
        {
            plan.AppendLine(rows.GetString(0));
        }

        return plan.ToString();
    }

    /// <summary>Of the keys that the question looks for, those that there is an index by. The first to ask by a key waits until it is made.</summary>
    private async Task<IReadOnlySet<string>> KeysAsync(TenantId tenant, ProcessQuestion question, CancellationToken cancel)
    {
        var keys = new HashSet<string>(StringComparer.Ordinal);
        foreach (var key in question.Where.Where(clause => !clause.Negated).SelectMany(clause => clause.Conditions).Where(IsFoundByIndex).Select(condition => condition.Key).Distinct())
        {
            if (!_lookedUp.TryGetValue((tenant, key), out var isThere))
            {
                await using var batch = dbs.BatchFor(tenant);
                batch.BatchCommands.Add(new("select look_up($1, $2)") { Parameters = { new() { Value = tenant.Value }, new() { Value = key } } });
                await using var rows = await batch.ExecuteReaderAsync(cancel);
                await rows.NextResultAsync(cancel);
                await rows.ReadAsync(cancel);
                isThere = rows.GetBoolean(0);
                if (_lookedUp.Count > Remembered)
                {
                    _lookedUp.Clear();
                }

                _lookedUp[(tenant, key)] = isThere;
            }

            if (isThere)
            {
                keys.Add(key);
            }
        }

        return keys;
    }

    private static bool IsFoundByIndex(ProcessCondition condition) =>
        condition.Key is not ("PROCESS_ID" or "PARENT" or "kind")
        && !condition.Operands.Any(operand => operand == "null" || operand.StartsWith("{\"$process\":", StringComparison.Ordinal))
        && condition.Comparison switch
        {
            Comparison.Equal or Comparison.In => condition.Operands.All(operand => KvpLookup.Of(operand).Txt is not null),
            Comparison.Less or Comparison.LessOrEqual or Comparison.Greater or Comparison.GreaterOrEqual => KvpLookup.Of(condition.Operands[0]) is { Num: not null } or { At: not null },
            _ => false,
        };

    /// <summary>The numbers of the processes that match, in order.</summary>
    public async Task<List<long>> PidsAsync(TenantId tenant, ProcessQuestion question, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> touched, CancellationToken cancel)
    {
        var keys = await KeysAsync(tenant, question, cancel);
        return await PidsAsync(tenant, new Statement(tenant, touched, keys).Find(question), cancel);
    }

    private async Task<List<long>> PidsAsync(TenantId tenant, NpgsqlBatchCommand find, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(find);
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var pids = new List<long>();
        while (await rows.ReadAsync(cancel))
        {
            pids.Add(rows.GetInt64(0));
        }

        return pids;
    }

    private async Task<Dictionary<long, Dictionary<string, string>>> KvpsAsync(TenantId tenant, long[] pids, CancellationToken cancel)
    {
        await using var batch = dbs.BatchFor(tenant);
        batch.BatchCommands.Add(new("""
            with sizes as (
              select u.pid, u.n, coalesce(s.size, 0) as size from unnest($2) with ordinality u(pid, n)
              cross join lateral (select sum(length(k.key) + length(k.value::text)) as size from kvps k where k.tenant_id = $1 and k.pid = u.pid offset 0) s),
            whole as (select pid, sum(size) over (order by n) as total from sizes)
            select w.pid, k.key, k.value
            from whole w cross join lateral (select k.key, k.value::text from kvps k where k.tenant_id = $1 and k.pid = w.pid offset 0) k
            where w.total <= $3
            """)
        {
            Parameters = { new() { Value = tenant.Value }, new() { Value = pids }, new() { Value = (decimal)Along } },
        });
        await using var rows = await batch.ExecuteReaderAsync(cancel);
        await rows.NextResultAsync(cancel);
        var found = new Dictionary<long, Dictionary<string, string>>();
        while (await rows.ReadAsync(cancel))
        {
            if (!found.TryGetValue(rows.GetInt64(0), out var kvps))
            {
                found[rows.GetInt64(0)] = kvps = new(StringComparer.Ordinal);
            }

            kvps[rows.GetString(1)] = KvpValue.Stored(rows.GetString(2));
        }

        return found;
    }

    /// <summary>Writes the SQL of one question. Whatever comes from the tenant is a parameter.</summary>
    private sealed class Statement
    {
        private readonly NpgsqlBatchCommand _command = new();
        private readonly bool _hasTouched;

        private readonly IReadOnlySet<string> _keys;

        /// <param name="keys">Those that there is an index by.</param>
        public Statement(TenantId tenant, IReadOnlyDictionary<long, IReadOnlyDictionary<string, string>> touched, IReadOnlySet<string> keys)
        {
            _keys = keys;
            Add(tenant.Value);
            _hasTouched = touched.Count > 0;
            if (!_hasTouched)
            {
                return;
            }

            var kvps = touched.SelectMany(process => process.Value.Select(kvp => (Pid: process.Key, kvp.Key, kvp.Value, Lookup: KvpLookup.Of(kvp.Value)))).ToList();
            Add(touched.Keys.ToArray());
            Add(kvps.ConvertAll(kvp => kvp.Pid).ToArray());
            Add(kvps.ConvertAll(kvp => kvp.Key).ToArray());
            Add(kvps.ConvertAll(kvp => kvp.Value).ToArray());
            Add(kvps.ConvertAll(kvp => kvp.Lookup.Txt).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
            Add(kvps.ConvertAll(kvp => kvp.Lookup.Num).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Double);
            Add(kvps.ConvertAll(kvp => kvp.Lookup.At).ToArray(), NpgsqlDbType.Array | NpgsqlDbType.TimestampTz);
        }

        public NpgsqlBatchCommand Count(ProcessQuestion question)
        {
            _command.CommandText = $"{Touched()}select count(*) from ({Source(question, false)}) found";
            return _command;
        }

        public NpgsqlBatchCommand Find(ProcessQuestion question)
        {
            var order = new StringBuilder();
            for (var i = 0; i < question.Order.Count; i++)
            {
                var direction = question.Order[i].Descending ? "desc nulls first" : "asc nulls last";
                order.Append(question.Order[i].Key == "PROCESS_ID"
                    ? $"pid {direction}, "
                    : string.Create(CultureInfo.InvariantCulture, $"num{i} {direction}, at{i} {direction}, txt{i} collate \"C\" {direction}, "));
            }

            // Those that are equal stand in the order of their numbers, so that the reverse is the reverse.
            order.Append(question.Order is [{ Descending: true }, ..] ? "pid desc" : "pid");
            _command.CommandText = $"{Touched()}select pid from ({Source(question, true)}) found order by {order} limit {Add(question.Limit)} offset {Add(question.Offset)}";
            return _command;
        }

        private string Touched() => _hasTouched
            ? "with touched as materialized (select t.pid, t.key, t.value::jsonb as value, t.txt, t.num, t.at from unnest($3, $4, $5, $6, $7, $8) t(pid, key, value, txt, num, at)) "
            : "";

        private string Source(ProcessQuestion question, bool ordered)
        {
            var committed = $"select p.pid{Keys("kvps k where k.tenant_id = $1 and k.pid = p.pid")} from processes p where p.tenant_id = $1"
                + (_hasTouched ? " and p.pid <> all($2)" : "") + Where("kvps k where k.tenant_id = $1 and k.pid = p.pid", true);
            return _hasTouched
                ? $"{committed} union all select p.pid{Keys("touched k where k.pid = p.pid")} from (select distinct pid from touched) p where true{Where("touched k where k.pid = p.pid", false)}"
                : committed;

            string Keys(string of) => !ordered ? "" : string.Concat(question.Order.Select((key, i) => key.Key == "PROCESS_ID" ? "" : string.Create(
                CultureInfo.InvariantCulture,
                $", (select k.num from {of} and k.key = {Add(key.Key)}) as num{i}, (select k.at from {of} and k.key = {Add(key.Key)}) as at{i}, (select k.txt from {of} and k.key = {Add(key.Key)}) as txt{i}")));

            string Where(string of, bool isCommitted) => string.Concat(question.Where.Where(clause => clause.Conditions.Count > 0).Select(clause =>
                $" and {(clause.Negated ? "not " : "")}({string.Join(" and ", clause.Conditions.Select(condition => Sooner(condition, isCommitted && !clause.Negated) + Condition(condition, of, isCommitted && !clause.Negated)))})"));
        }

        /// <summary>What narrows the processes down by an index, before the KVPs themselves decide.</summary>
        private string Sooner(ProcessCondition condition, bool isCommitted)
        {
            if (!isCommitted || !_keys.Contains(condition.Key) || !IsFoundByIndex(condition))
            {
                return "";
            }

            var from = $"p.pid in (select i.pid from kvp_index i where i.tenant_id = $1 and i.key = {Add(condition.Key)} and ";
            var lookup = KvpLookup.Of(condition.Operands[0]);
            return condition.Comparison switch
            {
                Comparison.Equal when lookup.Num is { } number => $"{from}i.num = {Add(number)}) and ",
                Comparison.Equal => $"{from}i.txt = {Add(lookup.Txt!)}) and ",
                Comparison.In when condition.Operands.All(operand => KvpLookup.Of(operand).Num is null) => $"{from}i.txt = any({Add(condition.Operands.Select(operand => KvpLookup.Of(operand).Txt!).ToArray())})) and ",
                Comparison.In when condition.Operands.All(operand => KvpLookup.Of(operand).Num is not null) => $"{from}i.num = any({Add(condition.Operands.Select(operand => KvpLookup.Of(operand).Num!.Value).ToArray())})) and ",
                Comparison.In => "",
                // Not sharper than a double is: the next check is.
                var comparison => lookup.Num is { } bound
                    ? $"{from}i.num {(comparison is Comparison.Less or Comparison.LessOrEqual ? "<=" : ">=")} {Add(bound)}) and "
                    : $"{from}i.at {Sign(comparison)} {Add(lookup.At!.Value)}) and ",
            };
        }

        private string Condition(ProcessCondition condition, string of, bool isCommitted)
        {
            if (condition.Key == "PROCESS_ID")
            {
                return Number(condition);
            }

            // A reference named x is kept as x_id where a model has it.
            var named = condition.Key != "PARENT" && condition.Operands.Any(operand => operand.StartsWith("{\"$process\":", StringComparison.Ordinal))
                ? $"k.key in ({Add(condition.Key)}, {Add(condition.Key + "_id")})"
                : $"k.key = {Add(condition.Key)}";
            var found = $"exists (select from {of} and {named} and ";
            return condition.Comparison switch
            {
                Comparison.Equal => Equal(condition, of, found, isCommitted),
                Comparison.NotEqual => $"not {Equal(condition, of, found, false)}",
                Comparison.In => In(condition, found),
                Comparison.IsNull => condition.Operands[0] == "true" ? $"not {found}k.value <> 'null')" : $"{found}k.value <> 'null')",
                Comparison.StartsWith => $"{found}jsonb_typeof(k.value) = 'string' and starts_with(k.value #>> '{{}}', {Add(Inner(condition.Operands[0]))}))",
                Comparison.Contains => condition.Operands[0][0] == '"'
                    ? $"{found}(jsonb_typeof(k.value) = 'string' and position({Add(Inner(condition.Operands[0]))} in k.value #>> '{{}}') > 0 or {Within(condition.Operands[0])}))"
                    : $"{found}{Within(condition.Operands[0])})",
                var comparison => found + Compare(condition.Operands[0], comparison switch
                {
                    Comparison.Less => "<",
                    Comparison.LessOrEqual => "<=",
                    Comparison.Greater => ">",
                    _ => ">=",
                }) + ")",
            };
        }

        private string Equal(ProcessCondition condition, string of, string found, bool isCommitted)
        {
            var operand = condition.Operands[0];
            var lookup = KvpLookup.Of(operand);
            if (operand == "null")
            {
                return $"not {found}k.value <> 'null')";
            }

            if (lookup.Num is not null)
            {
                return $"{found}{Same(operand)})";
            }

            // The columns of the process itself are what its kind and its parent are found by.
            var sooner = !isCommitted ? ""
                : condition.Key == "kind" && operand[0] == '"' ? $"p.kind = {Add(lookup.Txt!)} and "
                : condition.Key == "PARENT" && lookup.Txt is { } parent && long.TryParse(parent, CultureInfo.InvariantCulture, out var pid) ? $"p.parent = {Add(pid)} and " : "";
            return $"({sooner}{found}{(lookup.Txt is { } txt ? $"k.txt = {Add(txt)} and " : "")}k.value = {Add(operand)}::jsonb))";
        }

        private string In(ProcessCondition condition, string found)
        {
            var ways = new List<string>();
            if (condition.Operands.Contains("null"))
            {
                ways.Add($"not {found}k.value <> 'null')");
            }

            var numbers = condition.Operands.Where(operand => KvpLookup.Of(operand).Num is not null).ToList();
            if (numbers.Count > 0)
            {
                ways.Add($"{found}k.num is not null and {Worth} = any({Add(numbers.ConvertAll(Digits).ToArray())}::numeric[]))");
            }

            var others = condition.Operands.Where(operand => operand != "null" && KvpLookup.Of(operand).Num is null).ToArray();
            if (others.Length > 0)
            {
                ways.Add($"{found}k.value = any({Add(others)}::jsonb[]))");
            }

            return ways.Count == 0 ? "false" : $"({string.Join(" or ", ways)})";
        }

        private string Number(ProcessCondition condition) => condition.Comparison switch
        {
            Comparison.In => $"p.pid = any({Add(condition.Operands.Select(Long).ToArray())})",
            var comparison => $"p.pid {Sign(comparison)} {Add(Long(condition.Operands[0]))}",
        };

        private static string Sign(Comparison comparison) => comparison switch
        {
            Comparison.Equal => "=",
            Comparison.NotEqual => "<>",
            Comparison.Less => "<",
            Comparison.LessOrEqual => "<=",
            Comparison.Greater => ">",
            Comparison.GreaterOrEqual => ">=",
            _ => throw new FormatException("A process's number is not compared like that."),
        };

        private string Compare(string operand, string sign)
        {
            var lookup = KvpLookup.Of(operand);
            return lookup.Num is not null ? $"k.num is not null and {Worth} {sign} {Add(Digits(operand))}::numeric"
                : lookup.At is { } at ? $"k.at {sign} {Add(at)}"
                : operand[0] == '"' ? $"{Letters} collate \"C\" {sign} {Add(Inner(operand))}"
                : throw new FormatException("Less and greater are asked of numbers, text, dates and date-times.");
        }

        private string Same(string number) => $"k.num = {Add(KvpLookup.Of(number).Num!.Value)} and {Worth} = {Add(Digits(number))}::numeric";

        private string Within(string operand) =>
            $"exists (select from jsonb_array_elements(case jsonb_typeof(k.value) when 'array' then k.value else '[]' end) e where e = {Add(operand)}::jsonb)";

        private static string Digits(string number) => number[0] == '{' ? number[(number.IndexOf(':', StringComparison.Ordinal) + 2)..^2] : number;

        private static long Long(string operand) => long.Parse(operand, CultureInfo.InvariantCulture);

        private static string Inner(string text) => System.Text.Json.JsonSerializer.Deserialize<string>(text)!;

        private string Add(object value, NpgsqlDbType? type = null)
        {
            var parameter = new NpgsqlParameter { Value = value };
            if (type is { } known)
            {
                parameter.NpgsqlDbType = known;
            }

            _command.Parameters.Add(parameter);
            return string.Create(CultureInfo.InvariantCulture, $"${_command.Parameters.Count}");
        }
    }
}
