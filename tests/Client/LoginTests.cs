using System.Text.Json;

namespace Eddy.Tests.Client;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class LoginTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task A_login_tells_what_the_key_is_and_keeps_it_for_oneself_alone()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var me = TestClient.Make();

        var ended = await me.RunAsync(tenant.Key + "\n", ["login", shared.Web.Address.ToString()]);

        ended.Code.ShouldBe(0, ended.Error);
        ended.Out.ShouldContain($"({tenant.Slug}) at {shared.Web.Address.GetLeftPart(UriPartial.Authority)}, by the key 'test': ingest, read, write.");
        File.GetUnixFileMode(me.KeyFile).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.GetUnixFileMode(Path.GetDirectoryName(me.KeyFile)!).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.ReadAllText(me.KeyFile).ShouldContain(tenant.Key);
        await me.DoAsync("pull");
        (await me.DoAsync("logout")).ShouldContain("One login is forgotten.");
        File.ReadAllText(me.KeyFile).ShouldNotContain(tenant.Key);
        (await me.RunAsync("status")).Code.ShouldBe(2);
        me.Printed.ShouldNotContain(tenant.Key);
        Directory.EnumerateFiles(me.Folder, "*", SearchOption.AllDirectories).ShouldAllBe(file => !File.ReadAllText(file).Contains(tenant.Key));
    }

    [Fact]
    public async Task A_key_that_is_not_known_is_not_kept_and_not_told()
    {
        using var me = TestClient.Make();

        var ended = await me.RunAsync("eddy_of-nobody-at-all\n", ["login", shared.Web.Address.ToString()]);

        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("There is no such key, or it is revoked.");
        me.Printed.ShouldNotContain("eddy_of-nobody-at-all");
        File.Exists(me.KeyFile).ShouldBeFalse();
    }

    [Fact]
    public async Task A_key_goes_over_no_open_network_and_to_no_address_that_a_folder_names()
    {
        using var me = TestClient.Make();
        (await me.RunAsync("eddy_x\n", ["login", "http://eddy.test"])).Error.ShouldContain("is not https");

        me.Write(".eddy/state.json", JsonSerializer.Serialize(new { address = "http://127.0.0.1:9", tenant = "demo", version = 1, files = new { } }));
        me.Environment["EDDY_KEY"] = "eddy_x";

        var ended = await me.RunAsync("push");
        ended.Code.ShouldBe(2);
        ended.Error.ShouldContain("EDDY_KEY is set and EDDY_URL is not");
    }

    [Fact]
    public async Task In_CI_the_environment_is_the_login_and_nothing_is_kept()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var me = TestClient.Make();
        (me.Environment["EDDY_URL"], me.Environment["EDDY_KEY"]) = (shared.Web.Address.ToString(), tenant.Key);

        await me.DoAsync("pull");

        File.Exists(me.KeyFile).ShouldBeFalse();
        me.Printed.ShouldNotContain(tenant.Key);
    }

    [Fact]
    public async Task A_key_from_the_environment_is_for_the_tenant_that_is_said_or_nothing_is_done()
    {
        var (tenant, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        using var me = TestClient.Make();
        (me.Environment["EDDY_URL"], me.Environment["EDDY_KEY"]) = (shared.Web.Address.ToString(), tenant.Key);
        me.Write("app/workspace/a.txt", "a");

        var ended = await me.RunAsync("import", "app", "--yes", "--tenant", other.Slug);

        ended.Code.ShouldBe(2);
        ended.Error.ShouldContain($"--tenant says {other.Slug}, and EDDY_KEY is a key for {tenant.Slug}.");
        (await tenant.Client(shared.Web).GetAsync("/api/files", TestContext.Current.CancellationToken).JsonAsync()).GetProperty("files").GetArrayLength().ShouldBe(0);
        (await me.DoAsync("import", "app", "--yes", "--tenant", tenant.Slug)).ShouldContain("1 file imported");
    }

    [Fact]
    public async Task A_server_that_does_not_answer_is_another_code_than_one_that_refuses()
    {
        using var me = TestClient.Make();
        (me.Environment["EDDY_URL"], me.Environment["EDDY_KEY"]) = ("http://127.0.0.1:9", "eddy_x");

        var ended = await me.RunAsync("pull");

        ended.Code.ShouldBe(3);
        ended.Error.ShouldContain("http://127.0.0.1:9 does not answer");
        (await me.RunAsync("pusch")).Code.ShouldBe(2);
    }

    [Fact]
    public async Task A_key_tells_of_itself_whatever_its_scopes_and_no_key_tells_nothing()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var ingests = tenant.Client(shared.Web, await tenant.AddKeyAsync("sensors", "ingest"));

        var me = await ingests.GetAsync("/api/me", TestContext.Current.CancellationToken).JsonAsync();

        me.GetProperty("tenant").GetString().ShouldBe(tenant.Slug);
        me.GetProperty("key").GetString().ShouldBe("sensors");
        me.GetProperty("scopes").EnumerateArray().Select(scope => scope.GetString()).ShouldBe(["ingest"]);
        (await tenant.Client(shared.Web, "none").GetAsync("/api/me", TestContext.Current.CancellationToken).ProblemAsync(System.Net.HttpStatusCode.Unauthorized)).ShouldBe("unknown-key");
    }
}
