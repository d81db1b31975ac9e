using System.Net;
using System.Security.Authentication;
using Eddy.Secrets;
using Eddy.Tenants;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Eddy.Egress;

/// <summary>
/// Makes tenants' HTTP calls under the rules of <see cref="EgressOptions"/>: nothing in a cell holds a socket. Redirects are not followed
/// here; each hop is a call of its own and is checked anew. One for a process.
/// </summary>
public sealed class OutgoingCalls : IAsyncDisposable
{
    private readonly EgressOptions _options;
    private readonly SecretKeeper? _secrets;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly EgressRules _rules;
    private readonly ServerTrust _trust;
    private readonly Func<string, Task<IPAddress[]>> _resolve;
    private readonly SemaphoreSlim _turns;
    private readonly Lock _lock = new();
    private readonly Dictionary<TenantId, TenantRoad> _roads = [];
    private readonly ITimer _trimming;

    /// <param name="secrets">Opens the tenants' secrets; null where there are none.</param>
    /// <param name="resolve">Gives the addresses of a name; null asks the machine's resolver.</param>
    public OutgoingCalls(EgressOptions options, SecretKeeper? secrets, TimeProvider time, ILogger<OutgoingCalls> log, Func<string, Task<IPAddress[]>>? resolve = null)
    {
        options.ThrowIfFaulty();
        (_options, _secrets, _time, _log) = (options, secrets, time, log);
        _rules = new EgressRules(options, time);
        _trust = new ServerTrust(options.TrustedRoots);
        _resolve = resolve ?? Dns.GetHostAddressesAsync;
        _turns = new SemaphoreSlim(options.ProcessCalls);
        _trimming = time.CreateTimer(_ => Trim(), null, options.Idle, options.Idle / 2);
    }

    /// <summary>Tenants that have connections now.</summary>
    public int Roads
    {
        get
        {
            lock (_lock)
            {
                return _roads.Count;
            }
        }
    }

    /// <summary>
    /// Makes one call of a run and adds it to the run's trail. What goes wrong, by whomever, is the answer's <see cref="CallAnswer.Fault"/>.
    /// </summary>
    /// <exception cref="NpgsqlException">The database is away, and no call was made.</exception>
    /// <exception cref="OperationCanceledException">The caller gave up; whether the server has done its part is not known.</exception>
    public async Task<CallAnswer> CallAsync(TenantId tenant, CallRequest request, CallTrail trail, CancellationToken ct)
    {
        var call = new Call(request, _time.GetTimestamp());
        if (!trail.Begin(_options.Calls))
        {
            // Not recorded: there is no end to what a run may ask.
            return CallAnswer.Of(new CallFault(CallFaults.Refused, $"A run may make {_options.Calls} calls, and this was one more."));
        }

        CallAnswer answer;
        try
        {
            answer = await MakeAsync(tenant, call, trail, ct);
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            Record(call, trail, null, CallFaults.Stopped);
            throw;
        }
        catch (NpgsqlException)
        {
            // The tenant's secrets can not be asked for just now. That is nobody's call that failed: whoever runs the rule runs it again.
            Record(call, trail, null, CallFaults.Stopped);
            throw;
        }
        catch (Exception e)
        {
            answer = CallAnswer.Of(FaultOf(e, call));
        }

        Record(call, trail, answer.Fault is null ? answer.Status : null, answer.Fault?.Kind, KeptAnswer.Of(request, answer));
        return answer;
    }

    public async ValueTask DisposeAsync()
    {
        await _trimming.DisposeAsync();
        lock (_lock)
        {
            foreach (var road in _roads.Values)
            {
                road.Dispose();
            }

            _roads.Clear();
        }
    }

