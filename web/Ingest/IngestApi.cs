using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Eddy.Access;
using Eddy.Api;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Runs;
using Eddy.Tenants;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Primitives;
using Npgsql;

namespace Eddy.Ingest;

/// <summary>
/// The HTTP door: <c>POST /in</c> and <c>POST /in/{key}</c>. The content type says how the body is read (<c>docs/bodies.md</c>). 202 after the
/// commit, or with <c>Prefer: wait=5</c> (RFC 7240) 200 with what came of it, once that is settled.
/// </summary>
public static class IngestApi
{
    private const string Source = "post";
    private const int LongestKey = 255;

    /// <summary>Of a longer list only the arrivals are answered, whether they are settled or not.</summary>
    private const int MostRead = 100;

    public static void MapIngest(this IEndpointRouteBuilder app)
    {
        app.MapPost("/in", (Delegate)PostAsync).RequireScope(Scope.Ingest).RequirePerson(PersonKind.Anybody).Describe("SendEvents", "Send events in", "with the key as a bearer.");
        app.MapPost("/in/{key}", (Delegate)PostAsync).RequireScope(Scope.Ingest).RequirePerson(PersonKind.Anybody).TakeKeyFromAddress()
            .Describe("SendEventsByAddress", "Send events in, with the key in the address", "for senders that can not set headers.");
    }

    private static void Describe(this RouteHandlerBuilder endpoint, string name, string summary, string how) =>
        endpoint.WithTags("Events in").WithName(name).WithSummary(summary)
            .WithDescription(
                "A JSON object, a form or 'key := value' text is one process's KVPs, all or nothing; a JSON array, NDJSON or CSV with a header is one process per element, in one commit; "
                + "anything else becomes the KVPs 'payload' and 'content_type', as does everything with ?as=payload. ?pid= adds to that process. "
                + "'Prefer: wait=5' waits up to 5 seconds for all that it causes; 'Idempotency-Key' makes a repeated request harmless. " + char.ToUpperInvariant(how[0]) + how[1..])
            .Accepts<object>("application/json", "application/x-ndjson", "text/csv", "text/plain", "application/x-www-form-urlencoded", ApiDescription.AnyType)
            .Produces<ArrivalAnswer>(StatusCodes.Status202Accepted).Produces<SettledAnswer>()
            .Refuses(400, 401, 403, 404, 413, 415, 422, 429, 503)
            .WithExample("""{"temperature":95,"room":"attic"}""", """{"arrival":"01a20941-f9f0-7989-ad4f-5e4983f1f43b","pid":15}""");

    private static async Task PostAsync(HttpContext context)
    {
        var refusal = await HandleAsync(context);
        if (refusal is not null)
        {
            context.RequestServices.GetRequiredService<DoorMeters>().Refused(refusal.StatusCode!.Value);
            await refusal.ExecuteAsync(context);
        }
    }

    /// <summary>Null where the answer is given.</summary>
    private static async Task<Problem?> HandleAsync(HttpContext context)
    {
        var (request, services) = (context.Request, context.RequestServices);
        var limits = services.GetRequiredService<DoorOptions>();
        if (Ask.Of(request, limits, out var ask) is { } fault)
        {
            return fault;
        }

        ParsedBody parsed;
        byte[]? fingerprint = null;
        ReadResult read;
        try
        {
            read = await ReadAsync(request.BodyReader, limits.BodyBytes, context.RequestAborted);
        }
        catch (BadHttpRequestException bad)
        {
            return bad.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge(limits) : new Problem(ProblemType.InvalidRequest, bad.Message);
        }

        if (read.Buffer.Length > limits.BodyBytes)
        {
            // What is left of the body is not read: the connection goes with it.
            request.BodyReader.AdvanceTo(read.Buffer.End);
            context.Response.Headers.Connection = "close";
            return TooLarge(limits);
        }

        var body = read.Buffer.IsSingleSegment ? read.Buffer.First : read.Buffer.ToArray();
        try
        {
            parsed = IngestBody.Parse(request.ContentType, body, ask.AsPayload, new IngestLimits { ValueBytes = limits.ValueBytes, KvpsPerProcess = limits.Kvps, Elements = limits.Elements });
            if (ask.IdempotencyKey is not null)
            {
                fingerprint = Fingerprint(request, body.Span);
            }
        }
        finally
        {
            request.BodyReader.AdvanceTo(read.Buffer.End);
        }

        if (parsed is BodyRefused refused)
        {
            return refused.ToProblem();
        }

        var sets = (BodySets)parsed;
        var holder = context.Holder();
        if (await context.Access().SetFaultAsync(holder.Tenant, ask.Pid, sets.Sets, sets.IsList, services.GetRequiredService<ProcessStore>(), context.RequestAborted) is { } denied)
        {
            return denied;
        }

        var trace = Trace(request);
        var arrivals = new NewArrival[sets.Sets.Count];
        for (var i = 0; i < arrivals.Length; i++)
        {
            arrivals[i] = new NewArrival(holder.Tenant, ask.Pid, sets.Sets[i], holder.Actor, Source, trace);
        }

        var answer = await services.GetRequiredService<Door>().AcceptAsync(
            arrivals,
            ask.IdempotencyKey is null ? null : new Idempotency(ask.IdempotencyKey, fingerprint!),
            ask.Wait is null ? WaitFor.Nothing : WaitFor.Settled,
            ask.Wait ?? TimeSpan.Zero,
            context.RequestAborted);
        if (answer is not DoorAnswer.Accepted accepted)
        {
            return ProblemOf(answer);
        }

        await AnswerAsync(context, holder.Tenant, accepted, sets.IsList, ask);
        return null;
    }

