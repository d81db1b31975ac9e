using System.Globalization;
using System.Text;
using System.Text.Json;
using Eddy.Api;
using Eddy.Apps;
using Eddy.Identity;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Processes;
using Eddy.Runs;

namespace Eddy.Ide.Exports;

/// <summary>
/// Files for people who are signed in: processes, one process, the shared KVPs, as CSV or JSON. Written as they are read, a page at a time; of each what the person may read. To
/// who does not belong to the tenant there is nothing.
/// </summary>
internal static class ExportApi
{
    private const int Page = 100;

    public static void MapExports(this IEndpointRouteBuilder app)
    {
        var exports = app.MapGroup("/t/{slug}/export").ExcludeFromDescription();
        exports.MapGet("/app.zip", async (HttpContext context, string slug, Seats seats, AppDesk desk, CancellationToken cancel) =>
            await seats.FindAsync(context.User, slug, cancel) is { } seat ? Results.File(await desk.ExportAsync(seat.Tenant, cancel), "application/zip", $"{slug}.zip") : (IResult)new Problem(ProblemType.NotFound));
        exports.MapGet("/processes.{form}", ListAsync);
        exports.MapGet("/processes/{pid:long:min(1)}.{form}", (HttpContext context, string slug, long pid, string form, Seats seats, ProcessStore processes, ProcessStoryStore stories, CancellationToken cancel) =>
            OneAsync(context, slug, pid, form, seats, processes, stories, cancel));
        exports.MapGet("/shared.{form}", (HttpContext context, string slug, string form, Seats seats, ProcessStore processes, ProcessStoryStore stories, CancellationToken cancel) =>
            OneAsync(context, slug, 0, form, seats, processes, stories, cancel));
    }

    private static async Task<IResult> ListAsync(
        HttpContext context, string slug, string form, Seats seats, ProcessStore processes, CancellationToken cancel,
        string? kind = null, long? parent = null, string? key = null, string? value = null, DateTimeOffset? since = null, DateTimeOffset? until = null, string[]? column = null)
    {
        if (await seats.FindAsync(context.User, slug, cancel) is not { } seat || form is not ("csv" or "json"))
        {
            return new Problem(ProblemType.NotFound);
        }

        if ((key is not null && KvpKey.Fault(key) is not null) || kind?.Contains('\0') == true || value?.Contains('\0') == true)
        {
            return new Problem(ProblemType.InvalidRequest, "'key' is no key, or 'kind' or 'value' has a NUL in it.");
        }

        if (seat.Access.FindFault(kind, parent, key is null ? [] : [key]) is { } fault)
        {
            return new Problem(ProblemType.NotAllowed, fault);
        }

        var columns = column is { Length: > 0 } ? column : null;
        Begin(context, form, $"{slug}-processes");
        var (body, isFirst) = (context.Response.BodyWriter, true);
        await WriteAsync(form == "json" ? "[" : CsvLine.Of([new("pid"), new("kind"), new("made"), .. columns is null ? [new("key"), new("type"), new CsvCell("value")] : columns.Select(name => new CsvCell(name))]));
        long? beyond = null;
        do
        {
            var query = new ProcessQuery(kind, parent, key is not null && value is not null ? [KeyValuePair.Create(key, value)] : [], NewestFirst: true, beyond, Page);
            var page = await processes.ListAsync(seat.Tenant, query, cancel);
            foreach (var process in page.Items.Where(one => (since is null || one.CreatedAt >= since) && (until is null || one.CreatedAt < until) && (key is null || one.Kvps.Any(kvp => kvp.Key == key))))
            {
                var shown = ProcessAnswer.Of(process, seat.Access);
                if (form == "json")
                {
                    await WriteAsync((isFirst ? "\n" : ",\n") + JsonSerializer.Serialize(shown, JsonSerializerOptions.Web));
                    isFirst = false;
                }
                else
                {
                    await WriteAsync(Lines(shown, columns));
                }
            }

            beyond = page.Next;
            await body.FlushAsync(cancel);
        }
        while (beyond is not null);

        await WriteAsync(form == "json" ? "\n]\n" : "");
        return Results.Empty;

        async Task WriteAsync(string text) => await body.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
    }

    private static async Task<IResult> OneAsync(
        HttpContext context, string slug, long pid, string form, Seats seats, ProcessStore processes, ProcessStoryStore stories, CancellationToken cancel)
    {
        if (await seats.FindAsync(context.User, slug, cancel) is not { } seat || form is not ("csv" or "json") || await processes.ReadAsync(seat.Tenant, pid, cancel) is not { } process)
        {
            return new Problem(ProblemType.NotFound);
        }

        var shown = ProcessAnswer.Of(process, seat.Access);
        Begin(context, form, pid == 0 ? $"{slug}-shared" : string.Create(CultureInfo.InvariantCulture, $"{slug}-{pid}"));
        if (form == "json")
        {
            await context.Response.WriteAsync(JsonSerializer.Serialize(shown, JsonSerializerOptions.Web) + "\n", cancel);
            return Results.Empty;
        }

        var origins = (await stories.KvpsAsync(seat.Tenant, pid, cancel)).ToDictionary(kvp => kvp.Key, kvp => kvp.Origin, StringComparer.Ordinal);
        await context.Response.WriteAsync(CsvLine.Of([new("key"), new("type"), new("value"), new("set by"), new("when")]), cancel);
        foreach (var (name, value) in shown.Kvps)
        {
            var origin = origins.GetValueOrDefault(name);
            await context.Response.WriteAsync(
                CsvLine.Of([new(name), new(KvpKind.Of(value.Text)), Cell(value.Text), new(origin?.Rule ?? origin?.Actor ?? ""), new(origin?.At.ToString("O", CultureInfo.InvariantCulture) ?? "")]), cancel);
        }

        return Results.Empty;
    }

    private static string Lines(ProcessAnswer process, string[]? columns)
    {
        CsvCell[] head = [new(process.Pid.ToString(CultureInfo.InvariantCulture), true), new(process.Kind ?? ""), new(process.CreatedAt?.ToString("O", CultureInfo.InvariantCulture) ?? "")];
        return columns is not null
            ? CsvLine.Of([.. head, .. columns.Select(name => process.Kvps.TryGetValue(name, out var value) ? Cell(value.Text) : new CsvCell(""))])
            : string.Concat(process.Kvps.Select(kvp => CsvLine.Of([.. head, new(kvp.Key), new(KvpKind.Of(kvp.Value.Text)), Cell(kvp.Value.Text)])));
    }

    // Text as it is, numbers as they are, what is inside a tag; lists and dictionaries as JSON.
    private static CsvCell Cell(string json) => KvpKind.Of(json) switch
    {
        "text" => new(JsonSerializer.Deserialize<string>(json)!),
        "integer" or "float" => new(json, IsNumber: true),
        "none" => new(""),
        "date" or "time" or "datetime" or "decimal" or "process" => new(Inside(json), KvpKind.Of(json) == "decimal"),
        _ => new(json),
    };

    private static string Inside(string json)
    {
        using var tag = JsonDocument.Parse(json);
        return tag.RootElement.EnumerateObject().First().Value.ToString();
    }

    private static void Begin(HttpContext context, string form, string name)
    {
        context.Response.ContentType = form == "json" ? "application/json" : "text/csv; charset=utf-8";
        context.Response.Headers.ContentDisposition = $"attachment; filename=\"{name}.{form}\"";
        context.Response.Headers.CacheControl = "no-store";
    }
}
