using CsCheck;
using Eddy.Mail.Inbox;
using Eddy.Tenants;

namespace Eddy.Tests.Mail.Inbox;

public sealed class InboxAddressesTests
{
    private const string Domain = "in.example.com";

    private static readonly InboxAddresses Addresses = new(Domain, [[.. Enumerable.Repeat((byte)1, 32)]]);
    private static readonly TenantId Acme = new(Guid.Parse("019a0000-0000-7000-8000-000000000001"));
    private static readonly TenantId Other = new(Guid.Parse("019a0000-0000-7000-8000-000000000002"));

    [Fact]
    public void An_address_names_its_tenant() => Addresses.Read("ACME@In.Example.COM").ShouldBe(new InboxAddress("acme", null, null, null));

    [Fact]
    public void A_secret_comes_back_in_small_letters()
    {
        var secret = InboxAddresses.MakeSecret();

        Addresses.Read(Addresses.WithSecret("acme", secret).ToUpperInvariant()).ShouldBe(new InboxAddress("acme", secret, null, null));
        InboxAddresses.MakeSecret().ShouldNotBe(secret);
    }

    [Fact]
    public void A_reply_address_names_its_process_however_it_is_spelled() =>
        Gen.Select(Gen.Long[1, long.MaxValue], Gen.Char.AlphaNumeric.Array[0, 38]).Sample((pid, tail) =>
        {
            var slug = "a" + new string(tail).ToLowerInvariant() + "z";
            var address = Addresses.ForProcess(Acme, slug, pid);

            address.IndexOf('@', StringComparison.Ordinal).ShouldBeLessThanOrEqualTo(InboxAddresses.MostLocalCharacters);
            People.MailAddress.TryRead(address, out _).ShouldBeTrue();
            var read = Addresses.Read(address.ToUpperInvariant()).ShouldNotBeNull();
            read.Slug.ShouldBe(slug);
            Addresses.SignedPid(Acme, read).ShouldBe(pid);
        }, iter: 2_000);

    [Fact]
    public void A_signature_holds_for_its_tenant_and_process_alone()
    {
        var address = Addresses.ForProcess(Acme, "acme", 15);
        var read = Addresses.Read(address).ShouldNotBeNull();

        Addresses.SignedPid(Other, read).ShouldBeNull();
        Addresses.SignedPid(Acme, read with { Pid = 16 }).ShouldBeNull();
        Addresses.SignedPid(Acme, read with { Signature = read.Signature![..8] }).ShouldBeNull();
        Addresses.SignedPid(Acme, read with { Signature = "" }).ShouldBeNull();
        new InboxAddresses(Domain, [[.. Enumerable.Repeat((byte)2, 32)]]).SignedPid(Acme, read).ShouldBeNull();
    }

    [Fact]
    public void What_an_earlier_key_signed_holds_as_long_as_it_is_listed()
    {
        byte[] old = [.. Enumerable.Repeat((byte)1, 32)], fresh = [.. Enumerable.Repeat((byte)2, 32)];

        new InboxAddresses(Domain, [fresh, old]).SignedPid(Acme, Addresses.Read(Addresses.ForProcess(Acme, "acme", 15))).ShouldBe(15);
    }

    [Theory]
    [InlineData("acme@elsewhere.example.com")]
    [InlineData("acme@in.example.com.evil.test")]
    [InlineData("in.example.com")]
    [InlineData("@in.example.com")]
    [InlineData("a me@in.example.com")]
    [InlineData("-acme@in.example.com")]
    [InlineData("")]
    [InlineData(null)]
    public void What_is_no_inbox_is_none(string? address) => Addresses.Read(address).ShouldBeNull();

    [Theory]
    [InlineData("acme+r@in.example.com")]
    [InlineData("acme+r.sig@in.example.com")]
    [InlineData("acme+r0f.sig@in.example.com")]
    [InlineData("acme+rzzzzzzzzzzzzz.sig@in.example.com")]
    [InlineData("acme+rf.a.b@in.example.com")]
    public void What_names_no_process_is_at_most_a_secret(string address) => Addresses.Read(address).ShouldNotBeNull().Pid.ShouldBeNull();

    [Fact]
    public void Nothing_makes_reading_an_address_throw() =>
        Gen.String.Sample(text => Addresses.SignedPid(Acme, Addresses.Read($"{text}@{Domain}")).ShouldBeNull(), iter: 2_000);
}
