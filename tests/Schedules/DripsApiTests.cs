using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using Eddy.Tenants;

namespace Eddy.Tests.Schedules;

public sealed class DripsApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Body = """{"cron": "30 2 * * *", "kvps": "report := daily\nlimit := 90"}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_drip_is_made_read_changed_listed_and_deleted()
    {
        var client = await ClientAsync("Europe/Berlin");

        using var made = await client.PutAsync("/api/drips/nightly", Json(Body), Cancel);
        var read = await client.GetAsync("/api/drips/nightly", Cancel).JsonAsync();
        using var changed = await client.PutAsync("/api/drips/nightly", Json("""{"cron": "0 12 * * MON", "kvps": "n := 1", "timeZone": "Asia/Kolkata", "on": false}"""), Cancel);
        await client.PutAsync("/api/drips/another", Json(Body), Cancel).JsonAsync(HttpStatusCode.Created);
        var list = await client.GetAsync("/api/drips", Cancel).JsonAsync();

        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        made.Headers.Location!.ToString().ShouldBe("/api/drips/nightly");
        made.Headers.ETag!.Tag.ShouldBe($"\"{read.GetProperty("version")}\"");
        read.EnumerateObject().Select(property => property.Name)
            .ShouldBe(["name", "cron", "timeZone", "kvps", "on", "version", "createdAt", "createdBy", "changedAt", "changedBy", "next", "last", "missed"]);
        (read.GetProperty("createdBy").GetString(), read.GetProperty("on").GetBoolean(), read.GetProperty("timeZone").ValueKind).ShouldBe(("key:test", true, JsonValueKind.Null));
        var next = read.GetProperty("next").GetProperty("local").GetDateTimeOffset();
        (next.Hour, next.Offset).ShouldBe((next.Hour, TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin").GetUtcOffset(next)));
        next.ShouldBe(read.GetProperty("next").GetProperty("utc").GetDateTimeOffset());
        changed.StatusCode.ShouldBe(HttpStatusCode.OK);
        changed.Headers.ETag!.Tag.ShouldNotBe(made.Headers.ETag.Tag);
        list.GetProperty("drips").EnumerateArray().Select(drip => $"{drip.GetProperty("name")} {drip.GetProperty("next").ValueKind}").ShouldBe(["another Object", "nightly Null"]);

        (await client.DeleteAsync("/api/drips/nightly", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await client.DeleteAsync("/api/drips/nightly", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.GetAsync("/api/drips/nightly", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.PostAsync("/api/drips/nightly/run", null, Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");

        // One of that name that comes later has no version that this one had.
        using var again = await client.PutAsync("/api/drips/nightly", Json(Body), Cancel);
        long.Parse(again.Headers.ETag!.Tag.Trim('"'), CultureInfo.InvariantCulture).ShouldBeGreaterThan(long.Parse(changed.Headers.ETag.Tag.Trim('"'), CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task Only_the_version_that_the_caller_has_seen_is_replaced()
    {
        var client = await ClientAsync();
        using var first = await client.PutAsync("/api/drips/a", Json(Body), Cancel);
        using var second = await client.PutAsync("/api/drips/a", Json(Body), Cancel);
        var (old, current) = (first.Headers.ETag!.Tag, second.Headers.ETag!.Tag);

        (await SendAsync(HttpMethod.Put, "If-Match", old).ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Put, "If-None-Match", "*").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Put, "If-None-Match", current).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await SendAsync(HttpMethod.Delete, "If-Match", old).ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Delete, "If-Match", current)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await SendAsync(HttpMethod.Put, "If-Match", "*").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Put, "If-None-Match", "*")).StatusCode.ShouldBe(HttpStatusCode.Created);

        Task<HttpResponseMessage> SendAsync(HttpMethod method, string header, string value)
        {
            var request = new HttpRequestMessage(method, "/api/drips/a") { Content = method == HttpMethod.Put ? Json(Body) : null };
            request.Headers.TryAddWithoutValidation(header, value);
            return client.SendAsync(request, Cancel);
        }
    }

    [Theory]
    [InlineData("", "invalid-json", null)]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1",}""", "invalid-json", null)]
    [InlineData("""{"cron": "* * * * *", "cron": "* * * * *", "kvps": "a := 1"}""", "invalid-json", null)]
    [InlineData("[]", "invalid-request", "")]
    [InlineData("""{"kvps": "a := 1"}""", "invalid-request", "/cron")]
    [InlineData("""{"cron": null, "kvps": "a := 1"}""", "invalid-request", "/cron")]
    [InlineData("""{"cron": 5, "kvps": "a := 1"}""", "invalid-request", "/cron")]
    [InlineData("""{"cron": "0 25 * * *", "kvps": "a := 1"}""", "invalid-request", "/cron")]
    [InlineData("""{"cron": "* * * * *"}""", "invalid-request", "/kvps")]
    [InlineData("""{"cron": "* * * * *", "kvps": ""}""", "invalid-request", "/kvps")]
    [InlineData("""{"cron": "* * * * *", "kvps": "no"}""", "invalid-request", "/kvps")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1\u0000"}""", "invalid-request", "/kvps")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := \ud800"}""", "invalid-request", "/kvps")]
    [InlineData("""{"cron": "* * * * *", "kvps": "drip_missed := 1"}""", "invalid-request", "/kvps")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "\ud800": 1}""", "invalid-request", "")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "timeZone": "Berlin"}""", "invalid-request", "/timeZone")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "timeZone": "../../etc/passwd"}""", "invalid-request", "/timeZone")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "timeZone": "Europe/../UTC"}""", "invalid-request", "/timeZone")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "timeZone": "right/Europe/Berlin"}""", "invalid-request", "/timeZone")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "timeZone": "W. Europe Standard Time"}""", "invalid-request", "/timeZone")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "on": "yes"}""", "invalid-request", "/on")]
    [InlineData("""{"cron": "* * * * *", "kvps": "a := 1", "every": 5}""", "invalid-request", "/every")]
    public async Task A_body_that_is_no_drip_is_refused_with_its_place(string body, string type, string? pointer)
    {
        var client = await ClientAsync();

        using var answer = await client.PutAsync("/api/drips/a", Json(body), Cancel);

        var problem = await Task.FromResult(answer).JsonAsync(HttpStatusCode.BadRequest);
        problem.GetProperty("type").GetString().ShouldEndWith("#" + type);
        if (pointer is not null)
        {
            problem.GetProperty("errors")[0].GetProperty("pointer").GetString().ShouldBe(pointer);
        }

        (await client.GetAsync("/api/drips", Cancel).JsonAsync()).GetProperty("drips").GetArrayLength().ShouldBe(0);
    }

    [Theory]
    [InlineData("-a")]
    [InlineData("a.b")]
    [InlineData("a%20b")]
    [InlineData("ä")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_name_is_letters_digits_hyphens_and_underscores(string name)
    {
        var client = await ClientAsync();

        (await client.PutAsync("/api/drips/" + name, Json(Body), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.GetAsync("/api/drips/" + name, Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
    }

    [Fact]
    public async Task Texts_have_a_most_and_so_has_a_tenant()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = tenant.Client(shared.Web);

        (await client.PutAsync("/api/drips/a", Json(Of(new string('x', (32 << 10) - 5))), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await client.PutAsync("/api/drips/a", Json(Of(new string('x', (32 << 10) - 4))), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.PutAsync("/api/drips/a", Json(Of(new string('x', 300_000))), Cancel).ProblemAsync(HttpStatusCode.RequestEntityTooLarge)).ShouldBe("body-too-large");
        (await client.PutAsync("/api/drips/a", Json($$"""{"cron": "* * * * *", "kvps": "{{string.Concat(Enumerable.Range(0, 999).Select(i => $"k{i} := 1\\n"))}}"}"""), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        await TestDrips.FillAsync(tenant, 499, "null");
        (await client.PutAsync("/api/drips/b", Json(Body), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("too-many");
        (await client.PutAsync("/api/drips/d1", Json(Body), Cancel)).StatusCode.ShouldBe(HttpStatusCode.OK);

        static string Of(string value) => $$"""{"cron": "* * * * *", "kvps": "a := {{value}}"}""";
    }

    [Fact]
    public async Task Another_tenants_drip_is_not_there_and_scopes_count()
    {
        var owner = await TestTenant.MakeAsync(database);
        await owner.Client(shared.Web).PutAsync("/api/drips/a", Json(Body), Cancel);
        var stranger = await ClientAsync();
        var reader = owner.Client(shared.Web, await owner.AddKeyAsync("reader", Scope.Read));
        var sender = owner.Client(shared.Web, await owner.AddKeyAsync("sender", Scope.Ingest));

        (await stranger.GetAsync("/api/drips/a", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await stranger.DeleteAsync("/api/drips/a", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await stranger.PostAsync("/api/drips/a/run", null, Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await stranger.GetAsync("/api/drips", Cancel).JsonAsync()).GetProperty("drips").GetArrayLength().ShouldBe(0);
        (await stranger.PutAsync("/api/drips/a", Json(Body), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Created);
        await stranger.DeleteAsync("/api/drips/a", Cancel);
        (await reader.GetAsync("/api/drips/a", Cancel).JsonAsync()).GetProperty("kvps").GetString().ShouldBe("report := daily\nlimit := 90");
        (await reader.PutAsync("/api/drips/a", Json(Body), Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await reader.DeleteAsync("/api/drips/a", Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await reader.PostAsync("/api/drips/a/run", null, Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await sender.GetAsync("/api/drips", Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await sender.PostAsync("/api/drips/preview", Json("{}"), Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
    }

    [Fact]
    public async Task A_connection_sees_the_schedules_of_the_tenant_that_it_names_alone()
    {
        var (owner, stranger) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        await TestDrips.FillAsync(owner, 3, "null");

        (await SeenAsync(owner.Id.ToString())).ShouldBe(3);
        (await SeenAsync(stranger.Id.ToString())).ShouldBe(0);
        (await SeenAsync("")).ShouldBe(0);

        async Task<long> SeenAsync(string named)
        {
            await using var connection = await database.App.OpenConnectionAsync(Cancel);
            await using var command = new Npgsql.NpgsqlCommand($"select set_config('app.tenant_id', '{named}', false); with gone as (update schedules set kvps = kvps returning 1) select count(*) from gone", connection);
            await using var rows = await command.ExecuteReaderAsync(Cancel);
            await rows.NextResultAsync(Cancel);
            await rows.ReadAsync(Cancel);
            return rows.GetInt64(0);
        }
    }

    [Fact]
    public async Task A_preview_shows_what_the_text_comes_to_and_saves_nothing()
    {
        var client = await ClientAsync("Asia/Kolkata");
        var text = JsonSerializer.Serialize("""
            whole := 90
            broken := 1.5
            code := 007
            said := "Too hot"
            yes := True
            nothing := none
            day := 2026-11-24
            at := 2026-11-24T10:00
            time := {"$time": "10:00:00"}
            price := {"$decimal": "1.10"}
            list := [1, 'a']
            dict := {'b': 1,
                     'a': 2}
            who := {"$process": 15}
            odd := {"$ref": 1}
            """);

        var preview = await PreviewAsync(client, $$"""{"cron": "0 12 * * *", "kvps": {{text}}}""");

        preview.GetProperty("timeZone").GetString().ShouldBe("Asia/Kolkata");
        preview.GetProperty("kvps").EnumerateArray().Select(kvp => $"{kvp.GetProperty("key")} {kvp.GetProperty("kind")} {kvp.GetProperty("value").GetRawText()}").ShouldBe(
        [
            "whole integer 90", "broken float 1.5", "code text \"007\"", "said text \"Too hot\"", "yes boolean true", "nothing none null", """day date {"$date":"2026-11-24"}""",
            """at datetime {"$datetime":"2026-11-24T10:00:00"}""", """time time {"$time":"10:00:00"}""", """price decimal {"$decimal":"1.10"}""", """list list [1,"a"]""",
            """dict dictionary {"a":2,"b":1}""", """who process {"$process":15}""", """odd dictionary {"$dict":{"$ref":1}}""",
        ]);
        preview.GetProperty("faults").GetArrayLength().ShouldBe(0);
        var runs = preview.GetProperty("runs").EnumerateArray().ToList();
        runs.Count.ShouldBe(5);
        runs.ShouldAllBe(run => run.GetProperty("local").GetString()!.EndsWith("T12:00:00+05:30") && run.GetProperty("utc").GetString()!.EndsWith("T06:30:00+00:00") && run.GetProperty("note").ValueKind == JsonValueKind.Null);
        (await client.GetAsync("/api/drips", Cancel).JsonAsync()).GetProperty("drips").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_preview_says_what_is_wrong_with_line_and_column_and_shows_the_rest()
    {
        var client = await ClientAsync();

        var preview = await PreviewAsync(client, """{"cron": "0 12 32 * *", "kvps": "a := 1\n  none\n\nb := {\"x\": 1, \"x\": 2}\nc := 3\n := 4\nd := \"\"\"open\ne := 5", "timeZone": "Mars"}""");

        preview.GetProperty("faults").EnumerateArray().Select(fault => $"{fault.GetProperty("field")} {fault.GetProperty("line")}:{fault.GetProperty("column")} {fault.GetProperty("message")}").ShouldBe(
        [
            "cron 1:6 The day of month '32' is not one: it takes 1 to 31, and * for each.",
            "timeZone 1:1 'Mars' is not a time zone: it takes an IANA name such as Europe/Berlin.",
            "kvps 2:3 This line is no KVP, which is written key := value, and does not belong to the value above it.",
            "kvps 4:6 “b”: A dictionary has each key once.",
            "kvps 6:2 A key has at least one character.",
            "kvps 7:6 The triple quotes that begin here are never closed.",
        ]);
        preview.GetProperty("kvps").EnumerateArray().Select(kvp => kvp.GetProperty("key").GetString()).ShouldBe(["a", "c"]);
        preview.GetProperty("runs").GetArrayLength().ShouldBe(0);
        (await PreviewAsync(client, "{}")).ToString().ShouldBe("""{"timeZone":"UTC","kvps":[],"runs":[],"faults":[]}""");
        (await client.PostAsync("/api/drips/preview", Json("""{"on": true}"""), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Fact]
    public async Task A_preview_tells_of_half_past_two_on_the_days_when_the_clocks_change()
    {
        var client = await ClientAsync("UTC");
        var berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");
        var spring = NextDay(day => berlin.IsInvalidTime(day.AddHours(2.5)));
        var autumn = NextDay(day => berlin.IsAmbiguousTime(day.AddHours(2.5)));

        var forward = (await PreviewAsync(client, $$"""{"cron": "30 2 {{spring.Day}} {{spring.Month}} *", "timeZone": "Europe/Berlin"}""")).GetProperty("runs")[0];
        var back = (await PreviewAsync(client, $$"""{"cron": "30 2 {{autumn.Day}} {{autumn.Month}} *", "timeZone": "Europe/Berlin"}""")).GetProperty("runs");

        forward.ToString().ShouldBe($$"""
            {"local":"{{spring:yyyy-MM-dd}}T03:00:00+02:00","utc":"{{spring:yyyy-MM-dd}}T01:00:00+00:00","note":"The clocks go forward, and 02:30 does not come on this day: it runs when they jump, at 03:00."}
            """);
        back[0].ToString().ShouldBe($$"""
            {"local":"{{autumn:yyyy-MM-dd}}T02:30:00+02:00","utc":"{{autumn:yyyy-MM-dd}}T00:30:00+00:00","note":"The clocks go back, and 02:30 comes twice on this day: it runs the first time."}
            """);
        back[1].GetProperty("local").GetString().ShouldStartWith($"{autumn.Year + 1}-");

        static DateTime NextDay(Func<DateTime, bool> isIt)
        {
            var day = DateTime.SpecifyKind(TimeProvider.System.GetUtcNow().Date.AddDays(2), DateTimeKind.Unspecified);
            while (!isIt(day))
            {
                day = day.AddDays(1);
            }

            return day;
        }
    }

    private async Task<HttpClient> ClientAsync(string timeZone = "UTC") => (await TestTenant.MakeAsync(database, timeZone)).Client(shared.Web);

    private static Task<JsonElement> PreviewAsync(HttpClient client, string body) => client.PostAsync("/api/drips/preview", Json(body), Cancel).JsonAsync();

    private static ByteArrayContent Json(string text) => new(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new("application/json") } };
}
