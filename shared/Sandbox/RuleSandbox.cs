using System.Collections.Concurrent;
using Eddy.Endpoints;
using Eddy.Files;
using Eddy.Packages;
using Eddy.Processes;
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
    private readonly Zygote _zygote;
    private readonly Deadlines _deadlines;
    private readonly CellLoader _loader;
    private readonly ConcurrentDictionary<TenantId, TenantCell> _tenants = new();
    private readonly SemaphoreSlim _room;

    // The line's cells never wait for those beside it, which may wait for the world.
    private readonly SemaphoreSlim _besideRoom;
    private readonly SignForTenant? _sign;
    private readonly ProcessFinder? _processes;
    private readonly FileStore? _files;
    private int _wanting;

    /// <param name="sign">Signs for tenants; null where there are no secrets to sign with.</param>
    /// <param name="processes">Answers what runs ask of other processes; null where there is no database.</param>
    /// <param name="files">Has the files of <c>workspace/</c>; null where there is no database.</param>
    public RuleSandbox(SandboxOptions options, TimeProvider time, ILogger<RuleSandbox> log, SignForTenant? sign = null, ProcessFinder? processes = null, FileStore? files = null)
    {
        options.ThrowIfFaulty();
        (_options, _time, _sign, _processes, _files) = (options, time, sign, processes, files);
        _zygote = new Zygote(options, time, log, LeaveStale);
        _deadlines = new Deadlines(options, time);
        _loader = new CellLoader(_zygote, _deadlines, options, time);
        _room = new SemaphoreSlim(options.Cells);
        _besideRoom = new SemaphoreSlim(Math.Max(1, options.Cells / 2));
    }

    public SandboxHealth Health => _zygote.Health;

    /// <summary>Starts the zygote and tries the seal. Where it does not hold, <see cref="Health"/> says why.</summary>
    public Task StartAsync(CancellationToken ct) => _zygote.StartAsync(ct);

    /// <summary>
    /// Says what the tree has in it: loads it into the tenant's cell if that was not done. A file that ends the cell while it loads is
    /// blamed, once for a version of the tree. Module bodies see <paramref name="shared"/>, canonical JSON by key.
    /// </summary>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<LoadedTree> LoadAsync(CellTree tree, IReadOnlyDictionary<string, string> shared, CancellationToken ct)
    {
        var tenant = await EnterAsync(tree.Tenant, ct);
        try
        {
            tenant.NoteIfWithoutScripts(tree);
            return tenant.Loaded is { } loaded && loaded.IsOf(tree) ? loaded.Tree : (await ObtainAsync(tenant, tree, shared, ct)).Loaded;
        }
        finally
        {
            Leave(tenant);
        }
    }

    /// <summary>
    /// Runs the slice through the tenant's cell, and through fresh ones where runs end it. At most one at a time for a tenant; others wait.
    /// If the transcript is not stored, the tenant must be dropped.
    /// </summary>
    /// <exception cref="SandboxUnavailable">Nothing was run, or what was run is lost; nobody is to blame.</exception>
    public async Task<Transcript> RunAsync(CellTree tree, Slice slice, CancellationToken ct)
    {
        var tenant = await EnterAsync(tree.Tenant, ct);
        try
        {
            return RunWithoutCell(tenant, tree, slice)
                ?? await new SliceRunner(_deadlines, _sign, _processes, _files, _options, _time).RunAsync(
                    tenant, slice, () => ObtainAsync(tenant, tree, slice.State.GetValueOrDefault(0), ct), cell => Retire(tenant, cell), ct);
        }
        finally
        {
            Leave(tenant);
        }
    }

    /// <summary>
    /// Does a run beside the line, in a cell of its own, on the state that it is given. It may call out. Many at once for a tenant; they do not know of one another.
    /// </summary>
    /// <exception cref="SandboxUnavailable">Nothing was run, or what was run is lost; nobody is to blame.</exception>
    public Task<BesideEnded> RunBesideAsync(CellTree tree, BesideRun run, MakeCall call, CancellationToken ct) =>
        BesideAsync(tree, tenant => new BesideRunner(_deadlines, _sign, _processes, _files, _options, _time).RunAsync(
            run, call, () => ObtainBesideAsync(tenant, tree, run.State.GetValueOrDefault(0), ct), cell => Rest(tenant, cell), cell => Retire(tenant, cell), ct), ct);

    /// <summary>Answers a request by a function of the tenant's, in a cell beside the line, as <see cref="RunBesideAsync"/> does a run.</summary>
    /// <exception cref="SandboxUnavailable">Nothing was run, or what was run is lost; nobody is to blame.</exception>
    public Task<EndpointEnded> AnswerAsync(CellTree tree, EndpointRun run, MakeCall call, CancellationToken ct) =>
        BesideAsync(tree, tenant => new BesideRunner(_deadlines, _sign, _processes, _files, _options, _time).RunAsync(
            run, call, () => ObtainBesideAsync(tenant, tree, run.Shared, ct), cell => Rest(tenant, cell), cell => Retire(tenant, cell), ct), ct);

    /// <summary>
    /// A cell of its own to look back with, which has nothing to do with the tenant's others: the tree may be one of the past, or have a draft in it. The caller ends it. Module bodies see
    /// <paramref name="shared"/>, and the clock stands at <paramref name="at"/>.
    /// </summary>
    /// <param name="watches">Whether it tells what checks read, which takes its time.</param>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<LookCell> OpenLookAsync(CellTree tree, DateTimeOffset at, IReadOnlyDictionary<string, string> shared, bool watches, CancellationToken ct)
    {
        await _besideRoom.WaitAsync(ct);
        try
        {
            var apart = new TenantCell();
            return new LookCell(await LoadAsync(), LoadAsync, Retire, past => new BesideRunner(_deadlines, _sign, _processes, _files, _options, _time) { Past = past },
                new TrialRunner(_deadlines, _sign, _processes, _files, _options, _time), new TestRunner(_deadlines, _processes, _options, _time), () => _besideRoom.Release());

            async Task<Cell> LoadAsync()
            {
                await MakeRoomAsync(ct);
                try
                {
                    return await _loader.LoadAsync(apart, tree, shared, (at, watches), ct);
                }
                catch
                {
                    _room.Release();
                    throw;
                }
            }

            void Retire(Cell cell) => this.Retire(apart, cell);
        }
        catch
        {
            _besideRoom.Release();
            throw;
        }
    }

    /// <summary>Which endpoints the tenant's files have.</summary>
    /// <exception cref="SandboxUnavailable">There is no cell to be had, or it ended.</exception>
    public Task<IReadOnlyList<EndpointInfo>> DescribeAsync(CellTree tree, IReadOnlyDictionary<string, string> shared, CancellationToken ct) =>
        BesideAsync(tree, async tenant =>
        {
            var cell = await ObtainBesideAsync(tenant, tree, shared, ct);
            try
            {
                var (found, ending) = await _loader.DescribeAsync(cell, ct);
                if (ending is not null)
                {
                    throw new SandboxUnavailable($"The tenant's cell could not tell its endpoints. {ending.Message}");
                }

                Rest(tenant, cell);
                return found;
            }
            catch
            {
                Retire(tenant, cell);
                throw;
            }
        }, ct);

    /// <summary>
    /// The CPU time that the tenant's cells have used since this was last asked, by the zygote's word and not by theirs: loading and the making of the cell included.
    /// What the last tenth of a second has used comes later.
    /// </summary>
    public TimeSpan TakeCpu(TenantId tenant) => _tenants.TryGetValue(tenant, out var entry) ? entry.TakeCpu() : TimeSpan.Zero;

    /// <summary>Ends the tenant's cell, and forgets what it knew: after a rollback or a lost lease.</summary>
    public void Drop(TenantId tenant)
    {
        if (_tenants.TryGetValue(tenant, out var entry) && entry.TakeCell() is { } cell && cell.Retire())
        {
            _room.Release();
        }
    }

    /// <summary>
    /// These processes have changed without the cell; it is told their state again when they come up. Not while a slice of the tenant runs.
    /// </summary>
    public void Forget(TenantId tenant, IEnumerable<long> pids)
    {
        if (_tenants.TryGetValue(tenant, out var entry) && entry.Cell is { } cell)
        {
            cell.Known.ExceptWith(pids);
        }
    }

    /// <summary>Compiles one file, which is not executed, and says what is wrong with it and what its rules read and write.</summary>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<CompiledFile> CompileAsync(TenantId tenant, CellFile file, CancellationToken ct)
    {
        await MakeRoomAsync(ct);
        try
        {
            return await _loader.CompileAsync(file, ct);
        }
        finally
        {
            _room.Release();
        }
    }

    /// <summary>Works out in a cell of its own which packages a requirements.txt comes to; <paramref name="answer"/> says what the index has.</summary>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    internal async Task<ResolvedPackages> ResolveAsync(
        TenantId tenant, string requirements, IReadOnlyDictionary<string, string> locked, Func<ResolutionQuestion, CancellationToken, Task<ResolutionAnswer>> answer, CancellationToken ct)
    {
        await MakeRoomAsync(ct);
        try
        {
            using var channel = await _zygote.OpenAsync("UTC", ct);
            return await new Resolution(channel, _deadlines, _options, _time).RunAsync(requirements, locked, answer, ct);
        }
        finally
        {
            _room.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _deadlines.Dispose();
        foreach (var (id, tenant) in _tenants)
        {
            Drop(id);
            while (tenant.TakeResting() is { } cell)
            {
                Retire(tenant, cell);
            }
        }

        await _zygote.DisposeAsync();
    }

    /// <summary>Where no rule can wake, no cell is needed.</summary>
    private Transcript? RunWithoutCell(TenantCell tenant, CellTree tree, Slice slice)
    {
        tenant.NoteIfWithoutScripts(tree);
        if (tenant.Loaded is not { } loaded || !loaded.IsOf(tree) || slice.Owed.Count > 0 || slice.Arrivals.Count + slice.Landings.Count == 0 || slice.Runs < 1)
        {
            return null;
        }

        var course = new SliceCourse(loaded.Table, slice, _options);
        if (course.Pending.Count > 0)
        {
            return null;
        }

        foreach (var arrival in slice.Arrivals)
        {
            if (!course.WakesNobody(arrival))
            {
                return null;
            }
        }

        var known = tenant.Cell?.Known;
        foreach (var arrival in slice.Arrivals)
        {
            course.Apply();
            known?.Remove(arrival.Pid);
        }

        foreach (var change in slice.Landings.SelectMany(landing => landing.Ended?.Changes ?? []))
        {
            known?.Remove(change.Pid);
        }

        return course.ToTranscript();
    }

    private async Task<T> BesideAsync<T>(CellTree tree, Func<TenantCell, Task<T>> work, CancellationToken ct)
    {
        var tenant = _tenants.GetOrAdd(tree.Tenant, _ => new TenantCell());
        await _besideRoom.WaitAsync(ct);
        try
        {
            return await work(tenant);
        }
        finally
        {
            _besideRoom.Release();
        }
    }

    private async Task<TenantCell> EnterAsync(TenantId id, CancellationToken ct)
    {
        var tenant = _tenants.GetOrAdd(id, _ => new TenantCell());
        await tenant.Gate.WaitAsync(ct);
        return tenant;
    }

    private void Leave(TenantCell tenant)
    {
        tenant.Used = _time.GetTimestamp();
        if (tenant.Cell is { } cell && (cell.Channel.IsStale || Volatile.Read(ref _wanting) > 0))
        {
            Retire(tenant, cell);
        }

        tenant.Gate.Release();
    }

    /// <summary>The tenant's cell with this tree in it. The caller holds the gate.</summary>
    private async Task<Cell> ObtainAsync(TenantCell tenant, CellTree tree, IReadOnlyDictionary<string, string>? shared, CancellationToken ct)
    {
        if (tenant.Cell is { } cell)
        {
            if (cell.Tree.Version == tree.Version && cell.Tree.TimeZone == tree.TimeZone && !cell.Channel.IsStale && !cell.Channel.Death.IsCompleted)
            {
                return cell;
            }

            Retire(tenant, cell);
        }

        await MakeRoomAsync(ct);
        try
        {
            var fresh = await _loader.LoadAsync(tenant, tree, shared, null, ct);
            tenant.Keep(fresh);
            return fresh;
        }
        catch
        {
            _room.Release();
            throw;
        }
    }

    /// <summary>A cell of the tenant's beside the line, one that rests where there is one.</summary>
    private async Task<Cell> ObtainBesideAsync(TenantCell tenant, CellTree tree, IReadOnlyDictionary<string, string>? shared, CancellationToken ct)
    {
        while (tenant.TakeResting() is { } resting)
        {
            if (resting.Tree.Version == tree.Version && resting.Tree.TimeZone == tree.TimeZone && !resting.Channel.IsStale && !resting.Channel.Death.IsCompleted)
            {
                return resting;
            }

            Retire(tenant, resting);
        }

        await MakeRoomAsync(ct);
        try
        {
            return await _loader.LoadAsync(tenant, tree, shared, null, ct);
        }
        catch
        {
            _room.Release();
            throw;
        }
    }

    private void Rest(TenantCell tenant, Cell cell)
    {
        if (Volatile.Read(ref _wanting) > 0 || cell.Channel.IsStale)
        {
            Retire(tenant, cell);
        }
        else
        {
            tenant.Rest(cell);
        }
    }

    private void Retire(TenantCell tenant, Cell cell)
    {
        if (tenant.Cell == cell)
        {
            tenant.TakeCell();
        }

        if (cell.Retire())
        {
            _room.Release();
        }
    }

    /// <summary>Ends the idle cells of a zygote that another has taken the place of; the others end when their work does.</summary>
    private void LeaveStale()
    {
        foreach (var tenant in _tenants.Values)
        {
            while (tenant.TakeResting() is { } resting)
            {
                Retire(tenant, resting);
            }

            if (tenant.Cell is { Channel.IsStale: true } && tenant.Gate.Wait(0))
            {
                Leave(tenant);
            }

            foreach (var cell in tenant.TakeAllResting())
            {
                Rest(tenant, cell);
            }
        }
    }

    /// <summary>Waits until there is room for one more cell. The idle one that was used least recently makes it.</summary>
    private async Task MakeRoomAsync(CancellationToken ct)
    {
        if (await _room.WaitAsync(0, ct))
        {
            return;
        }

        Interlocked.Increment(ref _wanting);
        try
        {
            foreach (var tenant in _tenants.Values)
            {
                if (tenant.TakeResting() is { } resting)
                {
                    Retire(tenant, resting);
                    break;
                }
            }

            if (await _room.WaitAsync(0, ct))
            {
                return;
            }

            foreach (var tenant in _tenants.Values.Where(tenant => tenant.Cell is not null).OrderBy(tenant => tenant.Used))
            {
                if (!await tenant.Gate.WaitAsync(0, ct))
                {
                    continue;
                }

                try
                {
                    if (tenant.Cell is { } cell)
                    {
                        Retire(tenant, cell);
                        break;
                    }
                }
                finally
                {
                    tenant.Gate.Release();
                }
            }

            await _room.WaitAsync(ct);
        }
        finally
        {
            Interlocked.Decrement(ref _wanting);
        }
    }
}