    private static async Task AnswerAsync(HttpContext context, TenantId tenant, DoorAnswer.Accepted accepted, bool isList, Ask ask)
    {
        if (ask.Wait is not null)
        {
            context.Response.Headers["Preference-Applied"] = ask.WaitText;
            if (accepted.Arrivals.Count <= MostRead && accepted.Arrivals.All(arrival => arrival.Settled)
                && await ReadSettledAsync(context, tenant, accepted) is { } answers)
            {
                var json = context.RequestServices.GetRequiredService<IOptions<JsonOptions>>().Value.SerializerOptions;
                await WriteAsync(context, isList ? JsonSerializer.SerializeToUtf8Bytes(answers, json) : JsonSerializer.SerializeToUtf8Bytes(answers[0], json));
                return;
            }
        }

        context.Response.StatusCode = StatusCodes.Status202Accepted;
        var text = new StringBuilder(96 * accepted.Arrivals.Count);
        text.Append(isList ? "[" : "");
        foreach (var arrival in accepted.Arrivals)
        {
            text.Append(text.Length > 1 ? "," : "").Append(CultureInfo.InvariantCulture, $$"""{"arrival":"{{arrival.Arrival}}","pid":{{arrival.Pid}}}""");
        }

        await WriteAsync(context, Encoding.ASCII.GetBytes(text.Append(isList ? "]" : "").ToString()));
    }

    /// <summary>In one piece, whose length is said before: chunks would be two writes.</summary>
    private static async Task WriteAsync(HttpContext context, byte[] json)
    {
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = json.Length;
        await context.Response.Body.WriteAsync(json, context.RequestAborted);
    }

    /// <summary>What came of them; null while the database does not answer, for they are accepted all the same: who is told of an error sends them again.</summary>
    private static async Task<List<SettledAnswer>?> ReadSettledAsync(HttpContext context, TenantId tenant, DoorAnswer.Accepted accepted)
    {
        var runs = context.RequestServices.GetRequiredService<RunStore>();
        var answers = new List<SettledAnswer>(accepted.Arrivals.Count);
        try
        {
            foreach (var arrival in accepted.Arrivals)
            {
                answers.Add(await SettledAsync(runs, tenant, arrival, context.Access(), context.RequestAborted));
            }
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
        {
            return null;
        }

        return answers;
    }

    private static async Task<SettledAnswer> SettledAsync(RunStore store, TenantId tenant, AcceptedArrival arrival, ActorAccess access, CancellationToken cancel)
    {
        if (arrival.Came is not { } came)
        {
            var (first, last) = arrival.Runs is { } range ? (range.First, range.Last) : await store.FindRangeAsync(tenant, arrival.Pid, arrival.Arrival, cancel);
            came = await store.ReadSettlementAsync(tenant, arrival.Pid, arrival.Arrival, first, last, cancel);
        }

        var process = ProcessAnswer.Of(new StoredProcess(arrival.Pid, came.Kind, null, came.Kvps), access);
        return new SettledAnswer(
            arrival.Arrival,
            arrival.Pid,
            process.Kvps,
            [.. came.Runs.SelectMany(run => RunAnswer.Of(run, access))])
        {
            LeftOut = process.LeftOut,
        };
    }

    internal static Problem ProblemOf(DoorAnswer answer) => answer switch
    {
        DoorAnswer.UnknownProcess unknown => new Problem(ProblemType.UnknownProcess, $"There is no process {unknown.Pid}."),
        DoorAnswer.TooMany tooMany => new Problem(ProblemType.TooManyRequests, "More of this tenant's events are waiting than may. Send them again a little later.", retryAfter: tooMany.RetryAfter),
        DoorAnswer.Mismatch => new Problem(ProblemType.IdempotencyMismatch, "The first request with this Idempotency-Key had another body, address or content type."),
        DoorAnswer.Refused refused => new Problem(ProblemType.Refused, refused.Reason),
        DoorAnswer.Unavailable unavailable => new Problem(ProblemType.Unavailable, unavailable.Why, retryAfter: TimeSpan.FromSeconds(1)),
        _ => throw new UnreachableException(),
    };

    private static async ValueTask<ReadResult> ReadAsync(PipeReader body, int most, CancellationToken cancel)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancel);
            if (read.IsCompleted || read.Buffer.Length > most)
            {
                return read;
            }

            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static Problem TooLarge(DoorOptions limits) => new(ProblemType.BodyTooLarge, $"The body has more than {limits.BodyBytes} bytes.");

