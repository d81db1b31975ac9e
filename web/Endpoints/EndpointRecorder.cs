using System.Collections.Concurrent;
using System.Text.Json;
using System.Threading.Channels;
using Eddy.Sandbox;
using Eddy.Tenants;
using Npgsql;
using NpgsqlTypes;

namespace Eddy.Endpoints;

/// <summary>
/// Writes down which requests were answered. Those that failed are on record before their callers hear of it; of those that only read, so many a second of one tenant are recorded, and all are counted.
/// </summary>
public sealed class EndpointRecorder(NpgsqlDataSource source, TimeProvider time, ILogger<EndpointRecorder> log) : BackgroundService
{
    /// <summary>Of requests that went well and changed nothing, of one tenant in a second.</summary>
    private const int MostReads = 10;

    private const int MostOfBatch = 500;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly Channel<Entry> _entries = Channel.CreateUnbounded<Entry>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<(TenantId Tenant, string Endpoint), Total> _totals = new();
    private readonly ConcurrentDictionary<TenantId, (long Second, int Count)> _reads = new();

    /// <summary>Notes a request that went well.</summary>
    public void Answered(EndpointCall call, Answered answer, bool landed)
    {
        Count(call, failed: false);
        var second = time.GetUtcNow().ToUnixTimeSeconds();
        if (landed || _reads.AddOrUpdate(call.Tenant, (second, 1), (_, seen) => seen.Second == second ? (second, seen.Count + 1) : (second, 1)).Count <= MostReads)
        {
            _entries.Writer.TryWrite(new Entry(call, answer.Status, answer.Body.Length, landed, null, null));
        }
    }

    /// <summary>Notes a request that failed, and returns when that is written down, or can not be.</summary>
    public async Task FailedAsync(EndpointCall call, RunError error, CancellationToken cancel)
    {
        Count(call, failed: true);
        var written = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _entries.Writer.TryWrite(new Entry(call, StatusCodes.Status500InternalServerError, 0, false, error, written));
        await written.Task.WaitAsync(cancel);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var batch = new List<Entry>();
        while (!stoppingToken.IsCancellationRequested)
        {
            using (var tick = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken))
            {
                tick.CancelAfter(Pause);
                // Whoever waits is not kept waiting; without anybody, what comes together is written together.
                await _entries.Reader.WaitToReadAsync(tick.Token).AsTask().ContinueWith(static _ => { }, TaskScheduler.Default);
            }

            while (batch.Count < MostOfBatch && _entries.Reader.TryRead(out var entry))
            {
                batch.Add(entry);
            }

            await WriteAsync(batch);
            if (!batch.Exists(entry => entry.Written is not null))
            {
                await Task.Delay(Pause, time, stoppingToken).ContinueWith(static _ => { }, TaskScheduler.Default);
            }

            batch.Clear();
        }

        while (_entries.Reader.TryRead(out var last))
        {
            batch.Add(last);
        }

