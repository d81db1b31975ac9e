using System.Diagnostics;
using System.Net;
using Eddy.Access;
using Eddy.Postgres;

namespace Eddy.Tests.Access;

/// <summary>The operator's commands for people and their keys, as processes of their own.</summary>
[Trait("Category", "Long")]
public sealed class MemberCommandTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_operator_lets_somebody_in_makes_them_a_key_and_takes_them_out_again()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = $"ann-{tenant.Slug}@acme.test";

        (await EddyAsync("key", "add", "--tenant", tenant.Slug, "--name", "phone", "--scope", "read", "--as", address)).ShouldBe((1, $"'{address}' does not belong to the tenant; 'eddy member set' lets them.\n"));
        (await EddyAsync("member", "set", "--tenant", tenant.Slug, "--address", "ann", "--role", "viewer")).Code.ShouldBe(2);
        (await EddyAsync("member", "set", "--tenant", tenant.Slug, "--address", address.ToUpperInvariant(), "--role", "viewer")).ShouldBe((0, $"{address} is viewer now.\n"));
        var (code, key) = await EddyAsync("key", "add", "--tenant", tenant.Slug, "--name", "phone", "--scope", "read", "--as", address);
        var keys = await EddyAsync("key", "list", "--tenant", tenant.Slug);

        code.ShouldBe(0);
        keys.Output.ShouldContain($"as {address}");
        var ann = tenant.Client(shared.Web, key.Trim());
        (await ann.GetAsync("/api/access/explain?act=read&key=a", Cancel).JsonAsync()).GetProperty("actor").GetString().ShouldBe(address);
        (await ann.GetAsync("/api/access/audit", Cancel).ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");

        (await EddyAsync("member", "set", "--tenant", tenant.Slug, "--address", address, "--role", "owner")).Code.ShouldBe(0);
        await Patience.UntilAsync("she is an owner", Patience.Long, async () => (await ann.GetAsync("/api/access/audit", Cancel)).StatusCode == HttpStatusCode.OK);
        (await EddyAsync("member", "list", "--tenant", tenant.Slug)).Output.ShouldContain($"owner   {address}");
        var store = new AccessStore(new EddyDbs(database.App), TimeProvider.System);
        var person = (await store.MembersAsync(tenant.Id, Cancel)).Single().Person;
        await store.SetGroupAsync(tenant.Id, "admins", [address], [person], "test", WriteCondition.None, Cancel);
        await store.SetGroupAsync(tenant.Id, "sales", [address], [person], "test", WriteCondition.None, Cancel);
        (await EddyAsync("member", "remove", "--tenant", tenant.Slug, "--address", address)).ShouldBe((0, $"{address} does not belong to the tenant any more. As a mail address they are still in sales.\n"));
        (await store.ReadAsync(tenant.Id, Cancel)).Groups.Select(group => (group.Name, group.Addresses.Count, group.People.Count)).ShouldBe([("admins", 0, 0), ("sales", 1, 0)]);
        await Patience.UntilAsync("her key is out of force", Patience.Long, async () => (await ann.GetAsync("/api/access/audit", Cancel)).StatusCode == HttpStatusCode.Unauthorized);
        (await EddyAsync("member", "remove", "--tenant", tenant.Slug, "--address", address)).Code.ShouldBe(1);

        var audit = await store.AuditAsync(tenant.Id, null, 10, Cancel);
        audit.Items.Where(line => line.Actor == "operator" && line.Action != "set-group").Select(line => $"{line.Actor} {line.Action} {line.Subject} {line.After}").ShouldBe(
            [$"operator remove-member {address} ", $"operator set-member {address} \"owner\"", $"operator add-key phone {{\"as\": \"{address}\", \"scopes\": [\"read\"]}}", $"operator set-member {address} \"viewer\""]);
    }

    private async Task<(int Code, string Output)> EddyAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "Eddy.Migrations.dll"), .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["EDDY_DB"] = database.SuperuserConnection;
        using var eddy = Process.Start(start)!;
        var errors = eddy.StandardError.ReadToEndAsync(Cancel);
        var output = await eddy.StandardOutput.ReadToEndAsync(Cancel);
        await eddy.WaitForExitAsync(Cancel);
        return (eddy.ExitCode, output + await errors);
    }
}
