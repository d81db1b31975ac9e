using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Eddy.Tests.Mail;

/// <summary>An IMAP server that says whatever a test likes: what a tenant's own could. It is plain of speech, without TLS.</summary>
internal sealed class TestImapServer : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Func<string, Func<string, Task>, Task<bool>> _answer;

    /// <param name="answer">Given a command without its tag, and what says a line or a part of one; whether it has answered all but the last line.</param>
    public TestImapServer(Func<string, Func<string, Task>, Task<bool>> answer)
    {
        _answer = answer;
        _listener.Start();
        _ = ServeAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public void Dispose() => _listener.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                using var client = await _listener.AcceptTcpClientAsync();
                await TalkAsync(client.GetStream());
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
        {
            // The test is over, or the client has gone.
        }
    }

    private async Task TalkAsync(NetworkStream stream)
    {
        using var lines = new StreamReader(stream, Encoding.Latin1);
        try
        {
            await SayAsync("* OK [CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE] hello\r\n");
            while (await lines.ReadLineAsync() is { } line && line.Split(' ', 2) is [var tag, var command])
            {
                if (!await _answer(command, SayAsync))
                {
                    await SayAsync(command.Split(' ')[0] switch
                    {
                        "CAPABILITY" => "* CAPABILITY IMAP4rev1 ESEARCH UIDPLUS MOVE\r\n",
                        "LIST" => $"* LIST () \"/\" {(command.Contains("INBOX", StringComparison.OrdinalIgnoreCase) ? "INBOX" : command.Split(' ')[^1])}\r\n",
                        "SELECT" => "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] numbers\r\n* OK [UIDNEXT 9] next\r\n* FLAGS (\\Deleted)\r\n",
                        _ => "",
                    });
                }

                await SayAsync($"{tag} OK {(command.StartsWith("SELECT", StringComparison.Ordinal) ? "[READ-WRITE] " : "")}done\r\n");
            }
        }
        catch (IOException)
        {
            // It has heard enough.
        }

        Task SayAsync(string text) => stream.WriteAsync(Encoding.Latin1.GetBytes(text)).AsTask();
    }
}
