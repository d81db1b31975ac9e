using System.Collections.Concurrent;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Pump;

/// <summary>
/// Says whose memory a tenant's cell is: that of one <see cref="TenantLine"/>, with which it lives and dies. A cell remembers processes, so one that outlived a lost lease, a
/// failed read or a tidied line would go on with what has changed since. One turn of a tenant at a time, also where an old line's is still under way.
/// </summary>
internal sealed class CellHolds(RuleSandbox sandbox)
{
    private readonly ConcurrentDictionary<TenantId, Hold> _holds = new();

    /// <summary>Makes the tenant's cell this line's, and ends what another line had. Dispose the answer to let the next turn in.</summary>
    public async Task<IDisposable> TakeAsync(TenantLine line, CancellationToken cancel)
    {
        var hold = _holds.GetOrAdd(line.Tenant, static _ => new Hold());
        if (Volatile.Read(ref hold.Line) != line.Number)
        {
            // Whatever runs there can not be committed any more, and is not waited for.
            sandbox.Drop(line.Tenant);
        }

        await hold.Gate.WaitAsync(cancel);
        if (hold.Line != line.Number)
        {
            sandbox.Drop(line.Tenant);
            Volatile.Write(ref hold.Line, line.Number);
        }

        return hold;
    }

    private sealed class Hold : IDisposable
    {
        public long Line;

        public SemaphoreSlim Gate { get; } = new(1, 1);

        public void Dispose() => Gate.Release();
    }
}
