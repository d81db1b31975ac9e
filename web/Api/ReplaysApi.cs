using System.Text.Json;
using Eddy.Hindsight;
using Eddy.Ingest;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Replays over HTTP.</summary>
public static class ReplaysApi
{
    private const int MostBytes = 16 << 10;
    private const string Form = """{"positions": [88214, 88219], "tell": false}""";

    public static void MapReplays(this IEndpointRouteBuilder api) =>
        api.MapPost("/replays", ReplayAsync).WithTags("Events").RequireScope(Scope.Write).RequirePerson(PersonKind.Anybody)
            .WithName("ReplayEvents").WithSummary("Replay events")
            .WithDescription(
                "The change sets that these events belong to come in once more, in the order of the log, for the rules as they are now. The new events have whoever asks as their actor, and a source as in 'replay:88214'. "
                + "Mails and cards of what they cause are withheld, and calls refused, unless 'tell' is true. All of them come in, or none. 'Idempotency-Key' makes a repeated request harmless.")
            .Accepts<object>("application/json").Produces<ReplayListAnswer>(StatusCodes.Status202Accepted).Refuses(400, 401, 403, 404, 413, 415, 422, 429, 503)
            .WithExample(Form, """{"replays":[{"of":88214,"pid":15,"arrival":"01a20941-f9f0-8989-ad4f-5e4983f1f43b"},{"of":88219,"pid":15,"arrival":"01a20941-f9f0-8989-ad4f-5e4983f1f43c"}]}""");

    private static async Task<IResult> ReplayAsync(HttpContext context, ReplayDesk desk, CancellationToken cancel)
    {
        if (!context.Request.HasJsonContentType())
        {
            return new Problem(ProblemType.UnsupportedType, $"Send JSON with Content-Type: application/json, as in {Form}.");
        }

        if (IngestApi.KeyFault(context.Request, out var key) is { } fault)
        {
            return fault;
        }

        if (await RequestBody.ReadAsync(context.Request, MostBytes, cancel) is not { } body)
        {
            return new Problem(ProblemType.BodyTooLarge, $"The body has more than {MostBytes} bytes.");
        }

        if (Read(body, out var positions, out var tells) is { } wrong)
        {
            return wrong;
        }

        var holder = context.Holder();
        var (replays, refusal) = await desk.ReplayAsync(holder.Tenant, context.Access(), holder.Actor, positions, tells, key, cancel);
        return refusal ?? Results.Json(new ReplayListAnswer([.. replays!.Select(one => new ReplayAnswer(one.Of, one.Pid, one.Arrival))]), statusCode: StatusCodes.Status202Accepted);
    }

    private static Problem? Read(byte[] json, out List<long> positions, out bool tells)
    {
        (positions, tells) = ([], false);
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { AllowDuplicateProperties = false, MaxDepth = 3 });
            if (document.RootElement is not { ValueKind: JsonValueKind.Object } root)
            {
                return Wrong();
            }

            foreach (var property in root.EnumerateObject())
            {
                if (property.NameEquals("positions") && property.Value.ValueKind == JsonValueKind.Array)
                {
                    foreach (var element in property.Value.EnumerateArray())
                    {
                        if (element.ValueKind != JsonValueKind.Number || !element.TryGetInt64(out var position) || position < 1)
                        {
                            return Wrong();
                        }

                        positions.Add(position);
                    }
                }
                else if (property.NameEquals("tell") && property.Value.ValueKind is JsonValueKind.True or JsonValueKind.False)
                {
                    tells = property.Value.GetBoolean();
                }
                else
                {
                    return Wrong();
                }
            }

            return null;
        }
        catch (JsonException fault)
        {
            return new Problem(ProblemType.InvalidJson, $"The body is not valid JSON with each name once: it takes {Form}. {fault.Message}");
        }
        catch (InvalidOperationException)
        {
            return Wrong();
        }

        static Problem Wrong() => new(ProblemType.InvalidRequest, $"The body takes the positions of events, and whether their runs may tell somebody something: {Form}.");
    }
}

/// <summary>What comes in once more.</summary>
public sealed record ReplayListAnswer(IReadOnlyList<ReplayAnswer> Replays);

/// <summary>A change set of one process that comes in once more.</summary>
/// <param name="Of">The position of its first event there; the new events have it in their source.</param>
/// <param name="Arrival">The new arrival's id; its runs name it.</param>
public sealed record ReplayAnswer(long Of, long Pid, Guid Arrival);
