using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace Eddy.Tests.Api;

public sealed class TreeApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Rule = "class a(Rule):\n    listens_to = [\"n\"]\n\n    def action(self):\n        self.seen = True\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Saves_and_deletions_are_one_version_and_a_try_saves_nothing()
    {
        var (client, _) = await MakeAsync(("scripts/a.py", Rule), ("workspace/b.txt", "b"));
        var body = Body(("scripts/a.py", 1, Rule.Replace("True", "False", StringComparison.Ordinal)), ("workspace/b.txt", 2, null), ("workspace/c.txt", null, "c"));

        (await SendAsync(client, body, "?dry=true").JsonAsync()).GetProperty("saved").GetBoolean().ShouldBeFalse();
        (await MarksAsync(client)).ShouldBe("2: scripts/a.py 1, workspace/b.txt 2");
        var saved = await SendAsync(client, body, tree: "\"2\"").JsonAsync();

        saved.GetProperty("version").GetInt64().ShouldBe(3);
        saved.GetProperty("files").EnumerateArray().Select(file => file.GetProperty("kind").GetString()).ShouldBe(["changed", "removed", "new"]);
        (await MarksAsync(client)).ShouldBe("3: scripts/a.py 3, workspace/c.txt 3");
        var mark = (await client.GetAsync("/api/tree", Cancel).JsonAsync()).GetProperty("files")[1];
        mark.GetProperty("sha256").GetString().ShouldBe("2e7d2c03a9507ae265ecf5b5356885a53393a2029d241394997265a1a25aefc6");
        mark.GetProperty("size").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task What_was_saved_meanwhile_refuses_all()
    {
        var (client, _) = await MakeAsync(("workspace/a.txt", "1"), ("workspace/b.txt", "1"));

        (await SendAsync(client, Body(("workspace/a.txt", 1, "2"), ("workspace/b.txt", 1, "2"))).ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, Body(("workspace/a.txt", null, "2"))).ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, Body(("workspace/c.txt", 2, "2"))).ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, Body(("workspace/a.txt", 1, "2")), tree: "\"1\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");

        (await MarksAsync(client)).ShouldBe("2: workspace/a.txt 1, workspace/b.txt 2");
    }

    [Fact]
    public async Task A_file_that_could_not_be_in_force_refuses_all_and_its_places_are_told()
    {
        var (client, _) = await MakeAsync();

        var refused = await SendAsync(client, Body(("workspace/a.txt", null, "1"), ("scripts/b.py", null, "x = 1\ndef broken(:\n"))).JsonAsync(HttpStatusCode.UnprocessableEntity);

        refused.GetProperty("detail").GetString().ShouldBe("Nothing was saved, because scripts/b.py could not be in force.");
        refused.GetProperty("errors")[0].GetProperty("pointer").GetString().ShouldBe("/files/1/text");
        refused.GetProperty("errors")[0].GetProperty("detail").GetString()!.ShouldStartWith("scripts/b.py:2:");
        (await MarksAsync(client)).ShouldBe("0: ");
    }

    [Theory]
    [InlineData("""{}""")]
    [InlineData("""{"files":[]}""")]
    [InlineData("""{"files":[null]}""")]
    [InlineData("""{"files":[{"text":"x"}]}""")]
    [InlineData("""{"files":[{"path":"../x","text":"x"}]}""")]
    [InlineData("""{"files":[{"path":"requirements.lock","text":null}]}""")]
    [InlineData("""{"files":[{"path":"workspace/a","text":"x"},{"path":"workspace/a","text":"y"}]}""")]
    [InlineData("""{"files":[{"path":"workspace/a","text":"x","base64":"eA=="}]}""")]
    [InlineData("""{"files":[{"path":"workspace/a","base64":"?"}]}""")]
    [InlineData("""{"files":[{"path":"workspace/a","text":"\ud800"}]}""")]
    [InlineData("""[""")]
    public async Task What_is_no_change_of_a_tree_is_refused(string body)
    {
        var (client, _) = await MakeAsync();

        (await SendAsync(client, body).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
    }

    [Fact]
    public async Task Another_tenants_tree_is_not_there_and_a_key_that_reads_changes_nothing()
    {
        var (mine, tenant) = await MakeAsync(("workspace/a.txt", "mine"));
        var (other, _) = await MakeAsync();
        var reader = tenant.Client(shared.Web, await tenant.AddKeyAsync("reader", "read"));

        (await MarksAsync(other)).ShouldBe("0: ");
        (await SendAsync(other, Body(("workspace/a.txt", 1, null))).JsonAsync()).GetProperty("saved").GetBoolean().ShouldBeFalse();
        (await SendAsync(reader, Body(("workspace/a.txt", 1, null))).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("missing-scope");
        (await MarksAsync(mine)).ShouldBe("1: workspace/a.txt 1");
    }

    [Fact]
    public async Task What_runs_have_saved_in_workspace_is_no_reason_unless_it_would_be_overwritten()
    {
        var (client, tenant) = await MakeAsync(("workspace/a.txt", "1"), ("workspace/b.txt", "1"));
        // As a run does: the file goes on by itself, and the tree stays where it is.
        await tenant.PrepareAsync("update files set version = 9, in_force = 9, content = 'run' where tenant_id = $1 and path = 'workspace/a.txt'");
        await tenant.PrepareAsync("insert into file_versions (tenant_id, path, version, content, author, saved_at) select tenant_id, path, version, content, 'rule', now() from files where tenant_id = $1 and path = 'workspace/a.txt'");

        (await SendAsync(client, Body(("workspace/a.txt", 1, "2")), tree: "\"2\"").ProblemAsync(HttpStatusCode.PreconditionFailed)).ShouldBe("precondition-failed");
        (await SendAsync(client, Body(("workspace/b.txt", 2, "2")), tree: "\"2\"").JsonAsync()).GetProperty("version").GetInt64().ShouldBe(3);
        (await SendAsync(client, Body(("workspace/a.txt", 9, "2")), tree: "\"3\"").JsonAsync()).GetProperty("version").GetInt64().ShouldBe(10);
    }

    private async Task<(HttpClient Client, TestTenant Tenant)> MakeAsync(params (string Path, string Text)[] files)
    {
        var tenant = await TestTenant.MakeAsync(database);
        var caller = new TestCaller(tenant, tenant.Client(shared.Web));
        foreach (var (path, text) in files)
        {
            await caller.SaveAsync(path, text);
        }

        return (caller.Http, tenant);
    }

    private static string Body(params (string Path, long? Seen, string? Text)[] files) =>
        new JsonObject { ["files"] = new JsonArray([.. files.Select(file => new JsonObject { ["path"] = file.Path, ["seen"] = file.Seen, ["text"] = file.Text })]) }.ToJsonString();

    private static Task<HttpResponseMessage> SendAsync(HttpClient client, string body, string query = "", string? tree = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/tree" + query) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        if (tree is not null)
        {
            request.Headers.TryAddWithoutValidation("If-Match", tree);
        }

        return client.SendAsync(request, Cancel);
    }

    private static async Task<string> MarksAsync(HttpClient client)
    {
        var tree = await client.GetAsync("/api/tree", Cancel).JsonAsync();
        return $"{tree.GetProperty("version")}: {string.Join(", ", tree.GetProperty("files").EnumerateArray().Select(file => $"{file.GetProperty("path")} {file.GetProperty("version")}"))}";
    }
}
