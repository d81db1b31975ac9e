using System.Text;
using Eddy.Secrets;

namespace Eddy.Tests.Secrets;

public sealed class FillTests(TestDatabase database)
{
    private const string Host = "api.example.com";

    [Fact]
    public async Task The_value_takes_the_placeholders_place_and_its_use_is_told()
    {
        var set = await TestSecrets.SetAsync(database, ("STRIPE", "sk_live_1234567890"), ("OTHER", "something else"));
        var (a, b) = (set.Placeholder("STRIPE"), set.Placeholder("OTHER"));
        var used = new List<string>();

        set.Fill($"Bearer {a}", Host, used).ShouldBe("Bearer sk_live_1234567890");
        set.Fill($"{a}{a}x{b}{SecretSet.PlaceholderPrefix}", Host, used).ShouldBe("sk_live_1234567890sk_live_1234567890xsomething else" + SecretSet.PlaceholderPrefix);
        set.Fill("nothing", Host, used).ShouldBe("nothing");

        used.ShouldBe(["STRIPE", "OTHER"]);
    }

    [Fact]
    public async Task Bytes_are_filled_whatever_else_they_are()
    {
        var set = await TestSecrets.SetAsync(database, ("A", "gräß€"));
        var used = new List<string>();
        byte[] rest = [0, 255, 10, 0xC3];

        var filled = set.FillBytes((byte[])[.. rest, .. Encoding.ASCII.GetBytes(set.Placeholder("A")), .. rest, .. "eddysecret_"u8], Host, used);

        filled.ToArray().ShouldBe([.. rest, .. "gräß€"u8, .. rest, .. "eddysecret_"u8]);
        used.ShouldBe(["A"]);
        ReadOnlyMemory<byte> plain = rest;
        set.FillBytes(plain, Host, used).Equals(plain).ShouldBeTrue();
    }

