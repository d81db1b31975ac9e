using System.Net;
using Eddy.Files;
using Eddy.Postgres;

namespace Eddy.Tests.Packages;

/// <summary>requirements.txt by the doors of the product: a web, a worker, an index on loopback.</summary>
public sealed class RequirementsTests(TestDatabase database) : IAsyncLifetime
{
    private const string Rule = """
        import importlib.metadata, shapes
        class look(Rule):
            listens_to = ["go"]
            def action(self):
                self.sides = shapes.sides
                self.version = importlib.metadata.version("shapes")
        """;

    private TestDatabase _database = null!;
    private TestIndex _index = null!;
    private TestWeb _web = null!;
    private TestWorker _worker = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await database.OfItsOwnAsync();
        _index = await TestIndex.StartAsync();
        _web = await TestWeb.StartAsync(_database, $"Packages:Index={_index.Options().Index}", $"Packages:FileHosts={_index.Options().FileHosts}");
        _worker = await TestWorker.StartAsync(_database);
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await _web.DisposeAsync();
        await _index.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Saving_requirements_puts_their_packages_in_force_and_what_fails_leaves_the_last_good_ones()
    {
        _index.Add("shapes", "1.0", "", ("shapes/__init__.py", "sides = 3\n"));
        var caller = await CallerAsync();
        await caller.SaveAsync("scripts/look.py", Rule);

        var saved = await caller.SaveAsync("requirements.txt", "shapes<2\n");
        var settled = await caller.SettleAsync("""{"go": 1}""");

        saved.GetProperty("faults").GetArrayLength().ShouldBe(0);
        settled.GetProperty("kvps").GetRawText().ShouldContain("\"version\":\"1.0\"");
        var locked = await caller.Http.GetStringAsync("/api/files/requirements.lock", Cancel);
        locked.ShouldContain("shapes==1.0 shapes-1.0-py3-none-any.whl sha256:");
        (await Entry(caller, "requirements.lock")).GetProperty("version").GetInt64().ShouldBe(saved.GetProperty("version").GetInt64());

        var failed = await caller.SaveAsync("requirements.txt", "shapes<2\nnothing-there\n");

        failed.GetProperty("inForce").GetInt64().ShouldBe(saved.GetProperty("version").GetInt64());
        var fault = failed.GetProperty("faults").EnumerateArray().ShouldHaveSingleItem();
        (fault.GetProperty("line").GetInt32(), fault.GetProperty("message").GetString()).ShouldBe((2, "The index has no project nothing-there."));
        (await caller.SettleAsync("""{"go": 2}""")).GetProperty("kvps").GetProperty("sides").GetInt32().ShouldBe(3);

        _index.Add("shapes", "2.0", "", ("shapes/__init__.py", "sides = 4\n"));
        await caller.SaveAsync("requirements.txt", "shapes\n");
        (await caller.SettleAsync("""{"go": 3}""")).GetProperty("kvps").GetProperty("sides").GetInt32().ShouldBe(3, "what is locked stays");
        await caller.SaveAsync("requirements.txt", "shapes>1\n");
        (await caller.SettleAsync("""{"go": 4}""")).GetProperty("kvps").GetProperty("sides").GetInt32().ShouldBe(4);
    }

    [Fact]
    public async Task The_same_requirements_come_to_the_same_files_without_the_index()
    {
        _index.Add("shapes", "1.0", "", ("shapes/__init__.py", "sides = 3\n"));
        var caller = await CallerAsync();
        await caller.SaveAsync("requirements.txt", "shapes\n");
        var before = await TreeAsync(caller);
        await caller.SaveAsync("requirements.txt", "-e .\n");
        _index.Add("shapes", "2.0", "", ("shapes/__init__.py", "sides = 4\n"));
        _index.Asked.Clear();

        var again = await caller.SaveAsync("requirements.txt", "shapes\n");

        again.GetProperty("faults").GetArrayLength().ShouldBe(0);
        again.GetProperty("inForce").GetInt64().ShouldBe(again.GetProperty("version").GetInt64());
        _index.Asked.ShouldBeEmpty();
        (await TreeAsync(caller)).ShouldBe(before);
    }

    [Fact]
    public async Task The_lock_is_the_platforms_and_goes_with_the_requirements()
    {
        _index.Add("shapes", "1.0", "", ("shapes/__init__.py", "sides = 3\n"));
        var caller = await CallerAsync();
        await caller.SaveAsync("requirements.txt", "shapes\n");

        (await caller.PutAsync("/api/files/requirements.lock", "evil==1 evil.whl sha256:0\n").ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await caller.Http.DeleteAsync("/api/files/requirements.lock", Cancel).ProblemAsync(HttpStatusCode.BadRequest)).ShouldBe("invalid-request");
        (await TreeAsync(caller)).ShouldNotBeEmpty();

        (await caller.Http.DeleteAsync("/api/files/requirements.txt", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await caller.Http.GetAsync("/api/files/requirements.lock", Cancel).ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("not-found");
        (await TreeAsync(caller)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nobody_sees_another_tenants_packages()
    {
        _index.Add("shapes", "1.0", "", ("shapes/__init__.py", "sides = 3\n"));
        var (mine, other) = (await CallerAsync(), await CallerAsync());
        await mine.SaveAsync("requirements.txt", "shapes\n");
        await other.SaveAsync("scripts/look.py", Rule);

        await other.SettleAsync("""{"go": 1}""");

        (await TreeAsync(other)).ShouldBeEmpty();
        var faults = (await Entry(other, "scripts/look.py")).GetProperty("loadFaults");
        faults.EnumerateArray().ShouldHaveSingleItem().GetProperty("message").GetString().ShouldBe("ModuleNotFoundError: No module named 'shapes'");
    }

    [Fact]
    public async Task Data_beside_the_libraries_goes_to_the_rules()
    {
        var caller = await CallerAsync();
        await caller.SaveAsync("libraries/mine/__init__.py", "");
        await caller.SaveAsync("libraries/mine/data.json", "{\"a\": 7}");
        await caller.SaveAsync("scripts/look.py", """
            import importlib.resources
            class look(Rule):
                listens_to = ["go"]
                def action(self):
                    self.a = json.loads(importlib.resources.files("mine").joinpath("data.json").read_bytes())["a"]
            """);

        (await caller.SettleAsync("""{"go": 1}""")).GetProperty("kvps").GetProperty("a").GetInt32().ShouldBe(7);
    }

    private async Task<TestCaller> CallerAsync()
    {
        var tenant = await TestTenant.MakeAsync(_database);
        return new TestCaller(tenant, tenant.Client(_web));
    }

    private async Task<IReadOnlyList<string>> TreeAsync(TestCaller caller) =>
        [.. (await new FileStore(new EddyDbs(_database.App), TimeProvider.System).ReadTreeAsync(caller.Tenant.Id, Cancel)).Data.Select(file => $"{file.Path} {Convert.ToHexString(file.Content)}")];

    private static async Task<System.Text.Json.JsonElement> Entry(TestCaller caller, string path) =>
        (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Single(file => file.GetProperty("path").GetString() == path);
}
