using System.Net;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using Eddy.Identity;
using Eddy.Tests.Browser;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Identity;

/// <summary>What people do with their own accounts.</summary>
public sealed partial class AccountTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Fact]
    public async Task Codes_of_an_app_are_asked_for_after_the_password_and_a_recovery_code_is_good_once()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();
        var key = Key().Match((await forms.GetAsync("/account")).Text).Groups[1].Value.Replace(" ", "", StringComparison.Ordinal);

        (await forms.SendAsync("/account", "codes", ("Form.Code", CodeOf(key)), ("Form.Password", "not the password"))).Text.ShouldContain("This is not your password");
        var begun = (await forms.SendAsync("/account", "codes", ("Form.Code", CodeOf(key)), ("Form.Password", TestBrowser.Password))).Text;
        var recovery = Recovery().Matches(begun).Select(match => match.Groups[1].Value).ToList();
        recovery.Count.ShouldBe(10);

        using var other = new TestForms(shared.Web);
        (await other.SignInAsync(address, TestBrowser.Password)).ShouldBeFalse();
        (await other.GetAsync("/account")).Location.ShouldNotBeNull().ShouldStartWith("/sign-in");
        (await other.SendAsync("/sign-in/code", "code", ("Form.Code", "000000"))).Location.ShouldBeNull();
        (await other.SendAsync("/sign-in/code", "code", ("Form.Code", CodeOf(key)))).Location.ShouldBe("/t");
        (await other.GetAsync("/account")).Status.ShouldBe(HttpStatusCode.OK);

        foreach (var isGood in new[] { true, false })
        {
            using var again = new TestForms(shared.Web);
            (await again.SignInAsync(address, TestBrowser.Password)).ShouldBeFalse();
            (await again.SendAsync("/sign-in/code", "code", ("Form.Code", recovery[0]))).Location.ShouldBe(isGood ? "/t" : null);
        }
    }

    [Fact]
    public async Task Another_password_or_address_asks_for_the_password_and_ends_all_other_sessions()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        var next = TestMail.NewAddress();
        using var here = new TestForms(shared.Web);
        using var there = new TestForms(shared.Web);
        (await here.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();
        (await there.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();

        (await here.SendAsync("/account", "password", ("Form.Password", "not the password"), ("Form.New", "another few words"))).Text.ShouldContain("This is not your password");
        (await here.SendAsync("/account", "password", ("Form.Password", TestBrowser.Password), ("Form.New", "another few words"))).Location.ShouldBe("/account?said=password");

        await Patience.UntilAsync("the other session ends", Patience.Long, async () => (await there.GetAsync("/account")).Status == HttpStatusCode.Redirect);
        (await here.SendAsync("/account", "address", ("Form.Email", next), ("Form.Password", "another few words"))).Text.ShouldContain(next);
        (await here.SendAsync(await database.LinkAsync(next, "Confirm your new address"), "new-address")).Location.ShouldBe("/account?said=address");
        (await there.SignInAsync(address, "another few words")).ShouldBeFalse();
        (await there.SignInAsync(next, "another few words")).ShouldBeTrue();
        (await database.SubjectsAsync(address)).ShouldBe(["Your password was changed", $"The address of your account is {next} now"]);
    }

    [Fact]
    public async Task An_account_that_is_deleted_is_in_no_tenant_and_signs_in_no_more()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var address = await TestBrowser.AddPersonAsync(tenant, "viewer");
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();

        (await forms.SendAsync("/account", "leave", ("Form.Password", TestBrowser.Password))).Location.ShouldBe("/");

        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeFalse();
        await using var count = database.Superuser.CreateCommand("select count(*) from members where tenant_id = $1");
        count.Parameters.Add(new() { Value = tenant.Id.Value });
        (await count.ExecuteScalarAsync(TestContext.Current.CancellationToken)).ShouldBe(0L);
    }

    [Fact]
    public async Task A_name_is_read_where_its_owner_saved_something_and_no_name_is_an_address()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var (address, other) = (await TestBrowser.AddPersonAsync(tenant, "owner"), await TestBrowser.AddPersonAsync(tenant, "editor"));
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();
        foreach (var wrong in new[] { "boss@acme.test", "Ann\u202eeve", new string('a', 81) })
        {
            (await forms.SendAsync("/account", "name", ("Form.Called", wrong))).Text.ShouldContain("A name ");
        }

        (await forms.SendAsync("/account", "name", ("Form.Called", " Ann Archer "))).Location.ShouldBe("/account?said=name");

        (await forms.GetAsync("/account")).Text.ShouldContain("value=\"Ann Archer\"");
        (await SeatAsync(tenant, other)).NameOf(address).ShouldBe("Ann Archer");
        (await SeatAsync(tenant, other)).NameOf("key:sensors").ShouldBe("key:sensors");
        using var others = new TestForms(shared.Web);
        (await others.SignInAsync(other, TestBrowser.Password)).ShouldBeTrue();
        (await others.SendAsync("/account", "name", ("Form.Called", "ann archer"))).Location.ShouldBe("/account?said=name");
        // Whoever takes the name of another is told from them.
        (await SeatAsync(tenant, address)).NameOf(other).ShouldBe($"ann archer ({other})");
        (await forms.SendAsync("/account", "name", ("Form.Called", ""))).Location.ShouldBe("/account?said=name");
        (await SeatAsync(tenant, other)).NameOf(address).ShouldBe(address);
    }

    private async Task<Seat> SeatAsync(TestTenant tenant, string address)
    {
        await using var read = database.Superuser.CreateCommand("select id::text from people where email = $1");
        read.Parameters.Add(new() { Value = address });
        var id = (string)(await read.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
        var who = new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, id)], "test"));
        return (await shared.Web.Services.GetRequiredService<Seats>().FindAsync(who, tenant.Slug, TestContext.Current.CancellationToken)).ShouldNotBeNull();
    }

    [Fact]
    public async Task The_theme_is_kept_in_the_browser()
    {
        var address = await TestBrowser.AddPersonAsync(await TestTenant.MakeAsync(database), "viewer");
        using var forms = new TestForms(shared.Web);
        (await forms.SignInAsync(address, TestBrowser.Password)).ShouldBeTrue();

        (await forms.SendAsync("/account", "theme", ("Form.Theme", "dark"))).Location.ShouldBe("/account?said=theme");

        (await forms.GetAsync("/account")).Text.ShouldContain("data-theme=\"dark\"");
    }

    /// <summary>What an app shows for this key now (RFC 6238).</summary>
    internal static string CodeOf(string key)
    {
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
        var (bytes, bits, held) = (new List<byte>(), 0, 0);
        foreach (var c in key)
        {
            (bits, held) = ((bits << 5) | Alphabet.IndexOf(c, StringComparison.Ordinal), held + 5);
            if (held >= 8)
            {
                bytes.Add((byte)(bits >> (held - 8)));
                (bits, held) = (bits & ((1 << (held - 8)) - 1), held - 8);
            }
        }

        var step = BitConverter.GetBytes(IPAddress.HostToNetworkOrder(DateTimeOffset.UtcNow.ToUnixTimeSeconds() / 30));
#pragma warning disable CA5350 // Apps know no other.
        var hash = HMACSHA1.HashData(bytes.ToArray(), step);
#pragma warning restore CA5350
        var offset = hash[^1] & 15;
        var number = ((hash[offset] & 127) << 24) | (hash[offset + 1] << 16) | (hash[offset + 2] << 8) | hash[offset + 3];
        return (number % 1_000_000).ToString("D6", System.Globalization.CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("class=\"secret\">([A-Z2-7 ]+)<", RegexOptions.CultureInvariant)]
    private static partial Regex Key();

    [GeneratedRegex("<li>([A-Z0-9]{5}-[A-Z0-9]{5})</li>", RegexOptions.CultureInvariant)]
    private static partial Regex Recovery();
}
