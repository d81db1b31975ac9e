using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>A sandbox for attacks, and a neighbour in a cell of its own that goes on working beside them.</summary>
public abstract class AttackFixture : IAsyncLifetime
{
    /// <summary>Text in the environment of this process, and so of what it starts, that no cell may see.</summary>
    public static readonly string Mark = Guid.NewGuid().ToString("N");

    private readonly SemaphoreSlim _turn = new(1);
    private TestTenant? _neighbour;

    public RuleSandbox Sandbox { get; private set; } = null!;

    protected virtual TimeSpan CpuTime => TimeSpan.FromSeconds(0.2);

    public async ValueTask InitializeAsync()
    {
        Environment.SetEnvironmentVariable("EDDY_TEST_MARK", Mark);
        await StartAsync();
        var options = Options;
        options.CpuTime = CpuTime;
        Sandbox = await CellFixture.StartAsync(options);
        _neighbour = TestTenant.WithRule(Sandbox, """
            import os
            class neighbour(Rule):
                listens_to = ["go"]
                def action(self):
                    self.count = (self.count or 0) + 1
                    self.cell = os.getpid()
            """);
        await NeighbourWorksAsync();
    }

    /// <summary>The neighbour does its work in the cell that it always had; gives that cell's process.</summary>
    public async Task<string> NeighbourWorksAsync()
    {
        await _turn.WaitAsync();
        try
        {
            return await WorkAsync();
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task<string> WorkAsync()
    {
        var (count, cell) = (int.Parse(_neighbour!.Kvp(1, "count") ?? "0"), _neighbour.Kvp(1, "cell"));

        (await _neighbour.OneRunAsync(1, ("go", "1"))).Outcome.ShouldBe(RunOutcome.Ran);

        _neighbour.Kvp(1, "count").ShouldBe($"{count + 1}");
        _neighbour.Kvp(1, "cell").ShouldBe(cell ?? _neighbour.Kvp(1, "cell"));
        return _neighbour.Kvp(1, "cell")!;
    }

    public virtual async ValueTask DisposeAsync()
    {
        await Sandbox.DisposeAsync();
        _turn.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Settings of a sandbox with this kind of cells; new at each reading.</summary>
    public abstract SandboxOptions Options { get; }

    protected virtual Task StartAsync() => Task.CompletedTask;
}

/// <summary>The zygote is a child of the host: root where the tests are, so that each cell has a user of its own.</summary>
public class ChildAttackFixture : AttackFixture
{
    public override SandboxOptions Options => CellFixture.Limits();
}

/// <summary>The zygote is a service that runs as nobody, without any capability: all cells are the same user.</summary>
public class NobodyAttackFixture : AttackFixture
{
    private ZygoteService? _service;

    public override SandboxOptions Options => _service!.Options;

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        await _service!.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    protected override async Task StartAsync() => _service = await ZygoteService.StartAsync();
}

/// <summary>With time enough to look through all memory.</summary>
public sealed class ChildLeakFixture : ChildAttackFixture
{
    protected override TimeSpan CpuTime => TimeSpan.FromSeconds(20);
}

/// <summary>With time enough to look through all memory.</summary>
public sealed class NobodyLeakFixture : NobodyAttackFixture
{
    protected override TimeSpan CpuTime => TimeSpan.FromSeconds(20);
}
