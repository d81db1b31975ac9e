using System.Diagnostics;

namespace Eddy.Tests.Secrets;

/// <summary>The operator's command line, as a process of its own.</summary>
[Trait("Category", "Long")]
public sealed class SecretCommandTests(TestDatabase database)
{
    private const string Value = "sk_live_1234567890";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_operator_lists_rotates_and_wraps_anew_and_sees_no_value()
    {
        await using var own = await database.OfItsOwnAsync();
        var (old, current) = (TestSecrets.Line("old"), TestSecrets.Line("new"));
        var store = TestSecrets.Store(own, TestSecrets.Masters(old));
        var (first, second) = (await TestTenant.MakeAsync(own), await TestTenant.MakeAsync(own));
        await store.SetAsync(first, "A", Value, "api.example.com");
        await store.SetAsync(second, "B", Value, "api.example.com");
        await TestTenant.MakeAsync(own);
        var both = TestSecrets.File(current, old);

        var list = await EddyAsync(own, both, "secret", "list", "--tenant", first.Slug);
        var log = await EddyAsync(own, both, "secret", "log", "--tenant", first.Slug);
        var rotate = await EddyAsync(own, both, "secret", "rotate-key", "--tenant", second.Slug);
        var rewrap = await EddyAsync(own, both, "secret", "rewrap");

        list.ShouldBe((0, list.Output));
        list.Output.ShouldContain("A ");
        list.Output.ShouldContain("the master key 'old' wraps it");
        log.Output.ShouldContain("key:test  set A for api.example.com");
        rotate.ShouldBe((0, "Secrets sealed under a new key: 1.\n"));
        // The second was wrapped anew when its key was rotated.
        rewrap.ShouldBe((0, "Tenants' keys wrapped anew: 1; no other master key is needed any more.\n"));
        $"{list}{log}{rotate}{rewrap}".ShouldNotContain(Value);
        var now = TestSecrets.Store(own, TestSecrets.Masters(current));
        (await now.SetOfAsync(first)).Fill((await now.SetOfAsync(first)).Placeholder("A"), "api.example.com", []).ShouldBe(Value);
        (await now.SetOfAsync(second)).Fill((await now.SetOfAsync(second)).Placeholder("B"), "api.example.com", []).ShouldBe(Value);
    }

    [Fact]
    public async Task What_can_not_be_wrapped_anew_is_named_and_the_rest_is_done()
    {
        await using var own = await database.OfItsOwnAsync();
        var (lost, old, current) = (TestSecrets.Line("lost"), TestSecrets.Line("old"), TestSecrets.Line("new"));
        var (first, second) = (await TestTenant.MakeAsync(own), await TestTenant.MakeAsync(own));
        await TestSecrets.Store(own, TestSecrets.Masters(lost)).SetAsync(first, "A", Value, "api.example.com");
        await TestSecrets.Store(own, TestSecrets.Masters(old)).SetAsync(second, "B", Value, "api.example.com");

        var rewrap = await EddyAsync(own, TestSecrets.File(current, old), "secret", "rewrap");
        var without = await EddyAsync(own, null, "secret", "rewrap");
        var wrong = await EddyAsync(own, "/nowhere/keys", "secret", "rewrap");

        rewrap.Code.ShouldBe(1);
        rewrap.Output.ShouldContain($"{first.Slug}: The key of this tenant's secrets is wrapped by the master key 'lost'");
        rewrap.Output.ShouldContain("Tenants' keys wrapped anew: 1, not: 1.");
        without.Code.ShouldBe(1);
        without.Output.ShouldContain("no master key");
        wrong.Code.ShouldBe(2);
        wrong.Output.ShouldContain("/nowhere/keys can not be read");
        (await TestSecrets.Store(own, TestSecrets.Masters(current)).KeyAsync(second.Id, Cancel))!.Value.MasterKey.ShouldBe("new");
    }

    private static async Task<(int Code, string Output)> EddyAsync(TestDatabase of, string? masterKeyFile, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Eddy.Migrations.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["EDDY_DB"] = of.SuperuserConnection;
        start.Environment["Secrets__MasterKeyFile"] = masterKeyFile;
        using var eddy = Process.Start(start)!;
        var errors = eddy.StandardError.ReadToEndAsync(Cancel);
        var output = await eddy.StandardOutput.ReadToEndAsync(Cancel);
        await eddy.WaitForExitAsync(Cancel);
        return (eddy.ExitCode, output + await errors);
    }
}
