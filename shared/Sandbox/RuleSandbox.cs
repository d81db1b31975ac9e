using Eddy.Tenants;
using Microsoft.Extensions.Logging;

namespace Eddy.Sandbox;

/// <summary>
/// Runs tenants' rules in sealed cells, one for each tenant. One per host process. What a tenant's Python does is told in the
/// <see cref="Transcript"/> and never thrown; <see cref="SandboxUnavailable"/> means that nothing could be run at all.
/// </summary>
public sealed class RuleSandbox : IAsyncDisposable
{
    private readonly SandboxOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<RuleSandbox> _log;

    public RuleSandbox(SandboxOptions options, TimeProvider time, ILogger<RuleSandbox> log)
    {
        options.ThrowIfFaulty();
        (_options, _time, _log) = (options, time, log);
    }

    public SandboxHealth Health { get; private set; } = new(false, "The sandbox has not been started.", 0);

    /// <summary>Starts the zygote and tries the seal. Where it does not hold, <see cref="Health"/> says why.</summary>
    public Task StartAsync(CancellationToken ct) => throw new SandboxUnavailable($"{_options} {_time} {_log} {Health} {ct}");

    /// <summary>Loads the tree into the tenant's cell, or finds it loaded, and says what it found.</summary>
    public Task<LoadedTree> LoadAsync(CellTree tree, IReadOnlyDictionary<string, string> shared, CancellationToken ct) =>
        throw new SandboxUnavailable($"{_options} {tree} {shared} {ct}");

    /// <summary>Runs the slice through the tenant's cell. At most one at a time for a tenant.</summary>
    public Task<Transcript> RunAsync(CellTree tree, Slice slice, CancellationToken ct) =>
        throw new SandboxUnavailable($"{_options} {tree} {slice} {ct}");

    /// <summary>Ends the tenant's cell, and forgets what it knew: after a rollback or a lost lease.</summary>
    public void Drop(TenantId tenant) => throw new SandboxUnavailable($"{_options} {tenant}");

    /// <summary>These processes have changed without the cell; it is told their state again when they come up.</summary>
    public void Forget(TenantId tenant, IEnumerable<long> pids) => throw new SandboxUnavailable($"{_options} {tenant} {pids}");

    /// <summary>Compiles one file, which is not executed, and says what is wrong with it.</summary>
    public Task<IReadOnlyList<LoadError>> CompileAsync(TenantId tenant, CellFile file, CancellationToken ct) =>
        throw new SandboxUnavailable($"{_options} {tenant} {file} {ct}");

    public ValueTask DisposeAsync() => throw new SandboxUnavailable($"{_options}");
}
