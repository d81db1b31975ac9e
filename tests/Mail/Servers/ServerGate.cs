using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Eddy.Tests.Mail;

/// <summary>A way to a server that a test opens and closes: closed, nobody gets through, and whoever was is cut off.</summary>
internal sealed class ServerGate : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<TcpClient, byte> _through = new();
    private readonly int _server;
    private volatile bool _isOpen = true;

    /// <param name="server">The port that it leads to.</param>
    public ServerGate(int server)
    {
        _server = server;
        _listener.Start();
        _ = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>How many were turned away.</summary>
    public int TurnedAway => Volatile.Read(ref _turnedAway);

    private int _turnedAway;

    public void Open() => _isOpen = true;

    public void Close()
    {
        _isOpen = false;
        foreach (var client in _through.Keys)
        {
            client.Dispose();
        }
    }

    public void Dispose()
    {
        Close();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            TcpClient client;
            try
            {
                client = await _listener.AcceptTcpClientAsync();
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                return;
            }

            if (_isOpen)
            {
                _ = PassAsync(client);
            }
            else
            {
                Interlocked.Increment(ref _turnedAway);
                client.Dispose();
            }
        }
    }

    private async Task PassAsync(TcpClient client)
    {
        using var server = new TcpClient();
        using (client)
        {
            _through[client] = 0;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _server);
                if (_isOpen)
                {
                    await Task.WhenAny(client.GetStream().CopyToAsync(server.GetStream()), server.GetStream().CopyToAsync(client.GetStream()));
                }
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or InvalidOperationException)
            {
                // Cut off.
            }

            _through.TryRemove(client, out _);
        }
    }
}
