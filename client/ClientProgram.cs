using System.CommandLine;
using Eddy.Client.Commands;

namespace Eddy.Client;

/// <summary>The command line of tenants: what one does from one's own editor. It knows the HTTP API and nothing else of Eddy.</summary>
public static class ClientProgram
{
    public static async Task<int> Main(string[] args) => await RunAsync(args, Terminal.OfThisProcess(), CancellationToken.None);

    /// <summary>The answer is the exit code: 0 done, 1 refused or failed, 2 asked for what there is not, 3 the server does not answer.</summary>
    public static async Task<int> RunAsync(IReadOnlyList<string> args, Terminal terminal, CancellationToken cancel)
    {
        var parsed = Root(terminal).Parse(args, new ParserConfiguration { ResponseFileTokenReplacer = null });
        var invocation = new InvocationConfiguration { Output = terminal.Out, Error = terminal.Error, EnableDefaultExceptionHandler = false };
        if (cancel.CanBeCanceled)
        {
            // Whoever can stop it sees to Ctrl-C, too.
            invocation.ProcessTerminationTimeout = null;
        }

        try
        {
            var code = await parsed.InvokeAsync(invocation, cancel);
            return parsed.Errors.Count > 0 ? ClientFault.Usage : code;
        }
        catch (ClientFault fault)
        {
            terminal.Complain(fault);
            return fault.Code;
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            terminal.Complain(new ClientFault(fault.Message));
            return ClientFault.Failed;
        }
        catch (OperationCanceledException)
        {
            return 130;
        }
    }

    private static RootCommand Root(Terminal terminal)
    {
        var where = new Where();
        return new RootCommand(
            "Eddy from your own editor. Each command takes --help. EDDY_URL and EDDY_KEY stand for a login where nobody types, as in CI.")
        {
            LoginCommands.Login(terminal), LoginCommands.Logout(terminal),
            PullCommand.Make(terminal, where), StatusCommands.Status(terminal, where), StatusCommands.Diff(terminal, where), PushCommand.Make(terminal, where), WatchCommand.Make(terminal, where),
            LogsCommand.Make(terminal, where), RunCommand.Make(terminal, where), TestCommand.Make(terminal, where),
            AppCommands.Import(terminal, where), AppCommands.Export(terminal, where),
        };
    }
}
