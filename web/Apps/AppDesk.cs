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
        var (version, present) = await files.ReadAllAsync(tenant, cancel);
        var there = present.ToDictionary(file => file.Path, file => file.Content, StringComparer.Ordinal);
        var planned = new List<PlannedFile>();
        PackageSet? packages = null;
        foreach (var file in app.Files)
        {
            if (IsSame(file.Path, file.Content))
            {
                planned.Add(new PlannedFile(file.Path, PlannedKind.Same, file.Content, FileCheck.Nothing, []));
            }
            else if (file.Path == FilePath.Requirements)
            {
                (packages, var check) = await keeper.PackagesAsync(tenant, file.Content, cancel);
                planned.Add(new PlannedFile(file.Path, KindOf(file.Path), file.Content, check, []));
            }
            else
            {
                planned.Add(await PlanAsync(tenant, file, KindOf, cancel));
            }
        }

        return new AppPlan(version, planned, app.Left, packages);

        bool IsSame(string path, byte[] content) => there.TryGetValue(path, out var old) && old.AsSpan().SequenceEqual(content);
        PlannedKind KindOf(string path) => there.ContainsKey(path) ? PlannedKind.Changed : PlannedKind.New;
    }

    /// <summary>Carries out a plan that has no faults.</summary>
    public Task<ImportOutcome> ImportAsync(TenantId tenant, AppPlan plan, string author, CancellationToken cancel) => plan.IsFaulty
        ? throw new InvalidOperationException("A plan with faults is not carried out.")
        : files.ImportAsync(tenant, plan, author, cancel);

    private async Task<PlannedFile> PlanAsync(TenantId tenant, AppFile file, Func<string, PlannedKind> kindOf, CancellationToken cancel)
    {
        if (!FilePath.IsChecked(file.Path))
        {
            return new PlannedFile(file.Path, kindOf(file.Path), file.Content, FileCheck.Nothing, []);
        }

        var compiled = await keeper.CompileAsync(tenant, file.Path, file.Content, cancel);
        if (!compiled.Findings.Any(OldPython.IsOld) || FileStore.TextOf(file.Content) is not { } text)
        {
            return new PlannedFile(file.Path, kindOf(file.Path), file.Content, FileKeeper.Kept(compiled), compiled.Findings);
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
        return new PlannedFile(file.Path, kindOf(file.Path), Encoding.UTF8.GetBytes(text), FileKeeper.Kept(now), now.Findings)
        {
            Converted = converted,
            ToSee = [.. compiled.Findings.Where(finding => OldPython.IsOld(finding) && finding.Fix is null)],
        };

        Task<CompiledFile> LookAsync() => sandbox.CompileAsync(tenant, new CellFile(file.Path, text) { IsOld = true }, cancel);
    }
}
