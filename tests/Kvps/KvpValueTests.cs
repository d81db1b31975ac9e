using System.Globalization;
using System.Numerics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Eddy.Kvps;

namespace Eddy.Tests.Kvps;

public sealed class KvpValueTests
{
    [Theory]
    // None, bool
    [InlineData("null", "null")]
    [InlineData(" true ", "true")]
    [InlineData("false", "false")]
    // int
    [InlineData("95", "95")]
    [InlineData("-95", "-95")]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("123456789012345678901234567890", "123456789012345678901234567890")]
    // float
    [InlineData("95.0", "95.0")]
    [InlineData("95.50", "95.5")]
    [InlineData("1e3", "1000.0")]
    [InlineData("1E+3", "1000.0")]
    [InlineData("0.0000001", "0.0000001")]
    [InlineData("1e-7", "0.0000001")]
    [InlineData("1.5e-7", "0.00000015")]
    [InlineData("-1.25e-10", "-0.000000000125")]
    [InlineData("-0.0", "0.0")]
    [InlineData("0e5", "0.0")]
    [InlineData("-0e0", "0.0")]
    [InlineData("1e-400", "0.0")]
    [InlineData("0.1", "0.1")]
    [InlineData("0.30000000000000004", "0.30000000000000004")]
    [InlineData("1e16", "10000000000000000.0")]
    [InlineData("1.2345e20", "123450000000000000000.0")]
    [InlineData("123456789.123456789e8", "12345678912345678.0")]
    [InlineData("2.9802322387695312e-08", "0.000000029802322387695312")]
    [InlineData("-2.9802322387695312e-08", "-0.000000029802322387695312")]
    [InlineData("9007199254740993.0", "9007199254740992.0")]
    // str
    [InlineData("\"text\"", "\"text\"")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("\"gr\u00f6\u00dfe \U0001F600 \u2028\"", "\"gr\u00f6\u00dfe \U0001F600 \u2028\"")]
    [InlineData("""  "a\/bA😀" """, "\"a/bA\U0001F600\"")]
    [InlineData(@"""\"" \\ \b \t \n \f \r \u0001 \u001F \u001f""", @"""\"" \\ \b \t \n \f \r \u0001 \u001f \u001f""")]
    [InlineData("\"\\u007f\"", "\"\u007f\"")]
    [InlineData("\"\\u0022\\u005c\\u000a\"", @"""\""\\\n""")]
    // list, dict
    [InlineData("[ 1 , 2 ]", "[1,2]")]
    [InlineData("[]", "[]")]
    [InlineData("{ }", "{}")]
    [InlineData("""{"b": 2, "a": 1}""", """{"a":1,"b":2}""")]
    [InlineData("""{"a":1,"B":2,"":3,"aa":4}""", """{"":3,"B":2,"a":1,"aa":4}""")]
    [InlineData("""{"z":[{"y":1,"x":{"b":[],"a":{}}}],"\n":0}""", """{"\n":0,"z":[{"x":{"a":{},"b":[]},"y":1}]}""")]
    // By UTF-8 U+FFFD comes before U+1F600; by UTF-16 it would come after.
    [InlineData("{\"\U0001F600\":1,\"\uFFFD\":2}", "{\"\uFFFD\":2,\"\U0001F600\":1}")]
    // Not by the escaped form: \ (5C) would be before a, as a newline is before the quote.
    [InlineData("""{"!":1,"\n":2,"\\":3,"]":4,"\"":5}""", """{"\n":2,"!":1,"\"":5,"\\":3,"]":4}""")]
    public void Json_becomes_canonical(string json, string canonical) => Canonical(json).ShouldBe(canonical);

    [Theory]
    [InlineData("""{"$date":"2026-11-23"}""")]
    [InlineData("""{"$date":"0001-01-01"}""")]
    [InlineData("""{"$date":"2024-02-29"}""")]
    [InlineData("""{"$time":"10:00:00"}""")]
    [InlineData("""{"$time":"23:59:59.999999"}""")]
    [InlineData("""{"$time":"10:00:00.25"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00.000001"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+00:00"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00.5-23:59"}""")]
    [InlineData("""{"$datetime":"1890-01-01T10:00:00+00:53:28[Europe/Berlin]"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+01:00[Europe/Berlin]"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00-03:00[America/Argentina/Buenos_Aires]"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00-05:00[Etc/GMT+5]"}""")]
    [InlineData("""{"$decimal":"1.10"}""")]
    [InlineData("""{"$decimal":"-0.00"}""")]
    [InlineData("""{"$decimal":"100"}""")]
    [InlineData("""{"$process":15}""")]
    [InlineData("""{"$process":9223372036854775807}""")]
    [InlineData("""{"$dict":{"$ref":"#/x"}}""")]
    [InlineData("""{"$dict":{"$date":"2026-11-23"}}""")]
    [InlineData("""{"$dict":{"$date":5}}""")]
    [InlineData("""{"$dict":{"$dict":{"a":1}}}""")]
    [InlineData("""{"$dict":{"$dict":{"$dict":{"$ref":1}}}}""")]
    [InlineData("""{"$dict":{"$ref":{"$dict":{"$ref":{"$dict":{"$ref":1}}}}}}""")]
    public void A_tag_in_its_form_stays_as_it_is(string tag)
    {
        Canonical(tag).ShouldBe(tag);
        Canonical($"[{tag}]").ShouldBe($"[{tag}]");
        Canonical($$"""{"x":{{tag}}}""").ShouldBe($$"""{"x":{{tag}}}""");
    }

    [Theory]
    [InlineData("""{ "$date" : "2026-11-23" }""", """{"$date":"2026-11-23"}""")]
    [InlineData("""{"\u0024date":"2026\u002d11-23"}""", """{"$date":"2026-11-23"}""")]
    [InlineData("""{"\u0024dict":{"\u0024ref":1}}""", """{"$dict":{"$ref":1}}""")]
    public void A_tag_written_otherwise_is_the_same_tag(string json, string canonical) => Canonical(json).ShouldBe(canonical);

    [Theory]
    [InlineData("""{"$ref":"#/x"}""")]
    [InlineData("""{"$":1}""")]
    [InlineData("""{"$date":5}""")]
    [InlineData("""{"$date":"2026-02-29"}""")]
    [InlineData("""{"$date":"2026-1-1"}""")]
    [InlineData("""{"$date":"0000-01-01"}""")]
    [InlineData("""{"$date":"2026-11-23T10:00:00"}""")]
    [InlineData("""{"$date":{"$numberLong":"5"}}""", """{"$date":{"$dict":{"$numberLong":"5"}}}""")]
    [InlineData("""{"$Date":"2026-11-23"}""")]
    [InlineData("""{"$time":"24:00:00"}""")]
    [InlineData("""{"$time":"10:00"}""")]
    [InlineData("""{"$time":"10:00:00."}""")]
    [InlineData("""{"$time":"10:00:00.250"}""")]
    [InlineData("""{"$time":"10:00:00.1234567"}""")]
    [InlineData("""{"$time":"10:00:00+01:00"}""")]
    [InlineData("""{"$datetime":"2026-11-23 10:00:00"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00Z"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00-00:00"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+24:00"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+0100"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+01:00:00"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00[Europe/Berlin]"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+01:00[]"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+01:00[../etc]"}""")]
    [InlineData("""{"$datetime":"2026-11-23T10:00:00+01:00[Europe/Berlin"}""")]
    [InlineData("""{"$decimal":"01.10"}""")]
    [InlineData("""{"$decimal":"1e5"}""")]
    [InlineData("""{"$decimal":"1."}""")]
    [InlineData("""{"$decimal":".5"}""")]
    [InlineData("""{"$decimal":"NaN"}""")]
    [InlineData("""{"$decimal":1.10}""", """{"$decimal":1.1}""")]
    [InlineData("""{"$process":0}""")]
    [InlineData("""{"$process":-1}""")]
    [InlineData("""{"$process":1.0}""")]
    [InlineData("""{"$process":"15"}""")]
    [InlineData("""{"$process":9223372036854775808}""")]
    [InlineData("""{"$dict":5}""")]
    [InlineData("""{"$dict":{}}""")]
    [InlineData("""{"$dict":{"a":1}}""")]
    [InlineData("""{"$dict":{"$a":1,"b":2}}""")]
    [InlineData("""{"$dict":[{"$ref":1}]}""", """{"$dict":[{"$dict":{"$ref":1}}]}""")]
    public void What_only_looks_like_a_tag_is_wrapped(string json, string? inner = null) => Canonical(json).ShouldBe($$"""{"$dict":{{inner ?? json}}}""");

    [Theory]
    [InlineData("""{"$date":"2026-11-23","a":1}""")]
    [InlineData("""{"$a":1,"$b":2}""")]
    [InlineData("""{"$dict":{"$dict":{"$ref":1}},"x":1}""")]
    public void Of_several_keys_none_makes_a_tag(string json) => Canonical(json).ShouldBe(json);

    [Theory]
    [InlineData("1e400")]
    [InlineData("-1e400")]
    [InlineData("\"\\u0000\"")]
    [InlineData("\"\\ud83d\"")]
    [InlineData("\"\\ude00\\ud83d\"")]
    [InlineData("\"\\ud83dx\"")]
    [InlineData("\"\\ud83d\\n\"")]
    public void What_no_value_is_is_refused(string json)
    {
        Fault(json).ShouldBe((KvpFaultKind.Value, ""));
        Fault($"[1,{json}]").ShouldBe((KvpFaultKind.Value, "/1"));
        Fault($$$"""{"a/b":{"c~d":[{{{json}}}]}}""").ShouldBe((KvpFaultKind.Value, "/a~1b/c~0d/0"));
        Fault($$$"""{"$dict":{"$x":{{{json}}}}}""").ShouldBe((KvpFaultKind.Value, "/$dict/$x"));
        Fault($$"""{"$date":{{json}}}""").ShouldBe((KvpFaultKind.Value, "/$date"));
    }

    [Theory]
    [InlineData("""{"a":1,"a":1}""", "/a")]
    [InlineData("""{"a":1,"b":2,"\u0061":3}""", "/a")]
    [InlineData("""[{"x":{"b":1,"a":1,"b":1}}]""", "/0/x/b")]
    [InlineData("""{"$date":"2026-11-23","$date":"2026-11-23"}""", "/$date")]
    [InlineData("""{"$dict":{"$x":1,"$x":2}}""", "/$dict/$x")]
    [InlineData("""{"$dict":{"$x":1},"$dict":{"$x":1}}""", "/$dict")]
    public void A_key_that_is_there_twice_is_refused(string json, string pointer) => Fault(json).ShouldBe((KvpFaultKind.Value, pointer));

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("nul")]
    [InlineData("NaN")]
    [InlineData("Infinity")]
    [InlineData("01")]
    [InlineData("+1")]
    [InlineData("1.")]
    [InlineData(".5")]
    [InlineData("'a'")]
    [InlineData("[1,]")]
    [InlineData("[1")]
    [InlineData("""{"a":1,}""")]
    [InlineData("""{a:1}""")]
    [InlineData("{1:1}")]
    [InlineData("""{"$dict":{"$x":""")]
    [InlineData("""{"$date":""")]
    [InlineData("{")]
    [InlineData("1 2")]
    [InlineData("{} {}")]
    [InlineData("/* c */ 1")]
    [InlineData("1 // c")]
    [InlineData("\"a\nb\"")]
    [InlineData("\"\0\"")]
    [InlineData("\"\\x41\"")]
    [InlineData("\uFEFF1")]
    public void What_is_no_json_is_malformed(string json) => Fault(json).Kind.ShouldBe(KvpFaultKind.Malformed);

    [Theory]
    [InlineData(new byte[] { (byte)'"', 0xFF, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xC0, 0x80, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xED, 0xA0, 0x80, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', 0xE2, 0x82, (byte)'"' })]
    [InlineData(new byte[] { (byte)'"', (byte)'\\', (byte)'n', 0xFF, (byte)'"' })]
    public void Text_that_is_no_utf8_is_malformed(byte[] json)
    {
        KvpValue.TryCanonical(json, out _, out var fault).ShouldBeFalse();

        fault!.Kind.ShouldBe(KvpFaultKind.Malformed);
    }

    [Fact]
    public void Sixty_four_levels_are_the_deepest()
    {
        Canonical(Lists(64)).ShouldBe(Lists(64));
        Fault(Lists(65)).Kind.ShouldBe(KvpFaultKind.Value);
        Fault(Lists(65)).Pointer.ShouldBe(string.Concat(Enumerable.Repeat("/0", 64)));
        Fault(Lists(100_000)).Kind.ShouldBe(KvpFaultKind.Value);
        Fault(new string('[', 100_000)).Kind.ShouldBe(KvpFaultKind.Value);
        Canonical(Dictionaries(64, "a", "1")).ShouldBe(Dictionaries(64, "a", "1"));
        Fault(Dictionaries(65, "a", "1")).Kind.ShouldBe(KvpFaultKind.Value);
        Fault(Dictionaries(70_000, "$dict", "1")).Kind.ShouldBe(KvpFaultKind.Value);
    }

    [Fact]
    public void Tags_and_wrappings_are_no_levels()
    {
        Canonical(Lists(64, """{"$date":"2026-11-23"}""")).ShouldContain("$date");
        Canonical(Dictionaries(64, "$x", """{"$decimal":"1"}""")).Length.ShouldBe((64 * 17) + 16);
        Canonical(Canonical(Dictionaries(64, "$x", "1"))).ShouldBe(Canonical(Dictionaries(64, "$x", "1")));
        Fault(Lists(64, """{"$ref":1}""")).Kind.ShouldBe(KvpFaultKind.Value);
    }

    [Fact]
    public void A_whole_number_has_at_most_4300_digits()
    {
        var longest = new string('9', 4300);

        Canonical(longest).ShouldBe(longest);
        Canonical("-" + longest).ShouldBe("-" + longest);
        Fault(longest + "9").ShouldBe((KvpFaultKind.Value, ""));
        Fault($"[-{longest}9]").ShouldBe((KvpFaultKind.Value, "/0"));
    }

    [Fact]
    public void A_value_has_at_most_256_KiB_of_utf8()
    {
        Canonical($"\"{new string('a', KvpValue.MaxBytes - 2)}\"").Length.ShouldBe(KvpValue.MaxBytes);
        Fault($"\"{new string('a', KvpValue.MaxBytes - 1)}\"").Kind.ShouldBe(KvpFaultKind.TooLarge);
        Fault($"\"{new string('ä', KvpValue.MaxBytes / 2)}\"").Kind.ShouldBe(KvpFaultKind.TooLarge);
        Fault($"[{string.Join(',', Enumerable.Repeat("1e300", 1000))}]").Kind.ShouldBe(KvpFaultKind.TooLarge);
        KvpValue.TryText(new string('ä', (KvpValue.MaxBytes / 2) - 1), out _, out _).ShouldBeTrue();
        KvpValue.TryText(new string('ä', KvpValue.MaxBytes / 2), out _, out var fault).ShouldBeFalse();
        fault!.Kind.ShouldBe(KvpFaultKind.TooLarge);
    }

    [Fact]
    public void A_reader_stands_on_the_last_token_of_the_value_that_was_read()
    {
        var reader = new Utf8JsonReader("""[{"a":{"$date":"2026-11-23"}},{"$dict":{"$x":[1]}},"x",{"$x":2},7]"""u8, KvpValue.ReaderOptions);
        var values = new List<string>();
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            KvpValue.TryRead(ref reader, out var canonical, out _).ShouldBeTrue();
            values.Add(canonical!);
        }

        values.ShouldBe(["""{"a":{"$date":"2026-11-23"}}""", """{"$dict":{"$x":[1]}}""", "\"x\"", """{"$dict":{"$x":2}}""", "7"]);
    }

    [Fact]
    public void Values_of_the_clr_have_their_canonical_json()
    {
        KvpValue.FromBool(true).ShouldBe("true");
        KvpValue.FromInteger(long.MinValue).ShouldBe("-9223372036854775808");
        KvpValue.FromInteger(BigInteger.Pow(10, 40)).ShouldBe("1" + new string('0', 40));
        KvpValue.FromFloat(5e-324).ShouldBe("0." + new string('0', 323) + "5");
        KvpValue.FromFloat(double.MaxValue).ShouldStartWith("17976931348623157000");
        KvpValue.FromDecimal(1.10m).ShouldBe("""{"$decimal":"1.10"}""");
        KvpValue.FromDate(new DateOnly(2026, 11, 23)).ShouldBe("""{"$date":"2026-11-23"}""");
        KvpValue.FromTime(new TimeOnly(10, 0, 0, 250)).ShouldBe("""{"$time":"10:00:00.25"}""");
        KvpValue.FromDateTime(new DateTime(2026, 11, 23, 10, 0, 0)).ShouldBe("""{"$datetime":"2026-11-23T10:00:00"}""");
        KvpValue.FromDateTime(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.FromHours(1))).ShouldBe("""{"$datetime":"2026-11-23T10:00:00+01:00"}""");
        KvpValue.FromDateTime(new DateTimeOffset(2026, 11, 23, 10, 0, 0, TimeSpan.Zero)).ShouldBe("""{"$datetime":"2026-11-23T10:00:00+00:00"}""");
        KvpValue.FromProcess(15).ShouldBe("""{"$process":15}""");
        Should.Throw<ArgumentOutOfRangeException>(() => KvpValue.FromFloat(double.NaN));
        Should.Throw<ArgumentException>(() => KvpValue.FromText("\0"));
    }

    [Fact]
    public void Canonical_text_reads_back_as_the_same_text() =>
        Gen.String.Sample(text =>
        {
            var good = !text.Contains('\0') && Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;
            KvpValue.TryText(text, out var canonical, out _).ShouldBe(good);
            if (good)
            {
                JsonSerializer.Deserialize<string>(canonical!).ShouldBe(text);
                Canonical(canonical!).ShouldBe(canonical);
                Canonical(JsonSerializer.Serialize(text)).ShouldBe(canonical);
            }
        });

    [Fact]
    public void A_float_reads_back_as_the_same_double() =>
        Gen.Double.Where(double.IsFinite).Sample(number =>
        {
            var canonical = KvpValue.FromFloat(number);
            canonical.ShouldContain('.');
            canonical.ShouldNotContain('E');
            double.Parse(canonical, CultureInfo.InvariantCulture).ShouldBe(number);
            Canonical(canonical).ShouldBe(canonical);
        });

    [Fact]
    public void Every_power_of_two_reads_back_as_itself()
    {
        for (var exponent = -1074; exponent < 1024; exponent++)
        {
            var number = Math.ScaleB(1, exponent);
            double.Parse(KvpValue.FromFloat(number), CultureInfo.InvariantCulture).ShouldBe(number);
        }
    }

    [Fact]
    public void What_is_canonical_stays_as_it_is() =>
        AnyJson.Sample(node =>
        {
            var json = node?.ToJsonString() ?? "null";
            if (KvpValue.TryCanonical(Encoding.UTF8.GetBytes(json), out var canonical, out _))
            {
                Canonical(canonical).ShouldBe(canonical, json);
            }
        }, iter: 20_000);

    [Fact]
    public void No_bytes_throw() =>
        Gen.Byte.Array[0, 60].Sample(bytes => KvpValue.TryCanonical(bytes, out var canonical, out var fault).ShouldBe(fault is null && canonical is not null), iter: 50_000);

    [Fact]
    public void No_tokens_in_any_order_throw() =>
        Pick("{", "}", "[", "]", ",", ":", "\"$dict\"", "\"$date\"", "\"\\u0024x\"", "\"2026-11-23\"", "1", "-0", "1e999", "null", "\"\\ud800\"", " ", "\"a\"", "\"$process\"")
            .Array[0, 14].Sample(tokens =>
            {
                var json = string.Concat(tokens);
                if (KvpValue.TryCanonical(Encoding.UTF8.GetBytes(json), out var canonical, out _))
                {
                    Canonical(canonical).ShouldBe(canonical, json);
                }
            }, iter: 100_000);

    private static readonly Gen<string> Name = Pick("a", "b", "$dict", "$dict", "$date", "$ref", "$decimal", "$process", "", "é", "\n");

    private static readonly Gen<JsonNode?> Scalar = Gen.OneOf(
        Gen.Int.Select(n => (JsonNode?)n),
        Gen.Double.Where(double.IsFinite).Select(n => (JsonNode?)n),
        Pick("x", "2026-11-23", "1.10", "10:00:00", "\u0001", "\U0001F600").Select(s => (JsonNode?)s),
        Gen.Const((JsonNode?)null));

    private static readonly Gen<JsonNode?> AnyJson = Gen.Recursive<JsonNode?>((depth, inner) => depth > 5
        ? Scalar
        : Gen.OneOf(
            Scalar,
            inner.Array[0, 3].Select(items => (JsonNode?)new JsonArray([.. items.Select(i => i?.DeepClone())])),
            Gen.Select(Name, inner).Array[1, 2].Select(Object),
            Gen.Select(Name, inner).Select(pair => Object([pair]))));

    private static Gen<string> Pick(params string[] from) => Gen.Int[0, from.Length - 1].Select(i => from[i]);

    private static JsonNode? Object((string Name, JsonNode? Value)[] pairs)
    {
        var node = new JsonObject();
        foreach (var (name, value) in pairs)
        {
            node[name] = value?.DeepClone();
        }

        return node;
    }

    private static string Lists(int levels, string inner = "") => new string('[', levels) + inner + new string(']', levels);

    private static string Dictionaries(int levels, string key, string inner) =>
        string.Concat(Enumerable.Repeat($$"""{"{{key}}":""", levels)) + inner + new string('}', levels);

    private static string Canonical(string json)
    {
        KvpValue.TryCanonical(Encoding.UTF8.GetBytes(json), out var canonical, out var fault).ShouldBeTrue(fault?.Detail + " in " + json[..Math.Min(200, json.Length)]);
        return canonical!;
    }

    private static (KvpFaultKind Kind, string Pointer) Fault(string json)
    {
        KvpValue.TryCanonical(Encoding.UTF8.GetBytes(json), out _, out var fault).ShouldBeFalse(json[..Math.Min(200, json.Length)]);
        return (fault!.Kind, fault.Pointer);
    }
}
