using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Eddy.Access;
using Eddy.People;
using Eddy.Postgres;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Keys;

/// <summary>
/// The API keys that callers show. What the database says of a key is kept for <see cref="Kept"/>, that there is no such key for <see cref="KeptUnknown"/>, and both
/// are forgotten when the database says that keys changed. The ring holds hashes, never secrets.
/// </summary>
public sealed class KeyRing
{
    public static readonly TimeSpan Kept = TimeSpan.FromSeconds(5);
    public static readonly TimeSpan KeptUnknown = TimeSpan.FromSeconds(1);

    /// <summary>How many keys are kept at most, so that guesses can not fill the memory.</summary>
    public const int Most = 20_000;

    private static readonly int SecretLength = ApiKey.Prefix.Length + 43;
    private static readonly SearchValues<char> SecretCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_");

    private readonly ConcurrentDictionary<UInt256, Entry> _entries = new();
    private readonly ConcurrentDictionary<Guid, KeyHolder> _used = new();
    private readonly List<(UInt256 Name, byte[] Hash, Entry Entry)> _asked = [];
    private readonly NpgsqlDataSource _source;
    private readonly TimeProvider _time;
    private int _added;
    private bool _isAsking;

    public KeyRing(NpgsqlDataSource source, Listener listener, TimeProvider time)
    {
        (_source, _time) = (source, time);
        listener.On("eddy_keys", _ => Forget());
        // What was told while nobody listened is not told again.
        listener.OnConnected(Forget);
    }

    /// <summary>Who shows this secret, or null where no key in force has it. Notes the use.</summary>
    public ValueTask<KeyHolder?> FindAsync(ReadOnlySpan<char> secret)
    {
        if (secret.Length != SecretLength || !secret.StartsWith(ApiKey.Prefix, StringComparison.Ordinal) || secret.ContainsAnyExcept(SecretCharacters))
        {
            return new ValueTask<KeyHolder?>((KeyHolder?)null);
        }

        Span<byte> text = stackalloc byte[SecretLength];
        Encoding.ASCII.GetBytes(secret, text);
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(text, hash);
        var name = UInt256.Of(hash);
        if (_entries.TryGetValue(name, out var entry) && !entry.IsOver(_time))
        {
            return entry.Found.IsCompletedSuccessfully ? new ValueTask<KeyHolder?>(Used(entry.Found.Result)) : AwaitAsync(entry.Found);
        }

        // Whoever comes first asks for all who come meanwhile, so nobody's cancellation ends it.
        var mine = new Entry(_time.GetTimestamp());
        var kept = entry is null
            ? _entries.GetOrAdd(name, mine)
            : _entries.TryUpdate(name, mine, entry) ? mine : _entries.GetOrAdd(name, mine);
        if (ReferenceEquals(kept, mine))
        {
            // Counted here, for a concurrent dictionary takes each of its locks to count.
            if (entry is null && Interlocked.Increment(ref _added) >= Most)
            {
                Forget();
            }

            Resolve(name, hash.ToArray(), mine);
        }

        return AwaitAsync(kept.Found);
    }

    /// <summary>Asks the database anew from now on. What is being asked is told to those who wait for it, and not kept.</summary>
    public void Forget()
    {
        _entries.Clear();
        Volatile.Write(ref _added, 0);
    }

    /// <summary>Writes down when keys were used since the last time, all in one statement.</summary>
    public async Task NoteUseAsync(CancellationToken cancel)
    {
        var used = _used.ToArray();
        foreach (var (id, holder) in used)
        {
            _used.TryRemove(new KeyValuePair<Guid, KeyHolder>(id, holder));
        }

        var uses = used.Select(pair => (pair.Value.Tenant, Key: pair.Key, At: pair.Value.TakeUse())).Where(use => use.At > 0).ToList();
        if (uses.Count == 0)
        {
            return;
        }

        await using var note = _source.CreateCommand("select note_key_use($1, $2, $3)");
        note.Parameters.Add(new() { Value = uses.ConvertAll(use => use.Tenant.Value).ToArray() });
        note.Parameters.Add(new() { Value = uses.ConvertAll(use => use.Key).ToArray() });
        note.Parameters.Add(new() { Value = uses.ConvertAll(use => new DateTime(use.At, DateTimeKind.Utc)).ToArray() });
        await note.ExecuteNonQueryAsync(cancel);
    }

