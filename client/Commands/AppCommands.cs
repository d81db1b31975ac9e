using System.CommandLine;
using System.Diagnostics;
using System.IO.Compression;
using System.Text.Json;
using Eddy.Client.Server;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy import</c> and <c>eddy export</c>: a tenant's files as one thing.</summary>
public static class AppCommands
{
    public static Command Import(Terminal terminal, Where where)
    {
        var source = new Argument<string>("SOURCE") { Description = "A folder, a zip, or the address of a git repository, which is cloned on this machine by its own git." };
        var from = new Option<string?>("--from") { Description = "The folder in it that has scripts/ and the others, where that is not its top.", HelpName = "FOLDER" };
        var branch = new Option<string?>("--branch") { Description = "The branch or tag of the repository." };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask." };
        var dry = new Option<bool>("--dry") { Description = "Show the difference, and import nothing." };
        var json = new Option<bool>("--json") { Description = "Print the plan, or what was done, as JSON." };
        var command = where.On(new Command("import", "Bring an app in: the difference first, what was Python 2 made Python 3 with a report, then all of it as one version of the tree, or nothing. Files that it does not have stay.") { source, from, branch, yes, dry, json });
        command.SetAction(async (parsed, cancel) =>
        {
            using var api = await where.OpenAsync(parsed, terminal, FolderState.Near(terminal.Folder), cancel);
            var zip = await PackAsync(terminal, parsed.GetRequiredValue(source), parsed.GetValue(from), parsed.GetValue(branch), cancel);
            var plan = await api.PlanAsync(zip, cancel);
            var isJson = parsed.GetValue(json);
            if (!isJson)
            {
                Print(terminal, plan);
            }

            var changes = plan.Files.Count(file => file.Kind != "same");
            if (!plan.MayImport || parsed.GetValue(dry) || changes == 0)
            {
                if (isJson)
                {
                    terminal.Print(JsonSerializer.Serialize(plan, JsonSerializerOptions.Web));
                }

                return plan.MayImport ? 0 : throw new ClientFault("Nothing was imported: a file could not be in force.");
            }

            if (!parsed.GetValue(yes) && !(terminal.AsksPeople ? await terminal.ConfirmAsync($"Import {changes} {(changes == 1 ? "file" : "files")} into {await TenantAsync(api, cancel)}?", cancel)
                : throw new ClientFault("Nothing was imported: say --yes where nobody can be asked.", ClientFault.Usage)))
            {
                terminal.Note("Nothing was imported.");
                return ClientFault.Failed;
            }

            var done = await api.ImportAsync(zip, plan.Tree, cancel);
            terminal.Print(isJson ? JsonSerializer.Serialize(done, JsonSerializerOptions.Web) : $"{done.Files} {(done.Files == 1 ? "file" : "files")} imported as version {done.Version}.");
            return 0;
        });
        return command;
    }

    public static Command Export(Terminal terminal, Where where)
    {
        var file = new Argument<string>("FILE") { Description = "The zip that is written." };
        var force = new Option<bool>("--force") { Description = "Also over a file that is there." };
        var command = where.On(new Command("export", "Write all files of the tenant, as they were last saved, into a zip.") { file, force });
        command.SetAction(async (parsed, cancel) =>
        {
            var path = Path.GetFullPath(parsed.GetRequiredValue(file), terminal.Folder);
            if (File.Exists(path) && !parsed.GetValue(force))
            {
                throw new ClientFault($"{path} is there; --force writes over it.");
            }

            using var api = await where.OpenAsync(parsed, terminal, FolderState.Near(terminal.Folder), cancel);
            var zip = await api.AppAsync(cancel);
            await File.WriteAllBytesAsync(path, zip, cancel);
            terminal.Print($"{path}, {zip.Length:N0} bytes.");
            return 0;
        });
        return command;
    }

    private static async Task<string> TenantAsync(EddyApi api, CancellationToken cancel) => api.Login.Tenant ?? Terminal.Line((await api.MeAsync(cancel)).Tenant);

    private static async Task<byte[]> PackAsync(Terminal terminal, string source, string? from, string? branch, CancellationToken cancel)
    {
        var path = Path.GetFullPath(source, terminal.Folder);
        if (branch is null && Directory.Exists(path))
        {
            return Pack(path, from);
        }

        if (branch is null && File.Exists(path))
        {
            return from is null ? await File.ReadAllBytesAsync(path, cancel) : throw new ClientFault("--from is for folders and repositories; a zip is taken whole.", ClientFault.Usage);
        }

        if (branch is null && !source.Contains(':', StringComparison.Ordinal))
        {
            throw new ClientFault($"{source} is no folder and no zip that is there, and no address of a repository.", ClientFault.Usage);
        }

        var work = Directory.CreateTempSubdirectory("eddy-import-").FullName;
        try
        {
            await CloneAsync(terminal, source, branch, Path.Combine(work, "app"), cancel);
            return Pack(Path.Combine(work, "app"), from);
        }
        finally
        {
            DeleteAll(work);
        }
    }