    private async Task<CallAnswer> MakeAsync(TenantId tenant, Call call, CallTrail trail, CancellationToken ct)
    {
        var request = call.Request;
        var target = call.Target = CallTarget.Read(request.Url);
        CheckMethod(request.Method);
        _rules.CheckName(target);
        var url = target.ToUri();
        var hop = trail.Follow(request.Method, url);
        if (hop?.Depth > _options.Redirects)
        {
            throw new CallRefused(CallFaults.Refused, $"{target.Host} is not called: {_options.Redirects} redirects led there, and at most so many are followed.");
        }

        var headers = CallHeaders.ForRequest(request, target, hop is not null && hop.From != CallTrail.Origin(url), _options.HeaderBytes);
        var body = request.Body;
        if (await SecretsOfAsync(tenant, call, trail, ct) is { } secrets)
        {
            (url, headers, body) = (secrets.FillTarget().ToUri(), secrets.Fill(headers), secrets.Fill(body, headers));
            await UseAsync(tenant, call, trail, secrets.Set, ct);
            headers.RemoveAll(header => header.Key.Equals("Accept-Encoding", StringComparison.OrdinalIgnoreCase));
            headers.Add(new("Accept-Encoding", "identity"));
        }

        if (!trail.Send(body.Length, _options.BodyBytes))
        {
            throw new CallRefused(CallFaults.TooLarge, $"The bodies that a run sends may have {_options.BodyBytes} bytes together.");
        }

        using var message = MessageOf(request.Method, url, headers, body);
        using var deadline = new CancellationTokenSource(PatienceOf(request), _time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(ct, deadline.Token);
        var road = Enter(tenant);
        try
        {
            await road.Turns.WaitAsync(both.Token);
            try
            {
                await _turns.WaitAsync(both.Token);
                try
                {
                    call.BytesOut = body.Length;
                    var answer = await SendAsync(road, message, call, trail, both.Token);
                    if (trail.Sets is { Count: > 0 } sets)
                    {
                        answer = new AnswerRedaction(sets, _options.BodyBytes).Redact(answer, target.Host);
                    }

                    trail.Answered(target.ToUri(), hop, answer.Status, answer.Headers);
                    return answer;
                }
                finally
                {
                    _turns.Release();
                }
            }
            finally
            {
                road.Turns.Release();
            }
        }
        finally
        {
            Leave(road);
        }
    }

    /// <summary>
    /// The tenant's secrets where it has any, whether the call names one or not: a host may give back what another run brought to it.
    /// </summary>
    private async Task<CallSecrets?> SecretsOfAsync(TenantId tenant, Call call, CallTrail trail, CancellationToken ct)
    {
        if (_secrets is null)
        {
            return null;
        }

        try
        {
            var set = await _secrets.OfAsync(tenant, ct);
            return set.Placeholders.Count == 0 && trail.Sets.Count == 0 ? null : new CallSecrets(set, call.Target!, call.Secrets);
        }
        catch (SecretsUnavailable) when (!CallSecrets.AreNamedIn(call.Request) && trail.Secrets.Count == 0)
        {
            // Nothing is put in, and what can not be opened can not be looked for.
            return null;
        }
    }

    private async Task UseAsync(TenantId tenant, Call call, CallTrail trail, SecretSet set, CancellationToken ct)
    {
        if (call.Secrets.Count > 0)
        {
            if (!call.Target!.IsSecure && !_rules.IsNamedByOperator(call.Target))
            {
                var name = call.Secrets.Min;
                call.Secrets.Clear();
                throw new CallRefused(CallFaults.Refused, $"The secret '{name}' goes out only over https, not to {call.Target.Scheme}://{call.Target.Authority}.");
            }

            await _secrets!.NoteUseAsync(tenant, call.Secrets, ct);
        }

        trail.Use(set, call.Secrets);
    }

    private async Task<CallAnswer> SendAsync(TenantRoad road, HttpRequestMessage message, Call call, CallTrail trail, CancellationToken ct)
    {
        using var response = await road.Invoker.SendAsync(message, ct);
        if (response.StatusCode < HttpStatusCode.OK)
        {
            throw new CallRefused(CallFaults.Protocol, $"{call.Target!.Host} answered with status {(int)response.StatusCode}, which nobody asked for.");
        }

        var headers = CallHeaders.OfAnswer(response);
        if (response.Content.Headers.ContentLength > _options.BodyBytes && message.Method != HttpMethod.Head)
        {
            throw TooLong();
        }

        await using var stream = await response.Content.ReadAsStreamAsync(ct);
        var body = new MemoryStream();
        var buffer = new byte[16 << 10];
        for (int count; (count = await stream.ReadAsync(buffer, ct)) > 0;)
        {
            call.BytesIn += count;
            if (!trail.Receive(count, _options.BodyBytes))
            {
                throw TooLong();
            }

            body.Write(buffer, 0, count);
        }

        return new CallAnswer((int)response.StatusCode, response.ReasonPhrase ?? "", headers, body.GetBuffer().AsMemory(0, (int)body.Length), null);
    }

    private CallRefused TooLong() => new(CallFaults.TooLarge, $"The bodies that a run receives may have {_options.BodyBytes} bytes together, and this answer goes beyond.");

    private TimeSpan PatienceOf(CallRequest request) =>
        request.Patience is { } patience && patience > TimeSpan.Zero && patience < _options.CallTime ? patience : _options.CallTime;

    private static void CheckMethod(string method)
    {
        if (!CallHeaders.IsToken(method) || method.Length > 32)
        {
            throw new CallRefused(CallFaults.Refused, "The method is none: it takes a word like GET or POST.");
        }

        if (method.Equals("CONNECT", StringComparison.OrdinalIgnoreCase) || method.Equals("TRACE", StringComparison.OrdinalIgnoreCase))
        {
            throw new CallRefused(CallFaults.Refused, $"The method {method.ToUpperInvariant()} does not go out.");
        }
    }

    private static HttpRequestMessage MessageOf(string method, Uri url, List<KeyValuePair<string, string>> headers, ReadOnlyMemory<byte> body)
    {
        var message = new HttpRequestMessage(new HttpMethod(method), url) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };

        // What has begun to send a body is never sent a second time on another connection; only what changes nothing goes without one.
        if (body.Length > 0 || method is not ("GET" or "HEAD" or "OPTIONS"))
        {
            message.Content = new ReadOnlyMemoryContent(body);
        }

        foreach (var (name, value) in headers)
        {
            if (!message.Headers.TryAddWithoutValidation(name, value))
            {
                (message.Content ??= new ReadOnlyMemoryContent(ReadOnlyMemory<byte>.Empty)).Headers.TryAddWithoutValidation(name, value);
            }
        }

        return message;
    }