    private async ValueTask<KeyHolder?> AwaitAsync(Task<KeyHolder?> found) => Used(await found);

    private KeyHolder? Used(KeyHolder? holder)
    {
        if (holder is not null)
        {
            var isFirst = holder.UsedAt == 0;
            holder.Use(_time.GetUtcNow());
            if (isFirst)
            {
                _used[holder.KeyId] = holder;
            }
        }

        return holder;
    }

    /// <summary>Asks the database. Whoever comes while it is being asked is asked for together, next.</summary>
    private void Resolve(UInt256 name, byte[] hash, Entry entry)
    {
        lock (_asked)
        {
            _asked.Add((name, hash, entry));
            if (_isAsking)
            {
                return;
            }

            _isAsking = true;
        }

        _ = ResolveAllAsync();
    }

    private async Task ResolveAllAsync()
    {
        while (true)
        {
            // Requests that lie in the queue already are let in first, for they are likely to ask too.
            await Task.Yield();
            List<(UInt256 Name, byte[] Hash, Entry Entry)> asked;
            lock (_asked)
            {
                if (_asked.Count == 0)
                {
                    _isAsking = false;
                    return;
                }

                asked = [.. _asked];
                _asked.Clear();
            }

            try
            {
                var found = await FindAsync(asked.ConvertAll(one => one.Hash));
                for (var i = 0; i < asked.Count; i++)
                {
                    asked[i].Entry.Set(found[i]);
                }
            }
            catch (Exception fault)
            {
                // A database that does not answer says nothing of the keys: the next caller asks again.
                foreach (var (name, _, entry) in asked)
                {
                    _entries.TryRemove(new KeyValuePair<UInt256, Entry>(name, entry));
                    entry.Fail(fault);
                }
            }
        }
    }

    private async Task<KeyHolder?[]> FindAsync(List<byte[]> hashes)
    {
        var found = new KeyHolder?[hashes.Count];
        await using var resolve = _source.CreateCommand("select n, tenant_id, slug, time_zone, key_id, name, scopes, person_id, role, address, is_proven from resolve_keys($1)");
        resolve.Parameters.Add(new() { Value = hashes.ToArray() });
        resolve.CommandTimeout = 5;
        await using var rows = await resolve.ExecuteReaderAsync();
        while (await rows.ReadAsync())
        {
            found[rows.GetInt32(0) - 1] = new KeyHolder(
                new TenantId(rows.GetGuid(1)), rows.GetString(2), rows.GetString(3), rows.GetGuid(4), rows.GetString(5), rows.GetFieldValue<string[]>(6), Who(rows));
        }

        return found;
    }

    private static Actor Who(NpgsqlDataReader rows) => rows.IsDBNull(7)
        ? new Actor.ForTenant($"key:{rows.GetString(5)}")
        : new Actor.OfMember(rows.GetGuid(7), rows.GetString(8), MailAddress.Form(rows.GetString(9)), rows.GetBoolean(10));

    private sealed class Entry(long since)
    {
        private readonly TaskCompletionSource<KeyHolder?> _found = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<KeyHolder?> Found => _found.Task;

        public bool IsOver(TimeProvider time) =>
            Found.IsCompletedSuccessfully && time.GetElapsedTime(since) > (Found.Result is null ? KeptUnknown : Kept);

        public void Set(KeyHolder? holder) => _found.SetResult(holder);

        public void Fail(Exception fault) => _found.SetException(fault);
    }

    private readonly record struct UInt256(ulong A, ulong B, ulong C, ulong D)
    {
        public static UInt256 Of(ReadOnlySpan<byte> hash) => new(
            BitConverter.ToUInt64(hash), BitConverter.ToUInt64(hash[8..]), BitConverter.ToUInt64(hash[16..]), BitConverter.ToUInt64(hash[24..]));
    }
}