    [Theory]
    [InlineData("evil.test")]
    [InlineData("api.example.com.evil.test")]
    [InlineData("api.example.com:8443")]
    [InlineData("")]
    public async Task For_another_host_it_is_refused_in_a_sentence_without_the_value(string host)
    {
        var set = await TestSecrets.SetAsync(database, ("STRIPE", "sk_live_1234567890"));
        var used = new List<string>();

        var refused = Should.Throw<SecretRefused>(() => set.Fill("x=" + set.Placeholder("STRIPE"), host, used));
        Should.Throw<SecretRefused>(() => set.FillBytes(Encoding.ASCII.GetBytes(set.Placeholder("STRIPE")), host, used));

        refused.Name.ShouldBe("STRIPE");
        refused.Host.ShouldBe(host);
        refused.Message.ShouldBe($"The secret 'STRIPE' is not for {host}: it may go to api.example.com.");
        refused.ToString().ShouldNotContain("sk_live");
        used.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_placeholder_is_always_the_same_and_nothing_to_another_tenant()
    {
        var store = TestSecrets.Store(database, TestSecrets.Masters(TestSecrets.Line("one")));
        var (mine, other) = (await TestTenant.MakeAsync(database), await TestTenant.MakeAsync(database));
        await store.SetAsync(mine, "KEY", "the first value", Host);
        await store.SetAsync(other, "KEY", "the first value", Host);
        var (first, others) = (await store.SetOfAsync(mine), await store.SetOfAsync(other));
        var placeholder = first.Placeholder("KEY");

        await store.DeleteAsync(mine.Id, "KEY", "key:test", Eddy.Postgres.WriteCondition.None, TestContext.Current.CancellationToken);
        await store.SetAsync(mine, "KEY", "the second value", Host);

        (await store.SetOfAsync(mine)).Placeholder("KEY").ShouldBe(placeholder);
        placeholder.ShouldMatch("^eddysecret_[0-9a-f]{32}$");
        Uri.EscapeDataString(placeholder).ShouldBe(placeholder);
        others.Placeholder("KEY").ShouldNotBe(placeholder);
        others.Fill(placeholder, Host, []).ShouldBe(placeholder);
    }

    [Theory]
    [InlineData(Spelling.Plain, "a \"b\"\\&=+/ü\n", "a \"b\"\\&=+/ü\n")]
    [InlineData(Spelling.Url, "a \"b\"\\&=+/ü\n", "a%20%22b%22%5C%26%3D%2B%2F%C3%BC%0A")]
    [InlineData(Spelling.Json, "a \"b\"\\&=+/ü\n", "a \\\"b\\\"\\\\&=+/ü\\n")]
    [InlineData(Spelling.Xml, "a \"b\"\\&=+/ü\n<'", "a &quot;b&quot;\\&amp;=+/ü\n&lt;&apos;")]
    [InlineData(Spelling.Header, "a \"b\"\\&=+/ü", "a \"b\"\\&=+/ü")]
    public async Task It_is_spelled_as_its_place_asks_for(Spelling spelling, string value, string spelled)
    {
        var set = await TestSecrets.SetAsync(database, ("A", value));

        set.Fill(set.Placeholder("A"), Host, [], spelling).ShouldBe(spelled);
        Encoding.UTF8.GetString(set.FillBytes(Encoding.ASCII.GetBytes(set.Placeholder("A")), Host, [], spelling).Span).ShouldBe(spelled);
    }

    [Fact]
    public async Task A_value_with_a_line_break_never_gets_into_a_header()
    {
        var set = await TestSecrets.SetAsync(database, ("PEM", "-----BEGIN\r\nX-Evil: 1"));

        Should.Throw<SecretRefused>(() => set.Fill(set.Placeholder("PEM"), Host, [], Spelling.Header)).Message.ShouldContain("header");
    }

    [Theory]
    [InlineData(null, Spelling.Plain)]
    [InlineData("text/plain", Spelling.Plain)]
    [InlineData("application/x-www-form-urlencoded; charset=utf-8", Spelling.Url)]
    [InlineData("Application/JSON", Spelling.Json)]
    [InlineData("application/vnd.api+json; v=1", Spelling.Json)]
    [InlineData("text/xml; charset=utf-8", Spelling.Xml)]
    [InlineData("application/soap+xml", Spelling.Xml)]
    [InlineData("multipart/form-data; boundary=x", Spelling.Plain)]
    public void A_bodys_type_says_how_values_are_spelled_in_it(string? type, Spelling spelling) => Spellings.Of(type).ShouldBe(spelling);

    [Fact]
    public async Task What_a_set_says_of_itself_says_nothing_of_its_values()
    {
        var set = await TestSecrets.SetAsync(database, ("STRIPE", "sk_live_1234567890"));

        $"{set} {System.Text.Json.JsonSerializer.Serialize(set)}".ShouldNotContain("sk_live");
    }

    [Fact]
    public async Task It_signs_by_name_and_by_placeholder_with_vectors_of_RFC_4231_and_2202()
    {
        var set = await TestSecrets.SetAsync(database, ("JEFE", "Jefe"));
        var data = "what do ya want for nothing?"u8.ToArray();

        Convert.ToHexStringLower(set.Sign("JEFE", "sha256", data)).ShouldBe("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        Convert.ToHexStringLower(set.Sign(set.Placeholder("JEFE"), "sha1", data)).ShouldBe("effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
        Convert.ToHexStringLower(set.Sign("JEFE", "sha512", data)).ShouldStartWith("164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554");
        Convert.ToHexStringLower(set.Sign("JEFE", "sha384", data)).ShouldStartWith("af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e");
        set.NameOf(set.Placeholder("JEFE")).ShouldBe("JEFE");
        set.NameOf("NOBODY").ShouldBeNull();
        Should.Throw<SecretRefused>(() => set.Sign("JEFE", "md5", data)).Message.ShouldContain("sha256");
        Should.Throw<SecretRefused>(() => set.Sign("NOBODY", "sha256", data)).Message.ShouldContain("NOBODY");
        Should.Throw<SecretRefused>(() => set.Sign(SecretSet.PlaceholderPrefix + new string('0', 32), "sha256", data)).Message.ShouldContain("any more");
    }
}
