using System.Text.Json;
using Eddy.Cards;
using Eddy.Packages;
using Eddy.Pages;
using Eddy.Postgres;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Files;

/// <summary>The way of a file into the tree, the same from every door: Python is compiled, requirements are resolved, and what was found is kept with it.</summary>
public sealed class FileKeeper(FileStore files, RuleSandbox sandbox, PackageResolver packages, WebOptions options)
{
    public int MostBytes => options.FileBytes;

    /// <param name="path">Checked by <see cref="FilePath"/>.</param>
    /// <param name="content">At most <see cref="MostBytes"/>.</param>
    /// <exception cref="SandboxUnavailable">It can not be checked now, and was not saved.</exception>
    public async Task<SaveOutcome> SaveAsync(TenantId tenant, string path, byte[] content, string author, WriteCondition condition, CancellationToken cancel)
    {
        if (path == FilePath.Requirements)
        {
            var (made, check) = await PackagesAsync(tenant, content, cancel);
            return made is null
                ? await files.SaveAsync(tenant, path, content, check, author, condition, cancel)
                : await files.SaveAsync(tenant, content, made, author, condition, cancel);
        }

        return await files.SaveAsync(tenant, path, content, await CheckAsync(tenant, path, content, cancel), author, condition, cancel);
    }

    /// <summary>Gives a file another path. Null where what it says could not be in force there, or is not in force where it is.</summary>
    /// <exception cref="SandboxUnavailable">It can not be checked now, and was not moved.</exception>
    public async Task<MoveOutcome?> MoveAsync(TenantId tenant, string from, string to, string author, CancellationToken cancel)
    {
        if (await files.FindAsync(tenant, from, cancel) is not { } file)
        {
            return new MoveOutcome.Changed(null);
        }

        var check = await CheckAsync(tenant, to, file.Content, cancel);
        return file.Faults is not null || check.Faults is not null ? null
            : await files.MoveAsync(tenant, from, to, check, author, new WriteCondition(MustBeNew: false, MustBeThere: true, [file.Version]), cancel);
    }

    /// <summary>Says what is wrong with a text and what its rules read and write, and executes nothing of it. Modules are looked at in a cell, cards and pages here.</summary>
    /// <exception cref="SandboxUnavailable">There is no cell to be had.</exception>
    public async Task<CompiledFile> CompileAsync(TenantId tenant, string path, byte[] content, CancellationToken cancel) =>
        FileStore.TextOf(content) is not { } text ? new CompiledFile([new Finding(Finding.Error, "not-text", 1, 1, 1, 1, "The file is not valid UTF-8.", null)], [])
        : CardFile.NameOf(path) is not null ? new CompiledFile(CardFile.Parse(text).Findings, [])
        : PagePath.IsTemplate(path) ? new CompiledFile(PageCheck.Of(text), [])
        : await sandbox.CompileAsync(tenant, new CellFile(path, text), cancel);

    /// <summary>All rules in force. A file that nobody has looked at yet, as one that came with the tenant, is looked at now.</summary>
    /// <exception cref="SandboxUnavailable">It can not be looked at now.</exception>
    public async Task<IReadOnlyList<PlacedRule>> RulesAsync(TenantId tenant, CancellationToken cancel)
    {
        var rules = new List<PlacedRule>();
        foreach (var (path, inForce, known) in await files.ListRulesAsync(tenant, cancel))
        {
            var looks = known is null ? await LookAsync(tenant, path, inForce, cancel) : JsonSerializer.Deserialize<List<RuleLook>>(known, JsonSerializerOptions.Web)!;
            rules.AddRange(looks.Select(look => new PlacedRule(path, look)));
        }

        return rules;
    }

    private async Task<IReadOnlyList<RuleLook>> LookAsync(TenantId tenant, string path, long inForce, CancellationToken cancel)
    {
        if (await files.InForceAsync(tenant, path, cancel) is not { } content)
        {
            return [];
        }

        var compiled = await CompileAsync(tenant, path, content, cancel);
        await files.NoteRulesAsync(tenant, path, inForce, JsonSerializer.Serialize(compiled.Rules, JsonSerializerOptions.Web), cancel);
        return compiled.Rules;
    }

    /// <summary>What is kept with a file of this content, other than requirements.</summary>
    internal async Task<FileCheck> CheckAsync(TenantId tenant, string path, byte[] content, CancellationToken cancel) =>
        FilePath.IsChecked(path) ? Kept(await CompileAsync(tenant, path, content, cancel)) : FileCheck.Nothing;

    /// <summary>What requirements come to, or why they do not. Null without a fault where they are those in force: these come to what they came to.</summary>
    internal async Task<(PackageSet? Packages, FileCheck Check)> PackagesAsync(TenantId tenant, byte[] content, CancellationToken cancel)
    {
        if (content.Length > packages.MostBytes)
        {
            return (null, Faulty(new FileFault(null, null, $"requirements.txt has at most {packages.MostBytes} bytes.")));
        }

        if (FileStore.TextOf(content) is not { } text)
        {
            return (null, Faulty(new FileFault(null, null, "The file is not valid UTF-8.")));
        }

        if (await files.InForceAsync(tenant, FilePath.Requirements, cancel) is { } inForce && inForce.AsSpan().SequenceEqual(content))
        {
            return (null, FileCheck.Nothing);
        }

        try
        {
            var locked = await files.FindAsync(tenant, FilePath.Lock, cancel);
            return (await packages.ResolveAsync(tenant, text, locked is null ? null : FileStore.TextOf(locked.Content), cancel), FileCheck.Nothing);
        }
        catch (PackageFault fault)
        {
            return (null, Faulty([.. fault.Complaints.Select(complaint => new FileFault(complaint.Line, null, complaint.Message))]));
        }
    }

    /// <summary>What was found, as it is kept with a file.</summary>
    internal static FileCheck Kept(CompiledFile compiled)
    {
        var faults = compiled.Findings.Where(finding => finding.IsError).Select(finding => new FileFault(finding.Line, finding.Column, finding.Message)).ToList();
        return new FileCheck(
            faults.Count == 0 ? null : JsonSerializer.Serialize(faults, JsonSerializerOptions.Web),
            compiled.Findings.Count == 0 ? null : JsonSerializer.Serialize(compiled.Findings, JsonSerializerOptions.Web),
            JsonSerializer.Serialize(compiled.Rules, JsonSerializerOptions.Web));
    }

    private static FileCheck Faulty(params IReadOnlyList<FileFault> faults) => new(JsonSerializer.Serialize(faults, JsonSerializerOptions.Web), null, null);
}