        await WriteAsync(batch);
    }

    private void Count(EndpointCall call, bool failed)
    {
        while (true)
        {
            var total = _totals.GetOrAdd((call.Tenant, call.Endpoint.Id), _ => new Total());
            lock (total)
            {
                if (total.IsTaken)
                {
                    continue;
                }

                total.Calls++;
                total.Failed += failed ? 1 : 0;
                total.Elapsed += (long)call.Ended.Ended.Elapsed.TotalMicroseconds;
                total.Cpu += (long)call.Cpu.TotalMicroseconds;
                return;
            }
        }
    }

    private async Task WriteAsync(List<Entry> batch)
    {
        var totals = new List<((TenantId Tenant, string Endpoint) Key, Total Total)>();
        foreach (var key in _totals.Keys)
        {
            if (_totals.TryRemove(key, out var total))
            {
                lock (total)
                {
                    total.IsTaken = true;
                }

                totals.Add((key, total));
            }
        }

        if (batch.Count == 0 && totals.Count == 0)
        {
            return;
        }

        try
        {
            await using var note = Command(batch, totals);
            await note.ExecuteNonQueryAsync();
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
        {
            // It was answered, and stays so; a record that is missing is told to the operator.
            log.LogError(fault, "{Requests} requests of API scripts could not be recorded", batch.Count);
        }

        batch.ForEach(entry => entry.Written?.TrySetResult());
    }

    private NpgsqlCommand Command(List<Entry> batch, List<((TenantId Tenant, string Endpoint) Key, Total Total)> totals)
    {
        var now = time.GetUtcNow();
        var command = source.CreateCommand("select note_calls($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20,$21,$22,$23,$24,$25)");
        Add(batch.ConvertAll(one => one.Call.Tenant.Value), NpgsqlDbType.Uuid);
        Add(batch.ConvertAll(one => one.Call.Id), NpgsqlDbType.Uuid);
        Add(batch.ConvertAll(_ => now), NpgsqlDbType.TimestampTz);
        Add(batch.ConvertAll(one => one.Call.Endpoint.Id), NpgsqlDbType.Text);
        Add(batch.ConvertAll(one => one.Call.Request.Method), NpgsqlDbType.Text);
        Add(batch.ConvertAll(one => one.Call.Request.Path), NpgsqlDbType.Text);
        Add(batch.ConvertAll(one => (short)one.Status), NpgsqlDbType.Smallint);
        Add(batch.ConvertAll(one => one.Call.Request.Caller.Actor), NpgsqlDbType.Text);
        Add(batch.ConvertAll(one => one.Landed), NpgsqlDbType.Boolean);
        Add(batch.ConvertAll(one => (short)one.Call.Conflicts), NpgsqlDbType.Smallint);
        Add(batch.ConvertAll(one => one.Call.Tree), NpgsqlDbType.Bigint);
        Add(batch.ConvertAll(one => (long)one.Call.Ended.Ended.Elapsed.TotalMicroseconds), NpgsqlDbType.Bigint);
        Add(batch.ConvertAll(one => (long)one.Call.Cpu.TotalMicroseconds), NpgsqlDbType.Bigint);
        Add(batch.ConvertAll(one => one.Call.Request.Body.Length), NpgsqlDbType.Integer);
        Add(batch.ConvertAll(one => one.Bytes), NpgsqlDbType.Integer);
        Add(batch.ConvertAll(one => one.Call.Ended.Ended.Log), NpgsqlDbType.Text);
        Add(batch.ConvertAll(one => one.Error is null ? null : JsonSerializer.Serialize(one.Error, JsonSerializerOptions.Web)), NpgsqlDbType.Text);
        Add(batch.ConvertAll(one => one.Call.Calls.Count == 0 ? null : JsonSerializer.Serialize(one.Call.Calls.Select(made => made with { Answer = null }), JsonSerializerOptions.Web)), NpgsqlDbType.Text);
        Add(totals.ConvertAll(one => one.Key.Tenant.Value), NpgsqlDbType.Uuid);
        Add(totals.ConvertAll(one => one.Key.Endpoint), NpgsqlDbType.Text);
        Add(totals.ConvertAll(one => one.Total.Calls), NpgsqlDbType.Bigint);
        Add(totals.ConvertAll(one => one.Total.Failed), NpgsqlDbType.Bigint);
        Add(totals.ConvertAll(one => one.Total.Elapsed), NpgsqlDbType.Bigint);
        Add(totals.ConvertAll(one => one.Total.Cpu), NpgsqlDbType.Bigint);
        Add(totals.ConvertAll(_ => now), NpgsqlDbType.TimestampTz);
        return command;

        void Add<T>(List<T> column, NpgsqlDbType type) => command.Parameters.Add(new() { Value = column, NpgsqlDbType = NpgsqlDbType.Array | type });
    }

    private sealed record Entry(EndpointCall Call, int Status, int Bytes, bool Landed, RunError? Error, TaskCompletionSource? Written);

    private sealed class Total
    {
        /// <summary>It is being written down: what comes now is counted in another.</summary>
        public bool IsTaken { get; set; }

        public long Calls { get; set; }

        public long Failed { get; set; }

        public long Elapsed { get; set; }

        public long Cpu { get; set; }
    }
}
