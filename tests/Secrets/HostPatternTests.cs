using Eddy.Secrets;

namespace Eddy.Tests.Secrets;

public sealed class HostPatternTests
{
    [Theory]
    [InlineData("api.stripe.com", "api.stripe.com")]
    [InlineData("api.stripe.com", "API.Stripe.COM")]
    [InlineData("api.stripe.com", "api.stripe.com.")]
    [InlineData("api.stripe.com", "api.stripe.com:443")]
    [InlineData("API.stripe.com:443", "api.stripe.com")]
    [InlineData("api.stripe.com:8443", "api.stripe.com:8443")]
    [InlineData("*.example.com", "a.example.com")]
    [InlineData("*.example.com:8080", "a.example.com:8080")]
    [InlineData("bücher.example", "xn--bcher-kva.example")]
    [InlineData("xn--bcher-kva.example", "bücher.example")]
    [InlineData("203.0.113.7", "203.0.113.7")]
    [InlineData("127.0.0.1:9000", "127.0.0.1:9000")]
    [InlineData("[2001:db8::7]", "[2001:DB8:0::7]")]
    [InlineData("[2001:db8::7]:8443", "[2001:db8::7]:8443")]
    [InlineData("localhost:9000", "localhost:9000")]
    public void It_covers_its_host(string pattern, string host) => Parse(pattern).Covers(host).ShouldBeTrue();

    [Theory]
    [InlineData("api.stripe.com", "stripe.com")]
    [InlineData("api.stripe.com", "api.stripe.com.evil.test")]
    [InlineData("api.stripe.com", "evil-api.stripe.com")]
    [InlineData("api.stripe.com", "x.api.stripe.com")]
    [InlineData("api.stripe.com", "api.stripe.com:8443")]
    [InlineData("api.stripe.com:8443", "api.stripe.com")]
    [InlineData("api.stripe.com", "api.stripe.com@evil.test")]
    [InlineData("api.stripe.com", "")]
    [InlineData("api.stripe.com", ":443")]
    [InlineData("*.example.com", "example.com")]
    [InlineData("*.example.com", ".example.com")]
    [InlineData("*.example.com", "a.b.example.com")]
    [InlineData("*.example.com", "aexample.com")]
    [InlineData("*.example.com", "*.example.com")]
    [InlineData("203.0.113.7", "203.0.113.70")]
    [InlineData("127.0.0.1", "127.1")]
    [InlineData("127.0.0.1", "2130706433")]
    [InlineData("127.0.0.1", "0x7f.0.0.1")]
    [InlineData("127.0.0.1", "[::ffff:127.0.0.1]")]
    public void It_covers_no_other(string pattern, string host) => Parse(pattern).Covers(host).ShouldBeFalse();

    [Theory]
    [InlineData("")]
    [InlineData("*")]
    [InlineData("*.")]
    [InlineData("*.com")]
    [InlineData("*example.com")]
    [InlineData("a.*.example.com")]
    [InlineData("*.*.example.com")]
    [InlineData("*.0.0.1")]
    [InlineData("*.127.0.0.1")]
    [InlineData("*.[2001:db8::7]")]
    [InlineData("127.1")]
    [InlineData("0177.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("https://api.stripe.com")]
    [InlineData("api.stripe.com/v1")]
    [InlineData("user@api.stripe.com")]
    [InlineData("api.stripe.com:")]
    [InlineData("api.stripe.com:0")]
    [InlineData("api.stripe.com:65536")]
    [InlineData("api.stripe.com:443:443")]
    [InlineData("api..stripe.com")]
    [InlineData("-api.stripe.com")]
    [InlineData("api stripe.com")]
    [InlineData("api.stripe.com\n")]
    [InlineData("[2001:db8::7%eth0]")]
    [InlineData("2001:db8::7")]
    public void What_names_no_host_is_refused_in_a_sentence(string text)
    {
        HostPattern.TryParse(text, out _, out var fault).ShouldBeFalse();

        fault!.ShouldEndWith(".");
    }

    [Theory]
    [InlineData("*.Example.com:443", "*.example.com")]
    [InlineData("API.example.com.:8443", "api.example.com:8443")]
    [InlineData("[2001:DB8:0:0::7]:80", "[2001:db8::7]")]
    public void It_is_written_in_one_way(string text, string written)
    {
        Parse(text).ToString().ShouldBe(written);
        Parse(written).ShouldBe(Parse(text));
    }

    private static HostPattern Parse(string text) => HostPattern.TryParse(text, out var pattern, out var fault) ? pattern : throw new InvalidOperationException(fault);
}
