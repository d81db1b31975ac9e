using System.Net;
using System.Text;
using System.Text.Json;
using Eddy.Secrets;
using Eddy.Tenants;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Secrets;

/// <summary>A web with a master key.</summary>
public sealed class KeeperWeb(TestDatabase database) : IAsyncLifetime
{
    public TestWeb Web { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Web = await TestWeb.StartAsync(database, "Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one")));

    public ValueTask DisposeAsync() => Web.DisposeAsync();
}

public sealed class SecretsApiTests(TestDatabase database, KeeperWeb shared) : IClassFixture<KeeperWeb>
{
    private const string Value = "sk_live_1234567890";
    private const string Body = $$"""{"value": "{{Value}}", "hosts": ["API.example.com", "*.example.org:8443"]}""";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_secret_is_set_listed_replaced_and_deleted_and_its_value_never_shown()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = tenant.Client(shared.Web);

        using var made = await client.PutAsync("/api/secrets/STRIPE", Json(Body), Cancel);
        using var replaced = await client.PutAsync("/api/secrets/STRIPE", Json("""{"hosts": ["203.0.113.7"], "value": "another value\n\"ü\""}"""), Cancel);
        var list = await client.GetAsync("/api/secrets", Cancel).JsonAsync();

        made.StatusCode.ShouldBe(HttpStatusCode.Created);
        made.Headers.ETag!.Tag.ShouldBe("\"1\"");
        made.Headers.Location!.ToString().ShouldBe("/api/secrets/STRIPE");
        replaced.StatusCode.ShouldBe(HttpStatusCode.OK);
        replaced.Headers.ETag!.Tag.ShouldBe("\"2\"");
        var secret = list.GetProperty("secrets").EnumerateArray().Single();
        secret.GetProperty("name").GetString().ShouldBe("STRIPE");
        secret.GetProperty("hosts").ToString().ShouldBe("""["203.0.113.7"]""");
        secret.GetProperty("changedBy").GetString().ShouldBe("key:test");
        secret.GetProperty("lastUsedAt").ValueKind.ShouldBe(JsonValueKind.Null);
        secret.EnumerateObject().Select(property => property.Name).ShouldBe(["name", "hosts", "version", "createdAt", "changedAt", "changedBy", "lastUsedAt"]);
        $"{await made.Content.ReadAsStringAsync(Cancel)}{await replaced.Content.ReadAsStringAsync(Cancel)}{list}".ShouldNotContain("value");
        var set = await shared.Web.Services.GetRequiredService<SecretStore>().SetOfAsync(tenant);
        set.Fill(set.Placeholder("STRIPE"), "203.0.113.7", []).ShouldBe("another value\n\"ü\"");

        (await client.DeleteAsync("/api/secrets/STRIPE", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await client.DeleteAsync("/api/secrets/STRIPE", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await client.GetAsync("/api/secrets", Cancel).JsonAsync()).GetProperty("secrets").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task A_short_value_is_taken_with_a_warning()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        var answer = await client.PutAsync("/api/secrets/PIN", Json("""{"value": "4711471", "hosts": ["a.example.com"]}"""), Cancel).JsonAsync(HttpStatusCode.Created);
        var longer = await client.PutAsync("/api/secrets/PIN", Json("""{"value": "47114711", "hosts": ["a.example.com"]}"""), Cancel).JsonAsync();

        answer.GetProperty("warning").GetString()!.ShouldContain("8 characters");
        longer.TryGetProperty("warning", out _).ShouldBeFalse();
    }

    [Fact]
    public async Task Only_the_version_that_the_caller_has_seen_is_replaced()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        await client.PutAsync("/api/secrets/A", Json(Body), Cancel);
        await client.PutAsync("/api/secrets/A", Json(Body), Cancel);

        (await SendAsync(HttpMethod.Put, "If-Match", "\"1\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Put, "If-None-Match", "*").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Put, "If-None-Match", "\"2\"").ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await SendAsync(HttpMethod.Delete, "If-Match", "\"1\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Put, "If-Match", "\"2\"")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await SendAsync(HttpMethod.Delete, "If-Match", "\"3\"")).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await SendAsync(HttpMethod.Put, "If-Match", "*").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(HttpMethod.Put, "If-None-Match", "*")).StatusCode.ShouldBe(HttpStatusCode.Created);

