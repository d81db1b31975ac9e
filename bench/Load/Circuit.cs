using System.Buffers;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.SignalR.Protocol;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Bench.Load;

/// <summary>
/// A screen without a browser: a Blazor circuit by its wire protocol (<c>blazorpack</c>, which is SignalR's MessagePack protocol under another name). It takes what is
/// drawn, says that it was, and answers calls of scripts with nothing, as a browser does that has nothing to add.
/// </summary>
internal sealed partial class Circuit : IAsyncDisposable
{
    private readonly HubConnection _hub;
    private readonly Action<ReadOnlyMemory<byte>> _drawn;
    private readonly TaskCompletionSource _first = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private Circuit(Uri page, string cookies, Action<ReadOnlyMemory<byte>> drawn)
    {
        _drawn = drawn;
        var builder = new HubConnectionBuilder().WithUrl(new Uri(page, "/_blazor"), HttpTransportType.WebSockets, options =>
        {
            options.SkipNegotiation = true;
            options.Headers["Cookie"] = cookies;
            options.Headers["Origin"] = page.GetLeftPart(UriPartial.Authority);
        });
        builder.Services.AddSingleton<IHubProtocol, BlazorPack>();
        _hub = builder.Build();
        _hub.On<int, byte[]>("JS.RenderBatch", DrawAsync);
        _hub.On<long, string, string, int, long, int>("JS.BeginInvokeJS", CallAsync);
        _hub.On<string>("JS.Error", fault => _first.TrySetException(new BenchFault($"The circuit ended: {fault}")));
    }

    /// <summary>Opens a page; returns once something is drawn.</summary>
    /// <param name="drawn">Called with each batch of what is drawn, one at a time.</param>
    public static async Task<Circuit> OpenAsync(Uri page, string cookies, Action<ReadOnlyMemory<byte>> drawn, CancellationToken cancel)
    {
        using var web = new HttpClient(new SocketsHttpHandler { UseCookies = false });
        using var ask = new HttpRequestMessage(HttpMethod.Get, page);
        ask.Headers.Add("Cookie", cookies);
        using var answer = await web.SendAsync(ask, cancel);
        var html = await answer.Content.ReadAsStringAsync(cancel);
        var markers = Marker().Matches(html).Select(found => JsonNode.Parse(found.Groups[1].Value)!).ToList();
        if (markers.Count == 0)
        {
            throw new BenchFault($"{page} has nothing interactive ({(int)answer.StatusCode}).");
        }

        var circuit = new Circuit(page, cookies, drawn);
        await circuit._hub.StartAsync(cancel);
        if (await circuit._hub.InvokeAsync<string?>("StartCircuit", page.GetLeftPart(UriPartial.Authority) + "/", page.ToString(), "[]", "", cancel) is null)
        {
            throw new BenchFault("The circuit did not start.");
        }

        var operations = new JsonArray([.. markers.Select((marker, at) => (JsonNode)new JsonObject { ["type"] = "add", ["ssrComponentId"] = at + 1, ["marker"] = marker })]);
        await circuit._hub.SendAsync("UpdateRootComponents", new JsonObject { ["batchId"] = 1, ["operations"] = operations }.ToJsonString(), "", cancel);
        await circuit._first.Task.WaitAsync(TimeSpan.FromSeconds(30), cancel);
        return circuit;
    }

    public ValueTask DisposeAsync() => _hub.DisposeAsync();

    private async Task DrawAsync(int batch, byte[] what)
    {
        _drawn(what);
        await _hub.SendAsync("OnRenderCompleted", (long)batch, null);
        _first.TrySetResult();
    }

    private Task CallAsync(long call, string identifier, string arguments, int resultType, long target, int kind)
    {
        // 1 is a reference to an object of the script.
        var result = resultType == 1 ? """{"__jsObjectId":1}""" : "null";
        return call == 0 ? Task.CompletedTask : _hub.SendAsync("EndInvokeJSFromDotNet", call, true, string.Create(CultureInfo.InvariantCulture, $"[{call},true,{result}]"));
    }

    [GeneratedRegex("<!--Blazor:(\\{\"type\":\"server\".*?\\})-->")]
    private static partial Regex Marker();

    /// <summary>SignalR's MessagePack protocol by the name that a circuit's hub asks for.</summary>
    private sealed class BlazorPack : IHubProtocol
    {
        private readonly MessagePackHubProtocol _pack = new();

        public string Name => "blazorpack";

        public int Version => 1;

        public TransferFormat TransferFormat => TransferFormat.Binary;

        public bool IsVersionSupported(int version) => version == Version;

        public ReadOnlyMemory<byte> GetMessageBytes(HubMessage message) => _pack.GetMessageBytes(message);

        public bool TryParseMessage(ref ReadOnlySequence<byte> input, IInvocationBinder binder, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out HubMessage? message) =>
            _pack.TryParseMessage(ref input, binder, out message);

        public void WriteMessage(HubMessage message, IBufferWriter<byte> output) => _pack.WriteMessage(message, output);
    }
}
