using System.Collections.Concurrent;
using Eddy.Tenants;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Eddy.Secrets;

/// <summary>
/// Opens tenants' secrets for the host side of their calls. Each asking asks the database for the version, so that a change is in force at once; the opened set is kept only as long as
/// it is asked for now and then.
/// </summary>
public sealed class SecretKeeper : IDisposable
{
    /// <summary>How long a set is kept that nobody asks for.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromMinutes(1);

    /// <summary>How exactly the last use is noted.</summary>
    public static readonly TimeSpan NoteEvery = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<TenantId, (SecretSet Set, long AskedAt)> _sets = new();
    private readonly ConcurrentDictionary<(TenantId Tenant, string Name), long> _noted = new();
    private readonly SecretStore _store;
    private readonly TimeProvider _time;
    private readonly ILogger<SecretKeeper> _log;
    private readonly ITimer _sweep;

    public SecretKeeper(SecretStore store, TimeProvider time, ILogger<SecretKeeper> log)
    {
        (_store, _time, _log) = (store, time, log);
        _sweep = time.CreateTimer(_ => Sweep(), null, Kept / 2, Kept / 2);
    }

    /// <summary>How many tenants' secrets are open now.</summary>
    public int Open => _sets.Count;

    /// <summary>The tenant's secrets as they are now; none where it has none.</summary>
    /// <exception cref="SecretsUnavailable">The tenant has secrets, and this process lacks the master key that opens them.</exception>
    public async Task<SecretSet> OfAsync(TenantId tenant, CancellationToken cancel)
    {
        var known = _sets.TryGetValue(tenant, out var kept) ? kept.Set : null;
        var set = await _store.ReadAsync(tenant, known, cancel);
        if (set.Version == 0)
        {
            _sets.TryRemove(tenant, out _);
            return set;
        }

        if (!ReferenceEquals(set, known))
        {
            foreach (var name in set.Broken)
            {
                _log.LogError("The secret {Name} of tenant {Tenant} does not open: its row is not as it was written", name, tenant);
            }
        }

        // Two that ask at once may end in either order; the version is asked for again next time.
        _sets[tenant] = (set, _time.GetTimestamp());
        return set;
    }

    /// <summary>Signs for a tenant, as <see cref="SecretSet.Sign"/> does, and notes the use. Where it is refused, why, in a sentence for the tenant.</summary>
    public async Task<(byte[]? Signature, string? Refusal)> SignAsync(TenantId tenant, string secret, string algorithm, ReadOnlyMemory<byte> data, CancellationToken cancel)
    {
        try
        {
            var set = await OfAsync(tenant, cancel);
            var signature = set.Sign(secret, algorithm, data.Span);
            await NoteUseAsync(tenant, [set.NameOf(secret)!], cancel);
            return (signature, null);
        }
        catch (Exception refused) when (refused is SecretRefused or SecretsUnavailable)
        {
            return (null, refused.Message);
        }
    }

    /// <summary>Notes that secrets were used, in the database at most once a minute for each. That it can not be noted is no reason to fail a call.</summary>
    public async Task NoteUseAsync(TenantId tenant, IEnumerable<string> names, CancellationToken cancel)
    {
        var now = _time.GetTimestamp();
        var due = names.Distinct().Where(name => !_noted.TryGetValue((tenant, name), out var at) || _time.GetElapsedTime(at, now) >= NoteEvery).ToList();
        if (due.Count == 0)
        {
            return;
        }

        due.ForEach(name => _noted[(tenant, name)] = now);
        try
        {
            await _store.NoteUseAsync(tenant, due, cancel);
        }
        catch (Exception fault) when (fault is NpgsqlException or IOException or TimeoutException)
        {
            due.ForEach(name => _noted.TryRemove((tenant, name), out _));
            _log.LogWarning("The last use of secrets could not be noted: {Reason}", fault.Message);
        }
    }

    public void Dispose()
    {
        _sweep.Dispose();
        _sets.Clear();
    }

    private void Sweep()
    {
        var now = _time.GetTimestamp();
        foreach (var (tenant, kept) in _sets.Where(pair => _time.GetElapsedTime(pair.Value.AskedAt, now) >= Kept))
        {
            _sets.TryRemove(new(tenant, kept));
        }

        foreach (var (use, at) in _noted.Where(pair => _time.GetElapsedTime(pair.Value, now) >= NoteEvery))
        {
            _noted.TryRemove(new(use, at));
        }
    }
}