    /// <summary>Why a request's Idempotency-Key is none, or null; the key is null where it has none.</summary>
    internal static Problem? KeyFault(HttpRequest request, out string? key)
    {
        key = null;
        if (request.Headers["Idempotency-Key"] is not { Count: > 0 } header)
        {
            return null;
        }

        if (header.Count > 1 || header[0] is not { Length: > 0 and <= LongestKey } text || !text.All(c => c is > ' ' and < (char)127))
        {
            return new Problem(ProblemType.InvalidRequest, $"'Idempotency-Key' takes 1 to {LongestKey} printable ASCII characters without spaces, once.");
        }

        key = text;
        return null;
    }

    /// <summary>Everything that says what a request asks for, the key aside.</summary>
    private static byte[] Fingerprint(HttpRequest request, ReadOnlySpan<byte> body)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.QueryString}\n{request.ContentType}\n"));
        hash.AppendData(body);
        return hash.GetHashAndReset();
    }

    private static string? Trace(HttpRequest request) =>
        Activity.Current is { Recorded: true, IdFormat: ActivityIdFormat.W3C, Id: { } id } ? id
        : request.Headers.TraceParent is { Count: 1 } header && ActivityContext.TryParse(header[0], null, out _) ? header[0]
        : null;

    /// <summary>What a request asks for beside its body.</summary>
    private readonly record struct Ask(long? Pid, bool AsPayload, string? IdempotencyKey, TimeSpan? Wait, string? WaitText)
    {
        public static Problem? Of(HttpRequest request, DoorOptions limits, out Ask ask)
        {
            ask = default;
            if (request.QueryString.HasValue)
            {
                if (request.Query.TryGetValue("pid", out var pid))
                {
                    if (pid.Count != 1 || !long.TryParse(pid[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < 1)
                    {
                        return new Problem(ProblemType.InvalidRequest, "'pid' takes the number of a process, once.");
                    }

                    ask = ask with { Pid = number };
                }

                if (request.Query.TryGetValue("as", out var kind))
                {
                    if (kind != "payload")
                    {
                        return new Problem(ProblemType.InvalidRequest, "'as' takes 'payload'.");
                    }

                    ask = ask with { AsPayload = true };
                }
            }

            // What is packed is neither unpacked here nor kept as if it were what its type says.
            if (request.Headers.ContentEncoding.Any(coding => !string.IsNullOrWhiteSpace(coding) && !coding.Trim().Equals("identity", StringComparison.OrdinalIgnoreCase)))
            {
                return new Problem(ProblemType.UnsupportedCoding, "'Content-Encoding' is not taken: send the body as it is.");
            }

            if (KeyFault(request, out var key) is { } fault)
            {
                return fault;
            }

            ask = ask with { IdempotencyKey = key };

            if (request.Headers["Prefer"] is { Count: > 0 } prefer && Waiting(prefer, limits) is var (wait, waitText))
            {
                ask = ask with { Wait = wait, WaitText = waitText };
            }

            return null;
        }

        /// <summary>The wait of a Prefer header; null where there is none, for what is not understood is left aside (RFC 7240).</summary>
        private static (TimeSpan Wait, string Text)? Waiting(StringValues prefer, DoorOptions limits)
        {
            foreach (var preference in prefer.SelectMany(header => header!.Split(',', StringSplitOptions.TrimEntries)))
            {
                var equals = preference.IndexOf('=', StringComparison.Ordinal);
                if (equals > 0 && preference.AsSpan(0, equals).Trim().Equals("wait", StringComparison.OrdinalIgnoreCase)
                    && int.TryParse(preference.AsSpan(equals + 1).Trim(' ').Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
                {
                    var wait = Math.Min(seconds, (int)limits.LongestWait.TotalSeconds);
                    return (TimeSpan.FromSeconds(wait), string.Create(CultureInfo.InvariantCulture, $"wait={wait}"));
                }
            }

            return null;
        }
    }
}

/// <summary>What was accepted.</summary>
/// <param name="Arrival">The arrival's id; its runs name it.</param>
/// <param name="Pid">The process that it sets.</param>
public sealed record ArrivalAnswer(Guid Arrival, long Pid);

/// <summary>What was accepted, and what came of it.</summary>
/// <param name="Kvps">The process's KVPs once all was settled.</param>
/// <param name="Runs">The runs that it caused, in their order.</param>
public sealed record SettledAnswer(Guid Arrival, long Pid, IReadOnlyDictionary<string, RawJson> Kvps, IReadOnlyList<RunAnswer> Runs)
{
    /// <summary>How many KVPs are not shown, because whoever sent it may not read them; not there where none is.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int LeftOut { get; init; }
}
