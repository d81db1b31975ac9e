using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Eddy.Tests;

/// <summary>A wire between a browser and a web that can be cut, and laid to another web while its address stays.</summary>
public sealed class TestWire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Socket, byte> _ends = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private volatile TestWeb? _web;

    /// <param name="web">Where it leads; null for nowhere yet.</param>
    public TestWire(TestWeb? web = null)
    {
        _web = web;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public Uri Address => new($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}");

    /// <summary>Ends everything that goes over it; what comes now is hung up on.</summary>
    public void Cut()
    {
        _web = null;
        foreach (var end in _ends.Keys)
        {
            end.Dispose();
        }
    }

    public void LeadTo(TestWeb web) => _web = web;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var near = await _listener.AcceptSocketAsync(_stop.Token);
                _ = CarryAsync(near);
            }
        }
        catch (Exception stopped) when (stopped is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // It is taken down.
        }
    }

    private async Task CarryAsync(Socket near)
    {
        using var far = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using (near)
        {
            if (_web is not { } web)
            {
                return;
            }

            _ends[near] = _ends[far] = 0;
            try
            {
                await far.ConnectAsync(IPAddress.Loopback, web.Address.Port, _stop.Token);
                // Cut while it was connected: nothing of that web comes through any more.
                if (_web == web)
                {
                    await using var nearBytes = new NetworkStream(near);
                    await using var farBytes = new NetworkStream(far);
                    await Task.WhenAny(nearBytes.CopyToAsync(farBytes, _stop.Token), farBytes.CopyToAsync(nearBytes, _stop.Token));
                }
            }
            catch (Exception cut) when (cut is OperationCanceledException or SocketException or IOException or ObjectDisposedException)
            {
                // Either side is gone.
            }
            finally
            {
                _ends.TryRemove(near, out _);
                _ends.TryRemove(far, out _);
            }
        }
    }
}
