using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Eddy.Tests;

/// <summary>
/// A web site on loopback that rules call. <c>/echo?…</c> answers at once with what it was asked; <c>/hold?…</c> only once it is let go.
/// </summary>
public sealed class TestSite : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly SemaphoreSlim _gate = new(0);
    private int _waiting;
    private int _most;

    private TestSite(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    /// <summary>The setting of a worker that lets rules call it.</summary>
    public string Allowed => $"Egress:Allow:0={new Uri(Address).Authority}";

    /// <summary>The settings of a worker whose rules may call it, and may be held up by it for as long as a test likes.</summary>
    public string[] Held => [Allowed, "Egress:CallTime=00:05:00", "Sandbox:WallTime=00:10:00"];

    /// <summary>The queries that it was called with.</summary>
    public ConcurrentQueue<string> Calls { get; } = new();

    /// <summary>Callers that wait at <c>/hold</c> now.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>The most that ever waited at once.</summary>
    public int MostWaiting => Volatile.Read(ref _most);

    public static async Task<TestSite> StartAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Logging.ClearProviders();
        var app = builder.Build();
        app.Urls.Add("http://127.0.0.1:0");
        var site = new TestSite(app);
        app.Map("/echo", site.Echo);
        app.Map("/hold", async (HttpContext context) =>
        {
            var now = Interlocked.Increment(ref site._waiting);
            for (int most; (most = Volatile.Read(ref site._most)) < now && Interlocked.CompareExchange(ref site._most, now, most) != most;)
            {
            }

            try
            {
                await site._gate.WaitAsync(context.RequestAborted);
            }
            finally
            {
                Interlocked.Decrement(ref site._waiting);
            }

            return site.Echo(context);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return site;
    }

    /// <summary>Lets callers go, those who come later too.</summary>
    public void LetGo(int callers = 1) => _gate.Release(callers);

    public async ValueTask DisposeAsync()
    {
        _gate.Release(10_000);
        await _app.DisposeAsync();
        _gate.Dispose();
    }

    private IResult Echo(HttpContext context)
    {
        Calls.Enqueue(context.Request.QueryString.Value ?? "");
        return Results.Json(new { method = context.Request.Method, query = context.Request.QueryString.Value, call = Calls.Count });
    }
}