        Task<HttpResponseMessage> SendAsync(HttpMethod method, string header, string value)
        {
            var request = new HttpRequestMessage(method, "/api/secrets/A") { Content = method == HttpMethod.Put ? Json(Body) : null };
            request.Headers.TryAddWithoutValidation(header, value);
            return client.SendAsync(request, Cancel);
        }
    }

    [Theory]
    [InlineData("", "invalid-json")]
    [InlineData("GOLDGOLD", "invalid-json")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": ["a.test"]""", "invalid-json")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": ["a.test"],}""", "invalid-json")]
    [InlineData("""{"value": "GOLDGOLD", "value": "GOLDGOLD", "hosts": ["a.test"]}""", "invalid-json")]
    [InlineData("""{"GOLDGOLD": 1, "GOLDGOLD": 1}""", "invalid-json")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": [[["a.test"]]]}""", "invalid-json")]
    [InlineData("""["GOLDGOLD"]""", "invalid-request")]
    [InlineData("\"GOLDGOLD\"", "invalid-request")]
    [InlineData("""{"hosts": ["a.test"]}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": ["a.test"], "\ud800": 1}""", "invalid-request")]
    [InlineData("""{"value": null, "hosts": ["a.test"]}""", "invalid-request")]
    [InlineData("""{"value": ["GOLDGOLD"], "hosts": ["a.test"]}""", "invalid-request")]
    [InlineData("""{"value": "", "hosts": ["a.test"]}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD\u0000", "hosts": ["a.test"]}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD\ud800", "hosts": ["a.test"]}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD"}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": []}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": "a.test"}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": [1]}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": ["*"]}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": ["a.test", "https://b.test"]}""", "invalid-request")]
    [InlineData("""{"value": "GOLDGOLD", "hosts": ["a.test"], "more": "GOLDGOLD"}""", "invalid-request")]
    public async Task A_body_that_is_none_is_refused_without_a_word_of_the_value(string body, string type)
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        using var answer = await client.PutAsync("/api/secrets/A", Json(body), Cancel);

        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldNotContain("GOLD");
        (await Task.FromResult(answer).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe(type);
    }

    [Fact]
    public async Task A_value_of_8_KiB_is_taken_and_one_byte_more_is_not()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await client.PutAsync("/api/secrets/A", Json(Of(new string('é', 4096))), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Created);
        (await client.PutAsync("/api/secrets/A", Json(Of(new string('é', 4096) + "x")), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.PutAsync("/api/secrets/A", Json(Of(new string('x', 200_000))), Cancel).ProblemAsync(HttpStatusCode.RequestEntityTooLarge)).ShouldBe("body-too-large");
        (await client.PutAsync("/api/secrets/A", new ByteArrayContent([.. "{\"value\": \"GOLD"u8, 0xFF, .. "\", \"hosts\": [\"a.test\"]}"u8]), Cancel)).StatusCode.ShouldBe(HttpStatusCode.BadRequest);

        static string Of(string value) => $$"""{"value": "{{value}}", "hosts": ["a.test"]}""";
    }

    [Theory]
    [InlineData("1A")]
    [InlineData("A-B")]
    [InlineData("A.B")]
    [InlineData("_A")]
    [InlineData("Ä")]
    [InlineData("class")]
    [InlineData("token_hex")]
    [InlineData("A%0A")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_name_that_rules_could_not_write_is_refused(string name)
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await client.PutAsync("/api/secrets/" + name, Json(Body), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Fact]
    public async Task Another_tenants_secrets_are_not_there_and_a_key_needs_the_scope_write()
    {
        var owner = await TestTenant.MakeAsync(database);
        await owner.Client(shared.Web).PutAsync("/api/secrets/A", Json(Body), Cancel);
        var stranger = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        var reader = owner.Client(shared.Web, await owner.AddKeyAsync("reader", Scope.Read, Scope.Ingest));

        (await stranger.DeleteAsync("/api/secrets/A", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await stranger.GetAsync("/api/secrets", Cancel).JsonAsync()).GetProperty("secrets").GetArrayLength().ShouldBe(0);
        (await reader.GetAsync("/api/secrets", Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await reader.PutAsync("/api/secrets/A", Json(Body), Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await reader.DeleteAsync("/api/secrets/A", Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await owner.Client(shared.Web).GetAsync("/api/secrets", Cancel).JsonAsync()).GetProperty("secrets").GetArrayLength().ShouldBe(1);
    }

    [Fact]
    public async Task Without_a_master_key_secrets_can_not_be_set_and_the_answer_says_how_they_could()
    {
        var web = await database.WebAsync();
        var client = (await TestTenant.MakeAsync(database)).Client(web);

        using var answer = await client.PutAsync("/api/secrets/A", Json(Body), Cancel);

        (await answer.Content.ReadAsStringAsync(Cancel)).ShouldContain("Secrets:MasterKeyFile");
        (await Task.FromResult(answer).ProblemAsync(HttpStatusCode.ServiceUnavailable)).ShouldBe("no-master-key");
        (await client.GetAsync("/api/secrets", Cancel).JsonAsync()).GetProperty("secrets").GetArrayLength().ShouldBe(0);
        (await client.PutAsync("/api/files/workspace/a", Json("{}"), Cancel)).StatusCode.ShouldBe(HttpStatusCode.Created);
    }

    private static ByteArrayContent Json(string text) => new(Encoding.UTF8.GetBytes(text)) { Headers = { ContentType = new("application/json") } };
}
