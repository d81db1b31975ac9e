using System.Net.WebSockets;
using System.Text;

namespace Eddy.Tests.Pages;

/// <summary>The line of an open page, spoken by hand; all that comes is gathered.</summary>
internal sealed class TestLine : IAsyncDisposable
{
    private readonly ClientWebSocket _line = new();
    private readonly StringBuilder _heard = new();
    private int _calls;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public string Heard
    {
        get
        {
            lock (_heard)
            {
                return _heard.ToString();
            }
        }
    }

    /// <summary>The other side has hung up.</summary>
    public Task Ended { get; private set; } = Task.CompletedTask;

    public static string OriginOf(TestWeb web, TestTenant tenant) => $"http://{tenant.Slug}.localhost:{web.Address.Port}";

    /// <summary>Calls, and begins to talk.</summary>
    /// <param name="origin">Where the page comes from that calls; null where it does not say.</param>
    /// <param name="cookies">Of the tenant's host.</param>
    public static async Task<TestLine> OpenAsync(TestWeb web, TestTenant tenant, string? origin, IReadOnlyDictionary<string, string>? cookies = null)
    {
        var line = new TestLine();
        line._line.Options.SetRequestHeader("Host", $"{tenant.Slug}.localhost:{web.Address.Port}");
        if (origin is not null)
        {
            line._line.Options.SetRequestHeader("Origin", origin);
        }

        if (cookies is not null)
        {
            line._line.Options.SetRequestHeader("Cookie", string.Join("; ", cookies.Select(cookie => $"{cookie.Key}={cookie.Value}")));
        }

        await line._line.ConnectAsync(new UriBuilder(web.Address) { Scheme = "ws", Path = "/_eddy/live" }.Uri, Cancel);
        line.Ended = line.ListenAsync();
        await line.SayAsync("""{"protocol":"json","version":1}""");
        return line;
    }

    /// <summary>A page of the tenant's own, which nobody is signed in to.</summary>
    public static Task<TestLine> OpenAsync(TestWeb web, TestTenant tenant) => OpenAsync(web, tenant, OriginOf(web, tenant));

    /// <summary>What was said until the call had its result, or the line ended.</summary>
    public async Task<string> CallAsync(string method, string arguments)
    {
        var call = ++_calls;
        var from = Heard.Length;
        await SayAsync($$"""{"type":1,"invocationId":"{{call}}","target":"{{method}}","arguments":[{{arguments}}]}""");
        await Patience.UntilAsync($"{method} is answered", () => Heard[from..].Contains($"\"invocationId\":\"{call}\"", StringComparison.Ordinal) || Ended.IsCompleted);
        return Heard[from..];
    }

    public Task HearsAsync(string text) => Patience.UntilAsync($"{text} is heard", () => Heard.Contains(text, StringComparison.Ordinal));

    public async Task SayAsync(string message)
    {
        try
        {
            await _line.SendAsync(Encoding.UTF8.GetBytes(message + "\u001e"), WebSocketMessageType.Text, true, Cancel);
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or InvalidOperationException)
        {
            // It was cut off; whoever waits sees that.
        }
    }

    public async ValueTask DisposeAsync()
    {
        _line.Abort();
        await Ended;
        _line.Dispose();
    }

    private async Task ListenAsync()
    {
        var buffer = new byte[16384];
        try
        {
            while (await _line.ReceiveAsync(buffer, Cancel) is { MessageType: not WebSocketMessageType.Close } got)
            {
                lock (_heard)
                {
                    _heard.Append(Encoding.UTF8.GetString(buffer, 0, got.Count));
                }
            }
        }
        catch (Exception gone) when (gone is WebSocketException or IOException or OperationCanceledException or InvalidOperationException)
        {
            // It was cut off.
        }
    }
}
