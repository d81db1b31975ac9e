using System.CommandLine;
using Eddy.Client.Server;
using Eddy.Client.Tree;

namespace Eddy.Client.Commands;

/// <summary>Which tenant a command is about: what was said with it, then what the environment says, then what the folder is of, then the last login.</summary>
public sealed class Where
{
    private readonly Option<string?> _address = new("--address") { Description = "The address of the Eddy, as https://eddy.acme.test; else EDDY_URL, else that of the folder, else that of the last login." };
    private readonly Option<string?> _tenant = new("--tenant") { Description = "The tenant, where one has logged in for several." };

    /// <summary>The command, with the options that say so.</summary>
    public Command On(Command command)
    {
        command.Add(_address);
        command.Add(_tenant);
        return command;
    }

    /// <summary>The copy that the folder is, or one of the folders above it.</summary>
    public static (WorkFolder Folder, FolderState State) CopyAt(string folder) => FolderState.RootOf(folder) is { } root
        ? (new WorkFolder(root), FolderState.Read(root)!)
        : throw new ClientFault("This folder is no copy of a tenant's files: eddy pull makes one.", ClientFault.Usage);

    public async Task<EddyApi> OpenAsync(ParseResult parsed, Terminal terminal, FolderState? folder, CancellationToken cancel)
    {
        var address = (parsed.GetValue(_address) ?? terminal.Setting("EDDY_URL")) is { } said ? Login.ReadAddress(said) : null;
        var tenant = parsed.GetValue(_tenant);
        if (terminal.Setting("EDDY_KEY") is { } key)
        {
            // A folder may come from anywhere: it does not say where a key is sent.
            return address is null
                ? throw new ClientFault("EDDY_KEY is set and EDDY_URL is not: say for which address the key is.", ClientFault.Usage)
                : await SeenAsync(new EddyApi(new Login(address, tenant, key.Trim())), cancel);
        }

        address ??= folder?.Address;
        tenant ??= folder?.Tenant;
        var login = LoginFile.Of(terminal).Read().FirstOrDefault(one => (address is null || one.Address == address) && (tenant is null || one.Tenant == tenant));
        return login is not null
            ? new EddyApi(login)
            : throw new ClientFault($"There is no login{(tenant is null ? "" : $" for {tenant}")}{(address is null ? "" : $" at {address}")}: eddy login {address ?? "ADDRESS"}", ClientFault.Usage);
    }

    /// <summary>A key is for one tenant, whatever is said beside it: of a key from the environment only the server knows which.</summary>
    private static async Task<EddyApi> SeenAsync(EddyApi api, CancellationToken cancel)
    {
        try
        {
            return api.Login.Tenant is not { } said || await api.MeAsync(cancel) is not { Tenant: var its } || its == said ? api
                : throw new ClientFault($"--tenant says {said}, and EDDY_KEY is a key for {its}. Nothing was done; take a key for {said}, or leave --tenant out.", ClientFault.Usage);
        }
        catch
        {
            api.Dispose();
            throw;
        }
    }
}
