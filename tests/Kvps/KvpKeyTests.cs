using System.Text;
using System.Text.Json;
using Eddy.Kvps;

namespace Eddy.Tests.Kvps;

public sealed class KvpKeyTests
{
    [Theory]
    [InlineData("temperature")]
    [InlineData("with space")]
    [InlineData("a.b/c~d")]
    [InlineData("größe")]
    [InlineData("😀")]
    [InlineData("$date")]
    public void An_ordinary_name_is_a_key(string key) => KvpKey.Fault(key).ShouldBeNull();

    [Fact]
    public void Characters_are_counted_as_code_points()
    {
        KvpKey.Fault(string.Concat(Enumerable.Repeat("😀", 128))).ShouldBeNull();
        KvpKey.Fault(string.Concat(Enumerable.Repeat("😀", 129)))!.ShouldContain("129");
        KvpKey.Fault(new string('a', 128)).ShouldBeNull();
        KvpKey.Fault(new string('a', 129))!.ShouldContain("128");
    }

    [Theory]
    [InlineData("", "at least one")]
    [InlineData("a\nb", "U+000A at character 2")]
    [InlineData("\0", "U+0000")]
    [InlineData("a\u007f", "U+007F")]
    [InlineData("😀\u0085", "U+0085 at character 2")]
    public void What_is_no_key_is_told_with_its_fault(string key, string fault) => KvpKey.Fault(key)!.ShouldContain(fault);

    [Fact]
    public void Half_a_surrogate_pair_is_no_key()
    {
        KvpKey.Fault("a\ud83d")!.ShouldContain("surrogate");
        KvpKey.Fault("\ude00a")!.ShouldContain("surrogate");
        KvpKey.Fault("\ud83dx")!.ShouldContain("surrogate");
    }

    [Theory]
    [InlineData("""{"a\u0062":1}""", "ab", null)]
    [InlineData("""{"\ud83d\ude00":1}""", "😀", null)]
    [InlineData("""{"\ud83d":1}""", null, KvpFaultKind.Key)]
    [InlineData("""{"a\u0000":1}""", null, KvpFaultKind.Key)]
    [InlineData("""{"":1}""", null, KvpFaultKind.Key)]
    public void A_property_name_is_read_with_its_escapes(string json, string? expected, KvpFaultKind? kind)
    {
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(json));
        reader.Read();
        reader.Read();

        KvpKey.TryRead(ref reader, out var key, out var fault).ShouldBe(expected is not null);

        key.ShouldBe(expected);
        fault?.Kind.ShouldBe(kind!.Value);
    }

    [Fact]
    public void A_property_name_that_is_no_utf8_is_malformed()
    {
        var reader = new Utf8JsonReader([(byte)'{', (byte)'"', 0xC0, 0x80, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        reader.Read();
        reader.Read();

        KvpKey.TryRead(ref reader, out _, out var fault).ShouldBeFalse();

        fault!.Kind.ShouldBe(KvpFaultKind.Malformed);
    }
}
