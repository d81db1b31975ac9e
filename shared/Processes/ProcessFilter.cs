using System.Globalization;
using System.Text;
using Npgsql;

namespace Eddy.Processes;

/// <summary>Which processes a list shows, newest first. What is null does not matter.</summary>
/// <param name="Kind">Only this kind.</param>
/// <param name="Parent">Only those below this process.</param>
/// <param name="Key">Only those that have this key.</param>
/// <param name="Value">And whose KVP of that key has this value: the text itself, or what is printed of a number, a boolean, a date.</param>
/// <param name="Since">Only those that were made then or later.</param>
/// <param name="Until">Only those that were made earlier.</param>
public sealed record ProcessFilter(string? Kind, long? Parent, string? Key, string? Value, DateTimeOffset? Since, DateTimeOffset? Until)
{
    public static readonly ProcessFilter None = new(null, null, null, null, null, null);

    public bool IsNone => this == None;

    /// <summary>What the indexes of processes answer.</summary>
    internal void AppendIndexed(StringBuilder where, NpgsqlParameterCollection parameters)
    {
        if (Kind is not null)
        {
            where.Append(CultureInfo.InvariantCulture, $" and p.kind = ${Add(parameters, Kind)}");
        }

        if (Parent is { } parent)
        {
            where.Append(CultureInfo.InvariantCulture, $" and p.parent = ${Add(parameters, parent)}");
        }
    }

    /// <summary>What is looked for one by one.</summary>
    internal void AppendSearched(StringBuilder where, NpgsqlParameterCollection parameters)
    {
        if (Since is { } since)
        {
            where.Append(CultureInfo.InvariantCulture, $" and p.created_at >= ${Add(parameters, since.ToUniversalTime())}");
        }

        if (Until is { } until)
        {
            where.Append(CultureInfo.InvariantCulture, $" and p.created_at < ${Add(parameters, until.ToUniversalTime())}");
        }

        if (Key is not null)
        {
            var value = Value is null ? "" : string.Create(CultureInfo.InvariantCulture, $" and k.txt = ${Add(parameters, Value)}");
            where.Append(CultureInfo.InvariantCulture, $" and exists (select from kvps k where k.tenant_id = $1 and k.pid = p.pid and k.key = ${Add(parameters, Key)}{value})");
        }
    }

    private static int Add(NpgsqlParameterCollection parameters, object value)
    {
        parameters.Add(new NpgsqlParameter { Value = value });
        return parameters.Count;
    }
}

/// <summary>
/// How a list of processes runs, without its rows: how many there are, and every so often where one is, so that any place of a million is found by its number and none is counted to.
/// </summary>
/// <param name="Count">How many there are.</param>
/// <param name="Marks">The PIDs of the first, and of each <see cref="Stride"/>th after it.</param>
/// <param name="Last">The PID of the last.</param>
/// <param name="IsCut">There may be more: older ones were not looked at.</param>
public sealed record ProcessOutline(int Count, IReadOnlyList<long> Marks, long Last, bool IsCut)
{
    public const int Stride = 500;

    public static readonly ProcessOutline Empty = new(0, [], 0, false);

    /// <summary>The PID of the newest; 0 where there is none.</summary>
    public long First => Marks.Count > 0 ? Marks[0] : 0;

    /// <summary>The PID from which to read, and how many of those read come before the place that was asked for.</summary>
    public (long From, int Skip) At(int index) => (Marks[index / Stride], index % Stride);
}

/// <summary>A process as a list shows it.</summary>
/// <param name="KeyCount">How many KVPs it has; more than are here where they are very many.</param>
public sealed record ListedProcess(long Pid, string? Kind, DateTimeOffset CreatedAt, int KeyCount, IReadOnlyList<ListedKvp> Kvps);

/// <summary>A KVP as a list shows it.</summary>
/// <param name="Value">JSON; null where it is too long for a list.</param>
public readonly record struct ListedKvp(string Key, string? Value);
