using System.Net;
using System.Text;
using Eddy.Egress;
using Eddy.Tenants;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Egress;

/// <summary>One tenant's way out with settings of a test, and one run of it.</summary>
internal sealed class TestCalls : IAsyncDisposable
{
    public TestCalls(EgressOptions options, Func<string, Task<IPAddress[]>>? resolve = null) =>
        Out = new OutgoingCalls(options, null, TimeProvider.System, NullLogger<OutgoingCalls>.Instance, resolve);

    public OutgoingCalls Out { get; }

    public TenantId Tenant { get; } = TenantId.New();

    public CallTrail Trail { get; set; } = new();

    public static TestCalls To(params RawServer[] servers) => new(new EgressOptions { Allow = [.. servers.Select(server => server.Place)] });

    public static Func<string, Task<IPAddress[]>> Names(params (string Name, string Address)[] names) =>
        name => Task.FromResult(names.Where(one => one.Name == name).Select(one => IPAddress.Parse(one.Address)).ToArray());

    public Task<CallAnswer> GetAsync(string url, params (string Name, string Value)[] headers) => CallAsync("GET", url, "", headers);

    public Task<CallAnswer> CallAsync(string method, string url, string body, params (string Name, string Value)[] headers) =>
        Out.CallAsync(Tenant, Request(method, url, body, headers), Trail, TestContext.Current.CancellationToken);

    public static CallRequest Request(string method, string url, string body, params (string Name, string Value)[] headers) =>
        new(method, url, [.. headers.Select(header => KeyValuePair.Create(header.Name, header.Value))], Encoding.Latin1.GetBytes(body));

    public ValueTask DisposeAsync() => Out.DisposeAsync();
}

internal static class CallAnswerExtensions
{
    public static string Text(this CallAnswer answer)
    {
        answer.Fault.ShouldBeNull();
        return Encoding.Latin1.GetString(answer.Body.Span);
    }

    public static string? Header(this CallAnswer answer, string name) => answer.Headers.FirstOrDefault(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value;
}
