using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Eddy.Egress;

/// <summary>
/// One tenant's way out: connections that no other tenant uses, and how many calls and look-ups may be under way. A connection goes to
/// an address that was checked when it was made, whatever the name means later.
/// </summary>
internal sealed class TenantRoad : IDisposable
{
    // A look-up can not be stopped: it holds a thread until the resolver gives up.
    private const int Lookups = 4;
    private const int Attempts = 4;

    private readonly EgressOptions _options;
    private readonly EgressRules _rules;
    private readonly Func<string, Task<IPAddress[]>> _resolve;
    private readonly SemaphoreSlim _lookups = new(Lookups);
    private readonly SocketsHttpHandler _handler;

    public TenantRoad(EgressOptions options, EgressRules rules, ServerTrust trust, Func<string, Task<IPAddress[]>> resolve)
    {
        (_options, _rules, _resolve) = (options, rules, resolve);
        Turns = new SemaphoreSlim(options.TenantCalls);
        _handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = DecompressionMethods.None,
            UseCookies = false,
            UseProxy = false,
            Credentials = null,
            PreAuthenticate = false,
            ActivityHeadersPropagator = null,
            MaxConnectionsPerServer = options.TenantCalls,
            MaxResponseHeadersLength = options.HeaderBytes >> 10,
            MaxResponseDrainSize = 0,
            ConnectTimeout = options.CallTime,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(15),
            PooledConnectionLifetime = TimeSpan.FromMinutes(2),
            RequestHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            ResponseHeaderEncodingSelector = (_, _) => Encoding.Latin1,
            SslOptions = trust.Options(),
            ConnectCallback = ConnectAsync,
        };
        Invoker = new HttpMessageInvoker(_handler, disposeHandler: false);
    }

    public SemaphoreSlim Turns { get; }

    public HttpMessageInvoker Invoker { get; }

    /// <summary>Calls under way. Under the lock of <see cref="OutgoingCalls"/>, as is <see cref="Used"/>.</summary>
    public int Calls { get; set; }

    public long Used { get; set; }

    public void Dispose()
    {
        Invoker.Dispose();
        _handler.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken ct)
    {
        var (host, port) = (context.DnsEndPoint.Host, context.DnsEndPoint.Port);
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await ResolveAsync(host, ct);
        var addresses = _rules.Check(host, port, found);
        SocketException? last = null;
        for (var i = 0; i < addresses.Count && i < Attempts; i++)
        {
            var socket = new Socket(addresses[i].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await ConnectAsync(socket, new IPEndPoint(addresses[i], port), i + 1 == Math.Min(addresses.Count, Attempts), ct);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch (SocketException e)
            {
                socket.Dispose();
                last = e;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }

        throw new CallRefused(CallFaults.Connect, $"{host} does not take connections at port {port}: {Words(last!.SocketErrorCode)}.");
    }

    // An address that swallows what is sent to it leaves time for the next.
    private async Task ConnectAsync(Socket socket, IPEndPoint place, bool last, CancellationToken ct)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        if (!last)
        {
            patience.CancelAfter(_options.CallTime / 4);
        }

        try
        {
            await socket.ConnectAsync(place, patience.Token);
        }
        catch (OperationCanceledException) when (!ct.IsCancellationRequested)
        {
            throw new SocketException((int)SocketError.TimedOut);
        }
    }

    private async Task<IPAddress[]> ResolveAsync(string host, CancellationToken ct)
    {
        await _lookups.WaitAsync(ct);
        var lookup = LookUpAsync(host);
        return await lookup.WaitAsync(ct);
    }

    private async Task<IPAddress[]> LookUpAsync(string host)
    {
        try
        {
            var addresses = await _resolve(host);
            return addresses.Length > 0 ? addresses : throw new CallRefused(CallFaults.Dns, $"The name {host} has no address.");
        }
        catch (SocketException e)
        {
            throw new CallRefused(CallFaults.Dns, e.SocketErrorCode is SocketError.HostNotFound or SocketError.NoData
                ? $"The name {host} is not known."
                : $"The name {host} can not be looked up: {Words(e.SocketErrorCode)}.");
        }
        finally
        {
            _lookups.Release();
        }
    }

    private static string Words(SocketError error) => error switch
    {
        SocketError.ConnectionRefused => "it refused",
        SocketError.TimedOut => "it does not answer",
        SocketError.HostUnreachable or SocketError.NetworkUnreachable or SocketError.NetworkDown or SocketError.HostDown => "no way leads there",
        SocketError.TryAgain => "nobody who knows it answers",
        SocketError.ConnectionReset or SocketError.ConnectionAborted => "it hung up",
        _ => error.ToString(),
    };
}
