using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Eddy.Problems;

/// <summary>An answer that says why a request was refused: <c>application/problem+json</c> after RFC 9457.</summary>
/// <param name="type">The kind; it gives status and title.</param>
/// <param name="detail">One sentence about this very request, or null where the title says all.</param>
/// <param name="errors">The places that are wrong.</param>
/// <param name="retryAfter">When to try again, sent as <c>Retry-After</c> in whole seconds, rounded up.</param>
public sealed class Problem(ProblemType type, string? detail = null, IReadOnlyList<FieldError>? errors = null, TimeSpan? retryAfter = null)
    : IResult, IStatusCodeHttpResult, IContentTypeHttpResult
{
    public const string MediaType = "application/problem+json";

    // The answer is never HTML, and quotes and letters beyond ASCII are to be read by people.
    private static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public ProblemType Type => type;

    public string? Detail => detail;

    public IReadOnlyList<FieldError> Errors => errors ?? [];

    public int? StatusCode => type.Status;

    public string? ContentType => MediaType;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = type.Status;
        response.ContentType = MediaType;
        if (retryAfter is { } pause)
        {
            response.Headers.RetryAfter = Math.Ceiling(pause.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        await using var json = new Utf8JsonWriter(response.BodyWriter, WriterOptions);
        Write(json, Activity.Current?.TraceId.ToHexString() ?? httpContext.TraceIdentifier);
        await json.FlushAsync(httpContext.RequestAborted);
    }

    private void Write(Utf8JsonWriter json, string traceId)
    {
        json.WriteStartObject();
        json.WriteString("type", type.Address);
        json.WriteString("title", type.Title);
        json.WriteNumber("status", type.Status);
        if (detail is not null)
        {
            json.WriteString("detail", detail);
        }

        if (errors is { Count: > 0 })
        {
            json.WriteStartArray("errors");
            foreach (var error in errors)
            {
                JsonSerializer.Serialize(json, error, JsonSerializerOptions.Web);
            }

            json.WriteEndArray();
        }

        json.WriteString("traceId", traceId);
        json.WriteEndObject();
    }
}
