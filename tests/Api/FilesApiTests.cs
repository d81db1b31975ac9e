using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Eddy.Files;
using Eddy.Postgres;

namespace Eddy.Tests.Api;

public sealed class FilesApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_saved_file_is_read_back_byte_for_byte_with_its_version_as_ETag()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        byte[] content = [0, 255, 10, 13, 226, 130];

        using var saved = await client.PutAsync("/api/files/workspace/a b/ü.bin", new ByteArrayContent(content), Cancel);
        using var read = await client.GetAsync("/api/files/workspace/a b/ü.bin", Cancel);

        saved.StatusCode.ShouldBe(HttpStatusCode.Created);
        saved.Headers.ETag!.Tag.ShouldBe("\"1\"");
        read.Headers.ETag!.Tag.ShouldBe("\"1\"");
        read.Content.Headers.ContentDisposition!.DispositionType.ShouldBe("attachment");
        (await read.Content.ReadAsByteArrayAsync(Cancel)).ShouldBe(content);
    }

    [Fact]
    public async Task Each_save_and_each_deletion_is_a_version_of_the_tree()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var client = tenant.Client(shared.Web);

        (await client.PutAsync("/api/files/workspace/a", Text("1"), Cancel)).Headers.ETag!.Tag.ShouldBe("\"1\"");
        (await client.PutAsync("/api/files/workspace/b", Text("2"), Cancel)).Headers.ETag!.Tag.ShouldBe("\"2\"");
        (await client.PutAsync("/api/files/workspace/a", Text("3"), Cancel)).Headers.ETag!.Tag.ShouldBe("\"3\"");
        (await client.DeleteAsync("/api/files/workspace/b", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        var list = (await client.GetAsync("/api/files", Cancel).JsonAsync()).GetProperty("files");
        list.EnumerateArray().Select(file => (file.GetProperty("path").GetString(), file.GetProperty("version").GetInt64(), file.GetProperty("author").GetString()))
            .ShouldBe([("workspace/a", 3L, "key:test")]);
        (await new FileStore(new EddyDbs(database.App), TimeProvider.System).ReadTreeAsync(tenant.Id, Cancel)).Version.ShouldBe(4);
        await using var versions = database.Superuser.CreateCommand("select string_agg(path || version || coalesce(convert_from(content, 'UTF8'), '-'), ' ' order by version) from file_versions where tenant_id = $1");
        versions.Parameters.Add(new() { Value = tenant.Id.Value });
        (await versions.ExecuteScalarAsync(Cancel)).ShouldBe("workspace/a11 workspace/b22 workspace/a33 workspace/b4-");
    }

    [Fact]
    public async Task Only_the_version_that_the_caller_has_seen_is_overwritten()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        await client.PutAsync("/api/files/workspace/seen.txt", Text("one"), Cancel);
        await client.PutAsync("/api/files/workspace/seen.txt", Text("two"), Cancel);

        (await SendAsync(client, HttpMethod.Put, "If-Match", "\"1\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, HttpMethod.Put, "If-Match", "W/\"2\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, HttpMethod.Put, "If-None-Match", "*").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, HttpMethod.Delete, "If-Match", "\"1\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, HttpMethod.Put, "If-Match", "\"2\"")).StatusCode.ShouldBe(HttpStatusCode.OK);

        (await client.GetStringAsync("/api/files/workspace/seen.txt", Cancel)).ShouldBe("new");
        using var unchanged = await SendAsync(client, HttpMethod.Get, "If-None-Match", "\"3\"");
        unchanged.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Fact]
    public async Task Of_many_that_make_one_file_at_once_one_does()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => SendAsync(client, HttpMethod.Put, "If-None-Match", "*")));

        answers.Count(answer => answer.StatusCode == HttpStatusCode.Created).ShouldBe(1);
        answers.Count(answer => answer.StatusCode == HttpStatusCode.PreconditionFailed).ShouldBe(7);
    }

    [Theory]
    [InlineData("scripts/../api/x.py")]
    [InlineData("etc/passwd")]
    [InlineData("scripts/")]
    [InlineData("scripts//x.py")]
    [InlineData("scripts/./x.py")]
    [InlineData("scripts/x.txt")]
    [InlineData("workspace/a\\b")]
    [InlineData("workspace/a\u0001b")]
    [InlineData("workspace/ a")]
    [InlineData("REQUIREMENTS.txt")]
    [InlineData("")]
    public void A_path_that_is_none_is_refused(string path) => FilePath.Fault(path).ShouldNotBeNull();

    [Theory]
    [InlineData("scripts/heat.py")]
    [InlineData("scripts/deep/er/x.py")]
    [InlineData("libraries/pkg/data.json")]
    [InlineData("workspace/Größe.csv")]
    [InlineData("requirements.txt")]
    public void A_path_in_a_tenants_folders_is_taken(string path) => FilePath.Fault(path).ShouldBeNull();

    [Fact]
    public async Task Dots_that_are_hidden_in_an_address_lead_nowhere()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await client.PutAsync("/api/files/workspace/%2e%2e%2fsecret", Text("x"), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await client.PutAsync("/api/files/workspace/a%5Cb", Text("x"), Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Fact]
    public async Task A_file_that_is_too_large_leaves_nothing()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);

        (await client.PutAsync("/api/files/workspace/big", new ByteArrayContent(new byte[(1 << 20) + 1]), Cancel).ProblemAsync(HttpStatusCode.RequestEntityTooLarge)).ShouldBe("body-too-large");
        (await client.GetAsync("/api/files/workspace/big", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
    }

    [Fact]
    public async Task Another_tenants_file_is_not_there()
    {
        var (mine, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        await mine.Client(shared.Web).PutAsync("/api/files/workspace/a", Text("mine"), Cancel);

        (await other.Client(shared.Web).GetAsync("/api/files/workspace/a", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await other.Client(shared.Web).DeleteAsync("/api/files/workspace/a", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await other.Client(shared.Web).GetAsync("/api/files", Cancel).JsonAsync()).GetProperty("files").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task The_tree_holds_what_is_in_force_and_not_what_was_saved_last()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var files = new FileStore(new EddyDbs(database.App), TimeProvider.System);
        var fault = new FileCheck("""[{"line":1,"column":2,"message":"invalid syntax"}]""", null, null);

        await files.SaveAsync(tenant.Id, "scripts/b.py", "good"u8.ToArray(), FileCheck.Nothing, "me", WriteCondition.None, Cancel);
        await files.SaveAsync(tenant.Id, "scripts/b.py", "bad("u8.ToArray(), fault, "me", WriteCondition.None, Cancel);
        await files.SaveAsync(tenant.Id, "scripts/a.py", "never("u8.ToArray(), fault, "me", WriteCondition.None, Cancel);
        await files.SaveAsync(tenant.Id, "libraries/lib.py", "lib"u8.ToArray(), FileCheck.Nothing, "me", WriteCondition.None, Cancel);
        await files.SaveAsync(tenant.Id, "api/x.py", "api"u8.ToArray(), FileCheck.Nothing, "me", WriteCondition.None, Cancel);

        var (version, tree, _) = await files.ReadTreeAsync(tenant.Id, Cancel);
        version.ShouldBe(5);
        tree.Select(file => (file.Path, file.Text)).ShouldBe([("api/x.py", "api"), ("libraries/lib.py", "lib"), ("scripts/b.py", "good")]);

        await files.SaveAsync(tenant.Id, "scripts/b.py", "better"u8.ToArray(), FileCheck.Nothing, "me", WriteCondition.None, Cancel);
        await files.DeleteAsync(tenant.Id, "libraries/lib.py", "me", WriteCondition.None, Cancel);
        (version, tree, _) = await files.ReadTreeAsync(tenant.Id, Cancel);
        version.ShouldBe(7);
        tree.Select(file => (file.Path, file.Text)).ShouldBe([("api/x.py", "api"), ("scripts/b.py", "better")]);
    }

    [Fact]
    public async Task A_rule_that_does_not_compile_is_kept_with_its_faults_and_the_last_good_one_stays_in_force()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        await client.PutAsync("/api/files/scripts/r.py", Text("x = 1\n"), Cancel).JsonAsync(HttpStatusCode.Created);

        var answer = await client.PutAsync("/api/files/scripts/r.py", Text("x = 1\ndef broken(:\n"), Cancel).JsonAsync();

        answer.GetProperty("version").GetInt64().ShouldBe(2);
        answer.GetProperty("inForce").GetInt64().ShouldBe(1);
        var fault = answer.GetProperty("faults").EnumerateArray().Single();
        fault.GetProperty("line").GetInt32().ShouldBe(2);
        fault.GetProperty("column").GetInt32().ShouldBeGreaterThan(0);
        fault.GetProperty("message").GetString().ShouldNotBeNullOrEmpty();
        using var read = await client.GetAsync("/api/files/scripts/r.py", Cancel);
        read.Headers.GetValues("X-Eddy-In-Force").ShouldBe(["1"]);
        (await read.Content.ReadAsStringAsync(Cancel)).ShouldContain("broken");
    }

    private static StringContent Text(string text) => new(text, Encoding.UTF8, MediaTypeHeaderValue.Parse("text/plain"));

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, HttpMethod method, string header, string value)
    {
        var request = new HttpRequestMessage(method, "/api/files/workspace/seen.txt") { Headers = { { header, value } } };
        request.Content = method == HttpMethod.Put ? Text("new") : null;
        return client.SendAsync(request, Cancel);
    }
}