    /// <summary>The tenant's files of a folder, and nothing else that lies there.</summary>
    private static byte[] Pack(string folder, string? from)
    {
        var root = Path.GetFullPath(from ?? ".", folder);
        if (Path.GetRelativePath(folder, root).StartsWith("..", StringComparison.Ordinal) || !Directory.Exists(root))
        {
            throw new ClientFault($"There is no folder {from} in it.", ClientFault.Usage);
        }

        var app = new WorkFolder(root);
        var files = app.Scan([]);
        if (files.Count == 0)
        {
            throw new ClientFault($"There is nothing of a tenant in {(from is null ? "it" : from)}: files are in {string.Join(", ", TreePath.Folders.Select(one => one + "/"))}. --from names the folder that has them.");
        }

        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var file in files.Keys.Order(StringComparer.Ordinal))
            {
                using var stream = archive.CreateEntry(file).Open();
                stream.Write(app.Read(file));
            }
        }

        return bytes.ToArray();
    }

    /// <summary>The newest commit alone, by the git of this machine, with the keys and settings that it has: the server is never told of the address.</summary>
    private static async Task CloneAsync(Terminal terminal, string address, string? branch, string target, CancellationToken cancel)
    {
        string[] arguments = ["-c", "core.hooksPath=/dev/null", "-c", "core.symlinks=false", "clone", "--quiet", "--depth", "1", "--no-tags", .. branch is null ? (string[])[] : ["--branch", branch], "--", address, target];
        var start = new ProcessStartInfo("git", arguments) { WorkingDirectory = terminal.Folder, RedirectStandardError = true, RedirectStandardInput = !terminal.AsksPeople };
        // What an API key is for is no business of git's.
        start.Environment.Remove("EDDY_KEY");
        Process git;
        try
        {
            git = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            throw new ClientFault("There is no git on this machine to clone with. Clone or unpack the repository by other means, and import the folder.");
        }

        using (git)
        {
            if (start.RedirectStandardInput)
            {
                git.StandardInput.Close();
            }

            try
            {
                var said = await git.StandardError.ReadToEndAsync(cancel);
                await git.WaitForExitAsync(cancel);
                if (git.ExitCode != 0)
                {
                    throw new ClientFault($"git could not clone {address}: {said.Trim()}");
                }
            }
            finally
            {
                if (!git.HasExited)
                {
                    git.Kill(entireProcessTree: true);
                }
            }
        }
    }

    /// <summary>Git writes its objects so that nobody may change them.</summary>
    private static void DeleteAll(string folder)
    {
        foreach (var file in OperatingSystem.IsWindows() ? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories) : [])
        {
            File.SetAttributes(file, FileAttributes.Normal);
        }

        Directory.Delete(folder, recursive: true);
    }

    private static void Print(Terminal terminal, PlanAnswer plan)
    {
        foreach (var file in plan.Files)
        {
            if (file.Kind != "same")
            {
                terminal.Print($"{StatusCommands.Sign(terminal, Terminal.Line(file.Kind))} {Terminal.Line(file.Path)}{(file.Converted.Count > 0 ? terminal.Dim($"  from Python 2: {file.Converted.Count} {(file.Converted.Count == 1 ? "place" : "places")} changed") : "")}");
            }

            foreach (var fault in file.Faults)
            {
                terminal.Print($"{Terminal.Line(file.Path)}:{fault.Line ?? 1}:{fault.Column ?? 1}: {terminal.Red("error")}: {Terminal.Line(fault.Message)}");
            }

            foreach (var see in file.ToSee)
            {
                terminal.Print($"{Terminal.Line(file.Path)}:{see.Line}:1: {terminal.Yellow("warning")}: {Terminal.Line(see.Message)}");
            }
        }

        foreach (var left in plan.Left.Take(10))
        {
            terminal.Print(terminal.Dim($"left out {Terminal.Line(left.Path)}: {Terminal.Line(left.Reason)}"));
        }

        if (plan.Left.Count > 10)
        {
            terminal.Print(terminal.Dim($"and {plan.Left.Count - 10} others are left out"));
        }

        int Count(string kind) => plan.Files.Count(file => file.Kind == kind);
        terminal.Print($"{Count("new")} new, {Count("changed")} changed, {Count("same")} the same.");
    }
}
