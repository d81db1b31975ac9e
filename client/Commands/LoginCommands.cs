using System.CommandLine;
using Eddy.Client.Server;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary><c>eddy login</c> and <c>eddy logout</c>.</summary>
public static class LoginCommands
{
    public static Command Login(Terminal terminal)
    {
        var address = new Argument<string?>("ADDRESS") { Description = "Where the Eddy is, as https://eddy.acme.test; else EDDY_URL, else the address of the last login.", Arity = ArgumentArity.ZeroOrOne };
        var insecure = new Option<bool>("--allow-http") { Description = "Send the key over a network where others may read it." };
        var command = new Command("login", "Try an API key and keep it for this address. The key is asked for, or read from the standard input or EDDY_KEY; never from an argument, where others could read it.") { address, insecure };
        command.SetAction(async (parsed, cancel) =>
        {
            var file = LoginFile.Of(terminal);
            var where = Server.Login.ReadAddress(parsed.GetValue(address) ?? terminal.Setting("EDDY_URL") ?? (file.Read() is [var last, ..] ? last.Address : null)
                ?? throw new ClientFault("Say where: eddy login https://eddy.acme.test", ClientFault.Usage));
            if (!Server.Login.IsPrivate(where) && !parsed.GetValue(insecure))
            {
                throw new ClientFault($"{where} is not https: whoever is on the way would read the key. --allow-http sends it all the same.", ClientFault.Usage);
            }

            var key = (terminal.Setting("EDDY_KEY") ?? await terminal.ReadSecretAsync($"API key for {where}: ", cancel))?.Trim();
            if (string.IsNullOrEmpty(key))
            {
                throw new ClientFault("There was no key. An owner of the tenant makes one in Settings, Keys.", ClientFault.Usage);
            }

            using var api = new EddyApi(new Login(where, null, key));
            var me = await api.MeAsync(cancel);
            file.Add(new Login(where, me.Tenant, key));
            terminal.Print($"{terminal.Green("✓")} {Terminal.Line(me.TenantName)} ({Terminal.Line(me.Tenant)}) at {where}, by the key '{Terminal.Line(me.Key)}'{(me.Person is null ? "" : $" for {Terminal.Line(me.Person)}")}: {Terminal.Line(string.Join(", ", me.Scopes))}.");
            if (!me.Scopes.Contains("read") || !me.Scopes.Contains("write"))
            {
                terminal.Note(terminal.Yellow("eddy pull takes the scope read, push write, run ingest: ask for a key that has what you need."));
            }

            return 0;
        });
        return command;
    }

    public static Command Logout(Terminal terminal)
    {
        var address = new Argument<string?>("ADDRESS") { Description = "Where; without it, every address.", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("logout", "Forget the keys of an address, or all. They stay in force; an owner revokes them in Settings, Keys.") { address };
        command.SetAction(parsed =>
        {
            var where = parsed.GetValue(address) is { } said ? Server.Login.ReadAddress(said) : null;
            var gone = LoginFile.Of(terminal).Remove(login => where is null || login.Address == where);
            terminal.Print(gone == 0 ? "There was no login." : gone == 1 ? "One login is forgotten." : $"{gone} logins are forgotten.");
            return 0;
        });
        return command;
    }

    /// <summary>The copy that the folder is, or one of the folders above it.</summary>
    internal static (WorkFolder Folder, FolderState State) CopyAt(string folder) => FolderState.RootOf(folder) is { } root
        ? (new WorkFolder(root), FolderState.Read(root)!)
        : throw new ClientFault("This folder is no copy of a tenant's files: eddy pull makes one.", ClientFault.Usage);
}
