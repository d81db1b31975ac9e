using System.Net;
using Eddy.Files;
using Eddy.Postgres;

namespace Eddy.Tests.Packages;

/// <summary>A web and a worker whose packages come from an index on loopback. Each test has projects of its own there.</summary>
public sealed class PackageWay(TestDatabase database) : IAsyncLifetime
{
    private TestWorker _worker = null!;

    public TestDatabase Database { get; private set; } = null!;

    public TestWeb Web { get; private set; } = null!;

    internal TestIndex Index { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Database = await database.OfItsOwnAsync();
        Index = await TestIndex.StartAsync();
        Web = await TestWeb.StartAsync(Database, $"Packages:Index={Index.Options().Index}", $"Packages:FileHosts={Index.Options().FileHosts}");
        _worker = await TestWorker.StartAsync(Database);
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await Web.DisposeAsync();
        await Index.DisposeAsync();
        await Database.DisposeAsync();
    }
}

/// <summary>requirements.txt by the doors of the product.</summary>
public sealed class RequirementsTests(PackageWay way) : IClassFixture<PackageWay>
{
    private readonly string _shapes = "shapes" + Guid.NewGuid().ToString("N")[..8];

    private string Rule => $"""
        import importlib.metadata, {_shapes} as shapes
        class look(Rule):
            listens_to = ["go"]
            def action(self):
                self.sides = shapes.sides
                self.version = importlib.metadata.version("{_shapes}")
        """;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Saving_requirements_puts_their_packages_in_force_and_what_fails_leaves_the_last_good_ones()
    {
        Add("1.0", 3);
        var caller = await CallerAsync();
        await caller.SaveAsync("scripts/look.py", Rule);

        var saved = await caller.SaveAsync("requirements.txt", _shapes + "<2\n");
        var settled = await caller.SettleAsync("""{"go": 1}""");

        saved.GetProperty("faults").GetArrayLength().ShouldBe(0);
        settled.GetProperty("kvps").GetRawText().ShouldContain("\"version\":\"1.0\"");
        var locked = await caller.Http.GetStringAsync("/api/files/requirements.lock", Cancel);
        locked.ShouldContain($"{_shapes}==1.0 {_shapes}-1.0-py3-none-any.whl sha256:");
        (await Entry(caller, "requirements.lock")).GetProperty("version").GetInt64().ShouldBe(saved.GetProperty("version").GetInt64());

        var failed = await caller.SaveAsync("requirements.txt", _shapes + "<2\nnothing-there\n");

        failed.GetProperty("inForce").GetInt64().ShouldBe(saved.GetProperty("version").GetInt64());
        var fault = failed.GetProperty("faults").EnumerateArray().ShouldHaveSingleItem();
        (fault.GetProperty("line").GetInt32(), fault.GetProperty("message").GetString()).ShouldBe((2, "The index has no project nothing-there."));
        (await caller.SettleAsync("""{"go": 2}""")).GetProperty("kvps").GetProperty("sides").GetInt32().ShouldBe(3);

        Add("2.0", 4);
        await caller.SaveAsync("requirements.txt", _shapes + "\n");
        (await caller.SettleAsync("""{"go": 3}""")).GetProperty("kvps").GetProperty("sides").GetInt32().ShouldBe(3, "what is locked stays");
        await caller.SaveAsync("requirements.txt", _shapes + ">1\n");
        (await caller.SettleAsync("""{"go": 4}""")).GetProperty("kvps").GetProperty("sides").GetInt32().ShouldBe(4);
    }

    [Fact]
    public async Task The_same_requirements_come_to_the_same_files_without_the_index()
    {
        Add("1.0", 3);
        var caller = await CallerAsync();
        await caller.SaveAsync("requirements.txt", _shapes + "\n");
        var before = await TreeAsync(caller);
        await caller.SaveAsync("requirements.txt", "-e .\n");
        Add("2.0", 4);

        var asked = way.Index.Asked.Count(path => path.Contains(_shapes, StringComparison.Ordinal));

        var again = await caller.SaveAsync("requirements.txt", _shapes + "\n");

        again.GetProperty("faults").GetArrayLength().ShouldBe(0);
        again.GetProperty("inForce").GetInt64().ShouldBe(again.GetProperty("version").GetInt64());
        way.Index.Asked.Count(path => path.Contains(_shapes, StringComparison.Ordinal)).ShouldBe(asked);
        (await TreeAsync(caller)).ShouldBe(before);
    }

    [Fact]
    public async Task The_lock_is_the_platforms_and_goes_with_the_requirements()
    {
        Add("1.0", 3);
        var caller = await CallerAsync();
        await caller.SaveAsync("requirements.txt", _shapes + "\n");

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
        Add("1.0", 3);
        var (mine, other) = (await CallerAsync(), await CallerAsync());
        await mine.SaveAsync("requirements.txt", _shapes + "\n");
        await other.SaveAsync("scripts/look.py", Rule);

        await other.SettleAsync("""{"go": 1}""");

        (await TreeAsync(other)).ShouldBeEmpty();
        var faults = (await Entry(other, "scripts/look.py")).GetProperty("loadFaults");
        faults.EnumerateArray().ShouldHaveSingleItem().GetProperty("message").GetString().ShouldBe($"ModuleNotFoundError: No module named '{_shapes}'");
    }

    [Fact]
    public async Task What_a_file_printed_while_it_was_loaded_is_in_the_list()
    {
        var caller = await CallerAsync();
        await caller.SaveAsync("scripts/look.py", "print('loading')\nclass look(Rule):\n    listens_to = ['go']\n");

        await caller.SettleAsync("""{"go": 1}""");

        (await Entry(caller, "scripts/look.py")).GetProperty("loadLog").GetString().ShouldBe("loading\n");
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

    private void Add(string version, int sides) => way.Index.Add(_shapes, version, "", (_shapes + "/__init__.py", $"sides = {sides}\n"));

    private async Task<TestCaller> CallerAsync()
    {
        var tenant = await TestTenant.MakeAsync(way.Database);
        return new TestCaller(tenant, tenant.Client(way.Web));
    }

    private async Task<IReadOnlyList<string>> TreeAsync(TestCaller caller) =>
        [.. (await new FileStore(new EddyDbs(way.Database.App), TimeProvider.System).ReadTreeAsync(caller.Tenant.Id, Cancel)).Data.Select(file => $"{file.Path} {Convert.ToHexString(file.Content)}")];

    private static async Task<System.Text.Json.JsonElement> Entry(TestCaller caller, string path) =>
        (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Single(file => file.GetProperty("path").GetString() == path);
}
