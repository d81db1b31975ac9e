using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Eddy.Tests.Egress;

/// <summary>A server on loopback that answers byte for byte what a test wants, and keeps what it was sent.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Func<RawCall, Task> _answer;
    private readonly X509Certificate2? _certificate;
    private readonly Task _serving;
    private readonly Lock _lock = new();
    private readonly List<string> _requests = [];
    private int _connections;

    public RawServer(Func<RawCall, Task> answer, X509Certificate2? certificate = null)
    {
        (_answer, _certificate) = (answer, certificate);
        _listener = new TcpListener(IPAddress.Loopback, 0);
        _listener.Start(100);
        _serving = Task.Run(ServeAsync);
    }

    /// <summary>Answers the same text to every request.</summary>
    public RawServer(string answer, X509Certificate2? certificate = null)
        : this(call => call.WriteAsync(answer), certificate)
    {
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public string Place => $"127.0.0.1:{Port}";

    public string Url => $"{(_certificate is null ? "http" : "https")}://{Place}/";

    public int Connections => Volatile.Read(ref _connections);

    /// <summary>The heads of all requests, with their bodies.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_lock)
            {
                return [.. _requests];
            }
        }
    }

    public static string Ok(string body, string headers = "") => $"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\n{headers}\r\n{body}";

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _serving;
        _stop.Dispose();
        _certificate?.Dispose();
    }

    private async Task ServeAsync()
    {
        var under = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                under.Add(ServeAsync(client));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException or InvalidOperationException)
        {
        }

        await Task.WhenAll(under);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                Stream stream = client.GetStream();
                if (_certificate is not null)
                {
                    var secure = new SslStream(stream);
                    await secure.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificateContext = SslStreamCertificateContext.Create(_certificate, null, offline: true) }, _stop.Token);
                    stream = secure;
                }

                while (await ReadAsync(stream) is { } request)
                {
                    lock (_lock)
                    {
                        _requests.Add(request);
                    }

                    await _answer(new RawCall(request, stream, client, _stop.Token));
                }
            }
            catch (Exception e) when (e is IOException or OperationCanceledException or SocketException or ObjectDisposedException or System.Security.Authentication.AuthenticationException)
            {
                // The other side hung up, or the test is over.
            }
        }
    }

    private async Task<string?> ReadAsync(Stream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[65536];
        var missing = -1;
        while (missing != 0)
        {
            var count = await stream.ReadAsync(buffer, _stop.Token);
            if (count == 0)
            {
                return null;
            }

            text.Append(Encoding.Latin1.GetString(buffer, 0, count));
            var all = text.ToString();
            var end = all.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (end >= 0)
            {
                var length = all.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase))?[15..];
                missing = Math.Max(0, int.Parse(length ?? "0") - (all.Length - end - 4));
            }
        }

        return text.ToString();
    }
}

/// <summary>One request to a <see cref="RawServer"/>.</summary>
internal sealed record RawCall(string Request, Stream Stream, TcpClient Client, CancellationToken Ct)
{
    public string Path => Request.Split(' ')[1];

    public Task WriteAsync(string text) => WriteAsync(Encoding.Latin1.GetBytes(text));

    public async Task WriteAsync(byte[] bytes)
    {
        await Stream.WriteAsync(bytes, Ct);
        await Stream.FlushAsync(Ct);
    }

    /// <summary>Writes the same again and again until the other side hangs up.</summary>
    public async Task FloodAsync(string text)
    {
        var bytes = Encoding.Latin1.GetBytes(text);
        while (true)
        {
            await Stream.WriteAsync(bytes, Ct);
        }
    }

    /// <summary>Says nothing more until the other side hangs up.</summary>
    public async Task KeepSilentAsync()
    {
        var buffer = new byte[1];
        while (await Stream.ReadAsync(buffer, Ct) > 0)
        {
        }
    }

    public void HangUp() => Client.Client.Close();
}