    private CallFault FaultOf(Exception fault, Call call)
    {
        var host = call.Target?.Host ?? "The host";
        for (var e = fault; e is not null; e = e.InnerException)
        {
            switch (e)
            {
                case CallRefused refused:
                    return refused.Fault;
                case SecretRefused refused:
                    return new CallFault(CallFaults.Refused, refused.Message);
                case SecretsUnavailable:
                    _log.LogError("Secrets can not be opened for a call: {Reason}", e.Message);
                    return new CallFault(CallFaults.Refused, "The secrets can not be opened here; whoever operates this installation finds the reason in its log.");
                case AuthenticationException:
                    return new CallFault(CallFaults.Tls, $"{host} does not prove that it is {host}: {Words(e.Message)}");
            }
        }

        switch (fault)
        {
            case OperationCanceledException:
                return new CallFault(CallFaults.Timeout, $"{host} was not done in {PatienceOf(call.Request).TotalSeconds:0.###} seconds.");
            case HttpRequestException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                return new CallFault(CallFaults.TooLarge, $"The headers of the answer of {host} are longer than {_options.HeaderBytes} bytes.");
            case HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError }:
                return new CallFault(CallFaults.Tls, $"There is no secure connection to {host} to be had.");
            case HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError }:
                return new CallFault(CallFaults.Connect, $"There is no connection to {host} to be had.");
            case HttpIOException { HttpRequestError: HttpRequestError.ConfigurationLimitExceeded }:
                return new CallFault(CallFaults.TooLarge, $"The headers of the answer of {host} are longer than {_options.HeaderBytes} bytes.");
            case HttpRequestException or IOException:
                return new CallFault(CallFaults.Protocol, $"{host} did not answer as HTTP wants it, or hung up early.");
            default:
                // Its message may have in it what the tenant sent.
                _log.LogError("An outgoing call failed for a reason that is ours: {Kind}{Place}", fault.GetType().Name, Environment.NewLine + fault.StackTrace);
                return new CallFault(CallFaults.Protocol, $"The call to {host} could not be made.");
        }
    }

    // The sentence of the framework, which has nothing of the certificate in it.
    private static string Words(string message) => message.Length > 300 ? message[..300] : message;

    private void Record(Call call, CallTrail trail, int? status, string? fault, KeptAnswer? kept = null)
    {
        var record = new CallRecord(
            Cut(call.Request.Method, 32), Cut(call.Target?.Host ?? "", 253), Cut(call.Target?.Path ?? "", 500), status, call.BytesOut, call.BytesIn,
            _time.GetElapsedTime(call.Started).TotalMilliseconds, fault, [.. call.Secrets]);
        trail.Record(record with { Answer = kept });
        EgressMeters.Count(record);
    }

    private static string Cut(string text, int most) => text.Length > most ? text[..most] : text;

    private TenantRoad Enter(TenantId tenant)
    {
        lock (_lock)
        {
            if (!_roads.TryGetValue(tenant, out var road))
            {
                _roads[tenant] = road = new TenantRoad(_options, _rules, _trust, _resolve);
            }

            road.Calls++;
            return road;
        }
    }

    private void Leave(TenantRoad road)
    {
        lock (_lock)
        {
            road.Calls--;
            road.Used = _time.GetTimestamp();
        }
    }

    private void Trim()
    {
        lock (_lock)
        {
            foreach (var (tenant, road) in _roads)
            {
                if (road.Calls == 0 && _time.GetElapsedTime(road.Used) >= _options.Idle)
                {
                    _roads.Remove(tenant);
                    road.Dispose();
                }
            }
        }
    }

    /// <summary>What is known of a call while it is made.</summary>
    private sealed class Call(CallRequest request, long started)
    {
        public CallRequest Request => request;

        public long Started => started;

        public CallTarget? Target { get; set; }

        public long BytesOut { get; set; }

        public long BytesIn { get; set; }

        public SortedSet<string> Secrets { get; } = new(StringComparer.Ordinal);
    }
}
