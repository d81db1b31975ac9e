using System.Text;
using Eddy.Files;
using Eddy.Packages;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Apps;

/// <summary>Apps that come in and go out: first what it would come to, then all of it or nothing.</summary>
public sealed class AppDesk(FileStore files, FileKeeper keeper, RuleSandbox sandbox)
{
    /// <summary>Bytes of a zip.</summary>
    public const int MostZip = 24 << 20;

    /// <summary>A look finds a hundred things at the most, and mending one shows others.</summary>
    private const int MostLooks = 60;

    /// <summary>The whole tree as a zip.</summary>
    public async Task<byte[]> ExportAsync(TenantId tenant, CancellationToken cancel) =>
        AppArchive.Write((await files.ReadAllAsync(tenant, cancel)).Files.Select(file => (file.Path, file.Content, file.SavedAt)));

    /// <summary>What importing this zip would come to. Nothing of it is executed or saved.</summary>
    /// <exception cref="AppFault">It is no zip, or has more than may be.</exception>
    /// <exception cref="SandboxUnavailable">Its files can not be checked now.</exception>
    public async Task<AppPlan> PlanAsync(TenantId tenant, Stream zip, CancellationToken cancel)
    {
        var app = AppArchive.Read(zip, keeper.MostBytes);
        return await PlanAsync(tenant, [.. app.Files.Select(file => new TreeChange(file.Path, file.Content, null))], PlanImportedAsync, app.Left, cancel);
    }

    /// <summary>What these changes would come to: the texts as they are, none of them converted. Nothing of it is executed or saved.</summary>
    /// <exception cref="SandboxUnavailable">They can not be checked now.</exception>
    public Task<AppPlan> PlanAsync(TenantId tenant, IReadOnlyList<TreeChange> changes, CancellationToken cancel) => PlanAsync(tenant, changes, PlanAsWrittenAsync, [], cancel);

    private async Task<AppPlan> PlanAsync(
        TenantId tenant, IReadOnlyList<TreeChange> changes, Func<TenantId, PlannedFile, CancellationToken, Task<PlannedFile>> planAsync, IReadOnlyList<LeftOut> left, CancellationToken cancel)
    {
        var (version, present) = await files.ReadAllAsync(tenant, cancel);
        var there = present.ToDictionary(file => file.Path, StringComparer.Ordinal);
        var planned = new List<PlannedFile>();
        PackageSet? packages = null;
        foreach (var (path, content, _) in changes)
        {
            var old = there.GetValueOrDefault(path);
            var kind = content is null ? old is null ? PlannedKind.Same : PlannedKind.Removed : old is null ? PlannedKind.New : old.Content.AsSpan().SequenceEqual(content) ? PlannedKind.Same : PlannedKind.Changed;
            var file = new PlannedFile(path, kind, content ?? [], FileCheck.Nothing, []) { Was = old?.Version };
            if (kind is PlannedKind.Same or PlannedKind.Removed)
            {
                planned.Add(file);
            }
            else if (path == FilePath.Requirements)
            {
                (packages, var check) = await keeper.PackagesAsync(tenant, file.Content, cancel);
                planned.Add(file with { Check = check });
            }
            else
            {
                planned.Add(FilePath.IsChecked(path) ? await planAsync(tenant, file, cancel) : file);
            }
        }

        return new AppPlan(version, planned, left, packages);
    }

    /// <summary>Carries out a plan that has no faults.</summary>
    public Task<ImportOutcome> ImportAsync(TenantId tenant, AppPlan plan, string author, CancellationToken cancel) => plan.IsFaulty
        ? throw new InvalidOperationException("A plan with faults is not carried out.")
        : files.ImportAsync(tenant, plan, author, cancel);

    private async Task<PlannedFile> PlanAsWrittenAsync(TenantId tenant, PlannedFile file, CancellationToken cancel)
    {
        var compiled = await keeper.CompileAsync(tenant, file.Path, file.Content, cancel);
        return file with { Check = FileKeeper.Kept(compiled), Findings = compiled.Findings };
    }

    private async Task<PlannedFile> PlanImportedAsync(TenantId tenant, PlannedFile file, CancellationToken cancel)
    {
        var compiled = await keeper.CompileAsync(tenant, file.Path, file.Content, cancel);
        if (!compiled.Findings.Any(OldPython.IsOld) || FileStore.TextOf(file.Content) is not { } text)
        {
            return file with { Check = FileKeeper.Kept(compiled), Findings = compiled.Findings };
        }

        var converted = new List<Finding>();
        compiled = await LookAsync();
        for (var look = 0; look < MostLooks && OldPython.Mend(text, compiled.Findings) is { Mended: { Count: > 0 } mended } next; look++)
        {
            converted.AddRange(mended);
            text = next.Text;
            compiled = await LookAsync();
        }

        // As if it had been saved so: what matters only where a text comes from Python 2 is for whoever imports it.
        var now = await keeper.CompileAsync(tenant, file.Path, Encoding.UTF8.GetBytes(text), cancel);
        return file with
        {
            Content = Encoding.UTF8.GetBytes(text),
            Check = FileKeeper.Kept(now),
            Findings = now.Findings,
            Converted = converted,
            ToSee = [.. compiled.Findings.Where(finding => OldPython.IsOld(finding) && finding.Fix is null)],
        };

        Task<CompiledFile> LookAsync() => sandbox.CompileAsync(tenant, new CellFile(file.Path, text) { IsOld = true }, cancel);
    }
}
