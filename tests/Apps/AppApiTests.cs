using System.IO.Compression;
using System.Net;

namespace Eddy.Tests.Apps;

public sealed class AppApiTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private const string Rule = "class a(Rule):\n    listens_to = [\"n\"]\n\n    def action(self):\n        self.seen = True\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_plan_shows_the_difference_and_saves_nothing_and_an_import_is_one_version_of_the_tree()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        (await client.PutAsync("/api/files/scripts/a.py", new StringContent(Rule), Cancel)).IsSuccessStatusCode.ShouldBeTrue();
        (await client.PutAsync("/api/files/workspace/kept.txt", new StringContent("kept"), Cancel)).IsSuccessStatusCode.ShouldBeTrue();
        var zip = TestApp.Zip(("scripts/a.py", Rule), ("scripts/b.py", Rule.Replace("class a", "class b", StringComparison.Ordinal)), ("workspace/new.txt", "1"), ("README.md", "# An app\n"));

        var plan = await TestApp.PlanAsync(client, zip);

        plan.GetProperty("tree").GetInt64().ShouldBe(2);
        plan.GetProperty("mayImport").GetBoolean().ShouldBeTrue();
        plan.GetProperty("files").EnumerateArray().Select(file => $"{file.GetProperty("path")} {file.GetProperty("kind")}").ShouldBe(["README.md new", "scripts/a.py same", "scripts/b.py new", "workspace/new.txt new"]);
        (await PathsAsync(client)).ShouldBe(["scripts/a.py 1", "workspace/kept.txt 2"]);

        var imported = await TestApp.ImportAsync(client, zip);

        imported.GetProperty("version").GetInt64().ShouldBe(3);
        imported.GetProperty("files").GetInt32().ShouldBe(3);
        (await PathsAsync(client)).ShouldBe(["README.md 3", "scripts/a.py 1", "scripts/b.py 3", "workspace/kept.txt 2", "workspace/new.txt 3"]);
        (await TestApp.ImportAsync(client, zip)).GetProperty("files").GetInt32().ShouldBe(0);
    }

    [Fact]
    public async Task An_app_may_be_larger_than_a_file()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        var data = new byte[700_000];
        Random.Shared.NextBytes(data);
        var text = Convert.ToBase64String(data);

        (await TestApp.ImportAsync(client, TestApp.Zip(("libraries/a.txt", text), ("libraries/b.txt", new string([.. text.Reverse()]))))).GetProperty("files").GetInt32().ShouldBe(2);
    }

    [Fact]
    public async Task One_file_that_could_not_be_in_force_keeps_all_of_them_out()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        var zip = TestApp.Zip(("scripts/a.py", Rule), ("scripts/b.py", "def broken(:\n"));

        var plan = await TestApp.PlanAsync(client, zip);
        plan.GetProperty("mayImport").GetBoolean().ShouldBeFalse();
        var refused = await TestApp.SendAsync(client, "/api/app", zip).JsonAsync(HttpStatusCode.UnprocessableEntity);

        refused.GetProperty("detail").GetString()!.ShouldContain("scripts/b.py could not be in force: line 1");
        (await PathsAsync(client)).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_saved_since_the_plan_refuses_it()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        var zip = TestApp.Zip(("scripts/a.py", Rule));
        var tree = (await TestApp.PlanAsync(client, zip)).GetProperty("tree").GetInt64();
        (await client.PutAsync("/api/files/workspace/x", new StringContent("1"), Cancel)).IsSuccessStatusCode.ShouldBeTrue();

        (await TestApp.SendAsync(client, "/api/app", zip, $"\"{tree}\"")).StatusCode.ShouldBe(HttpStatusCode.PreconditionFailed);
        (await TestApp.SendAsync(client, "/api/app", zip, $"\"{tree + 1}\"")).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Python_2_comes_in_as_Python_3_with_a_report_of_what_was_changed_and_what_a_person_has_to_see()
    {
        var client = (await TestTenant.MakeAsync(database)).Client(shared.Web);
        const string Old = """
            import urllib2

            class old(NebriOS):
                listens_to = ['amount']

                def check(self):
                    return isinstance(self.amount, basestring) or self.parts.has_key('x')

                def action(self):
                    try:
                        print 'amount', self.amount
                        for k, v in self.parts.iteritems():
                            self.first = self.parts.keys()[0]
                        self.half = self.amount / 2
                    except ValueError, e:
                        raise RuntimeError, 'no'
            """;

        var plan = await TestApp.PlanAsync(client, TestApp.Zip(("scripts/old.py", Old)));

        var file = plan.GetProperty("files")[0];
        file.GetProperty("faults").GetArrayLength().ShouldBe(0);
        file.GetProperty("converted").EnumerateArray().Select(one => one.GetProperty("line").GetInt32()).Distinct().Order().ShouldBe([7, 11, 12, 13, 15, 16]);
        file.GetProperty("toSee").EnumerateArray().Select(one => one.GetProperty("line").GetInt32()).ShouldBe([1, 14]);
        (await TestApp.ImportAsync(client, TestApp.Zip(("scripts/old.py", Old)))).GetProperty("files").GetInt32().ShouldBe(1);
        (await client.GetStringAsync("/api/files/scripts/old.py", Cancel)).ShouldBe("""
            import urllib2

            class old(NebriOS):
                listens_to = ['amount']

                def check(self):
                    return isinstance(self.amount, str) or ('x' in self.parts)

                def action(self):
                    try:
                        print('amount', self.amount)
                        for k, v in self.parts.items():
                            self.first = list(self.parts.keys())[0]
                        self.half = self.amount / 2
                    except ValueError as e:
                        raise RuntimeError('no')
            """);
    }

    [Fact]
    public async Task An_export_is_the_tree_and_comes_in_at_another_tenant_as_it_was()
    {
        var (one, other) = ((await TestTenant.MakeAsync(database)).Client(shared.Web), (await TestTenant.MakeAsync(database)).Client(shared.Web));
        await TestApp.ImportAsync(one, TestApp.Zip(("scripts/a.py", Rule), ("workspace/b.txt", "b"), ("pages/p.html", "<p>x</p>")));

        var zip = await one.GetByteArrayAsync("/api/app", Cancel);

        using var archive = new ZipArchive(new MemoryStream(zip));
        archive.Entries.Select(entry => entry.FullName).ShouldBe(["pages/p.html", "scripts/a.py", "workspace/b.txt"]);
        await TestApp.ImportAsync(other, zip);
        (await PathsAsync(other)).ShouldBe(["pages/p.html 1", "scripts/a.py 1", "workspace/b.txt 1"]);
        (await other.GetStringAsync("/api/files/scripts/a.py", Cancel)).ShouldBe(Rule);
    }

    [Fact]
    public async Task A_key_that_only_reads_imports_nothing_and_no_key_reads_nothing()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var reader = tenant.Client(shared.Web, await tenant.AddKeyAsync("reader", "read"));
        var nobody = tenant.Client(shared.Web, "none");

        (await TestApp.SendAsync(reader, "/api/app", TestApp.Zip(("scripts/a.py", Rule)))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await TestApp.SendAsync(reader, "/api/app/plan", TestApp.Zip(("scripts/a.py", Rule)))).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await nobody.GetAsync("/api/app", Cancel)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await TestApp.SendAsync(tenant.Client(shared.Web), "/api/app", [1, 2, 3])).StatusCode.ShouldBe(HttpStatusCode.BadRequest);
    }

    private static async Task<IEnumerable<string>> PathsAsync(HttpClient client) =>
        (await client.GetAsync("/api/files", Cancel).JsonAsync()).GetProperty("files").EnumerateArray().Select(file => $"{file.GetProperty("path")} {file.GetProperty("version")}");
}
