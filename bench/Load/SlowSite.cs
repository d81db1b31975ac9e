using System.Net;
using System.Net.Sockets;

namespace Eddy.Bench.Load;

/// <summary>A web site on loopback that answers everything with 200, each time after <see cref="Delay"/>.</summary>
internal sealed class SlowSite : IDisposable
{
    public static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(200);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private int _answers;

    public SlowSite()
    {
        _listener.Start(512);
        Address = new Uri($"http://{_listener.LocalEndpoint}/");
        _ = AcceptAsync();
    }

    public Uri Address { get; }

    /// <summary>How many it has answered.</summary>
    public int Answers => Volatile.Read(ref _answers);

    public void Dispose()
    {
        _stop.Cancel();
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token));
            }
            catch (Exception over) when (over is OperationCanceledException or ObjectDisposedException or SocketException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                using var reader = new StreamReader(client.GetStream());
                while (await reader.ReadLineAsync(_stop.Token) is { } line)
                {
                    // A request without a body ends with an empty line.
                    if (line.Length == 0)
                    {
                        await Task.Delay(Delay, _stop.Token);
                        Interlocked.Increment(ref _answers);
                        await client.GetStream().WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"u8.ToArray(), _stop.Token);
                    }
                }
            }
            catch (Exception over) when (over is OperationCanceledException or IOException)
            {
                // The caller has gone, or the bench ends.
            }
        }
    }
}
