using System.Text;
using CsCheck;
using Eddy.Ingest;
using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Tests.Ingest;

public sealed class IngestBodyTests
{
    private static readonly string[] Types =
    [
        "application/json", "application/cloudevents+json", "application/x-ndjson", "text/plain", "text/csv", "application/x-www-form-urlencoded", "multipart/form-data; boundary=b",
        "text/xml", "application/json; charset=utf-16", "nonsense",
    ];

    [Theory]
    [InlineData("application/json")]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("Application/JSON;charset=\"UTF-8\"")]
    [InlineData("application/cloudevents+json")]
    public void A_json_object_is_one_process(string type) =>
        One(type, """{"temperature": 95, "room": "b1", "due": {"$date": "2026-12-24"}, "tags": [ ]}""")
            .ShouldBe(["temperature=95", "room=\"b1\"", """due={"$date":"2026-12-24"}""", "tags=[]"]);

    [Fact]
    public void A_key_that_looks_like_a_tag_is_a_key() => One("application/json", """{"$date":"2026-12-24"}""").ShouldBe(["$date=\"2026-12-24\""]);

    [Fact]
    public void A_json_array_is_one_process_for_each_object()
    {
        List("application/json", """[{"a":1},{"a":2,"b":null}]""").ShouldBe(["a=1", "a=2 b=null"]);
        List("application/json", """[{"a":1}]""").ShouldBe(["a=1"]);
    }

    [Theory]
    [InlineData("{\"a\":1", "invalid-json", null, 1)]
    [InlineData("{\"a\":1}\n{\"a\":2}", "invalid-json", null, 2)]
    [InlineData("{\"a\":1,}", "invalid-json", null, 1)]
    [InlineData("{\n\"a\":1 // c\n}", "invalid-json", null, 2)]
    [InlineData("nonsense", "invalid-json", null, 1)]
    [InlineData("5", "wrong-shape", "", null)]
    [InlineData("\"x\"", "wrong-shape", "", null)]
    [InlineData("null", "wrong-shape", "", null)]
    [InlineData("[{\"a\":1},5]", "wrong-shape", "/1", null)]
    [InlineData("[[{\"a\":1}]]", "wrong-shape", "/0", null)]
    [InlineData("{}", "nothing-to-set", "", null)]
    [InlineData("[]", "nothing-to-set", "", null)]
    [InlineData("[{\"a\":1},{}]", "nothing-to-set", "/1", null)]
    [InlineData("{\"\":1}", "invalid-key", "", null)]
    [InlineData("[{\"a\\u0007\":1}]", "invalid-key", "/0", null)]
    [InlineData("{\"a/b\":{\"c\":[1,\"\\u0000\"]}}", "invalid-value", "/a~1b/c/1", null)]
    [InlineData("[{\"a\":1},{\"b\":1e400}]", "invalid-value", "/1/b", null)]
    [InlineData("{\"a\":{\"x\":1,\"x\":2}}", "invalid-value", "/a/x", null)]
    [InlineData("{\"a\":1,\"\\u0061\":2}", "invalid-json", "/a", null)]
    public void Json_that_can_not_be_taken_is_refused_with_its_place(string json, string slug, string? pointer, int? line)
    {
        var refused = Refused("application/json", json);

        refused.Type.Slug.ShouldBe(slug);
        refused.Detail.ShouldNotBeEmpty();
        (refused.Errors[0].Pointer, refused.Errors[0].Line).ShouldBe((pointer, line));
    }

    [Fact]
    public void A_key_that_is_there_twice_is_found_among_many()
    {
        var many = string.Join(',', Enumerable.Range(0, 100).Select(i => $"\"k{i}\":{i}"));

        One("application/json", $"{{{many}}}").Count.ShouldBe(100);
        Refused("application/json", $"{{{many},\"k7\":1}}").Errors[0].Pointer.ShouldBe("/k7");
        Refused("application/json", $"{{{many},\"k99\":1}}").Errors[0].Pointer.ShouldBe("/k99");
    }

    [Fact]
    public void A_byte_order_mark_before_the_body_is_passed_over()
    {
        One("application/json", "\uFEFF{\"a\":1}").ShouldBe(["a=1"]);
        List("application/x-ndjson", "\uFEFF{\"a\":1}").ShouldBe(["a=1"]);
        One("text/plain", "\uFEFFa := 1").ShouldBe(["a=1"]);
        List("text/csv", "\uFEFFa\n1").ShouldBe(["a=1"]);
        One(null, "\uFEFFx").ShouldBe(["payload=\"x\"", "content_type=null"]);
    }

    [Theory]
    [InlineData("application/x-ndjson")]
    [InlineData("application/jsonl; charset=utf-8")]
    public void Each_line_of_ndjson_is_a_process(string type)
    {
        List(type, "{\"a\":1}\r\n\n {\"a\":2,\"b\":\"x\"} \n").ShouldBe(["a=1", "a=2 b=\"x\""]);
        List(type, "{\"a\":1}").ShouldBe(["a=1"]);
    }

    [Theory]
    [InlineData("{\"a\":1}\n{\"a\":\n2}", "invalid-json", 2)]
    [InlineData("{\"a\":1}\n\n[1]", "wrong-shape", 3)]
    [InlineData("{\"a\":1} {\"a\":2}", "invalid-json", 1)]
    [InlineData("{\"a\":1}\n{\"a\":\"\\u0000\"}", "invalid-value", 2)]
    [InlineData("{\"a\":1}\n{}", "nothing-to-set", 2)]
    [InlineData("{\"a\":1}\n{\"\":1}", "invalid-key", 2)]
    public void A_bad_line_of_ndjson_is_named(string text, string slug, int line)
    {
        var refused = Refused("application/x-ndjson", text);

        (refused.Type.Slug, refused.Errors[0].Line).ShouldBe((slug, line));
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("text/plain;charset=utf-8")]
    [InlineData("text/x-kvp")]
    public void Text_is_lines_of_kvps(string type) => One(type, "temperature := 95\nnote := '''a\nb'''").ShouldBe(["temperature=95", "note=\"a\\nb\""]);

    [Fact]
    public void A_bad_line_of_text_is_named()
    {
        var refused = Refused("text/plain", "a := 1\nHello there");
        (refused.Type, refused.Errors[0].Line).ShouldBe((ProblemType.InvalidText, 2));

        Refused("text/plain", "a := 1\nb := [\"\\u0000\"]").Detail.ShouldContain("“b”");
    }

    [Fact]
    public void A_form_is_read_by_the_grammar_for_text() =>
        One("application/x-www-form-urlencoded", "name=J%C3%BCrgen+M&temperature=95&code=007&tags=[1,2]&empty=&bare&when=2026-11-23&a%3Db=%26&")
            .ShouldBe(["name=\"Jürgen M\"", "temperature=95", "code=\"007\"", "tags=[1,2]", "empty=\"\"", "bare=\"\"", """when={"$date":"2026-11-23"}""", "a=b=\"&\""]);

    [Fact]
    public void A_field_that_is_there_several_times_is_a_list() =>
        One("application/x-www-form-urlencoded", "topping=ham&size=2&topping=7&topping=").ShouldBe(["topping=[\"ham\",7,\"\"]", "size=2"]);

    [Theory]
    [InlineData("a=%zz", "invalid-form", "/a")]
    [InlineData("a=%4", "invalid-form", "/a")]
    [InlineData("a=%FF", "invalid-form", "/a")]
    [InlineData("%FF=1", "invalid-form", null)]
    [InlineData("a=%00", "invalid-value", "/a")]
    [InlineData("=1", "invalid-key", "/")]
    [InlineData("&&", "nothing-to-set", null)]
    public void A_form_that_can_not_be_taken_is_refused(string form, string slug, string? pointer)
    {
        var refused = Refused("application/x-www-form-urlencoded", form);

        refused.Type.Slug.ShouldBe(slug);
        (refused.Errors is [var error, ..] ? error.Pointer : null).ShouldBe(pointer);
    }

    [Fact]
    public void A_form_in_parts_is_read_part_by_part() =>
        One("multipart/form-data; boundary=b", Parts(
                "Content-Disposition: form-data; name=\"room\"\r\n\r\nServer room",
                "Content-Disposition: form-data; name=temperature\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n95",
                "Content-Disposition: form-data; name=\"list\"\r\nContent-Type: application/json\r\n\r\n{\"b\":1,\"a\":\"2\"}",
                "Content-Disposition: form-data; name=\"left\"; filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n",
                "Content-Disposition: form-data; name=\"temperature\"\r\n\r\n96"))
            .ShouldBe(["room=\"Server room\"", "temperature=[95,96]", """list={"a":"2","b":1}"""]);

    [Theory]
    [InlineData("Content-Disposition: form-data; name=\"f\"; filename=\"x.png\"\r\nContent-Type: image/png\r\n\r\nx", "unsupported-part")]
    [InlineData("Content-Disposition: form-data; name=\"f\"\r\nContent-Type: image/png\r\n\r\nx", "unsupported-part")]
    [InlineData("Content-Disposition: form-data; name=\"f\"\r\nContent-Type: text/plain; charset=klingon\r\n\r\nx", "unsupported-charset")]
    [InlineData("Content-Disposition: form-data; name=\"f\"\r\nContent-Type: application/json\r\n\r\n{", "invalid-json")]
    [InlineData("Content-Disposition: form-data; name=\"f\"\r\nContent-Type: application/json\r\n\r\n1e400", "invalid-value")]
    [InlineData("Content-Disposition: form-data\r\n\r\nx", "invalid-form")]
    [InlineData("Content-Type: text/plain\r\n\r\nx", "invalid-form")]
    [InlineData("no header", "invalid-form")]
    [InlineData("Content-Disposition: form-data; name=\"\"\r\n\r\nx", "invalid-key")]
    public void A_part_that_can_not_be_taken_is_refused(string part, string slug) => Refused("multipart/form-data; boundary=b", Parts(part)).Type.Slug.ShouldBe(slug);

    [Theory]
    [InlineData("multipart/form-data", "x")]
    [InlineData("multipart/form-data; boundary=b", "no boundary anywhere")]
    [InlineData("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=a\r\n\r\nnever ends")]
    public void Parts_without_their_boundaries_are_refused(string type, string body) => Refused(type, body).Type.ShouldBe(ProblemType.InvalidForm);

    [Fact]
    public void Each_row_of_csv_is_a_process() =>
        List("text/csv", "room,temperature,note\r\nb1,95,\"says \"\"hi\"\",\r\nand goes\"\nb2,007,\n\n")
            .ShouldBe(["room=\"b1\" temperature=95 note=\"says \\\"hi\\\",\\r\\nand goes\"", "room=\"b2\" temperature=\"007\" note=\"\""]);

    [Theory]
    [InlineData("a,b\n1,2\n3", "invalid-csv", 3)]
    [InlineData("a,b\n\"1\n2\",3\n4,5,6", "invalid-csv", 4)]
    [InlineData("a\n\"open", "invalid-csv", 2)]
    [InlineData("a\n1\n\"x\"y", "invalid-csv", 3)]
    [InlineData("a\nx\"y\"", "invalid-csv", 2)]
    [InlineData("a,a\n1,2", "invalid-csv", 1)]
    [InlineData("a,\n1,2", "invalid-key", 1)]
    [InlineData("a\n[1e400]", "invalid-value", 2)]
    public void A_bad_row_of_csv_is_named(string csv, string slug, int line)
    {
        var refused = Refused("text/csv", csv);

        (refused.Type.Slug, refused.Errors[0].Line).ShouldBe((slug, line));
    }

    [Fact]
    public void Csv_needs_a_header_and_a_row()
    {
        Refused("text/csv", "a,b\n").Type.ShouldBe(ProblemType.NothingToSet);
        Refused("text/csv", "\n\n").Type.ShouldBe(ProblemType.NothingToSet);
        Refused("text/csv; header=absent", "1,2\n").Type.ShouldBe(ProblemType.InvalidCsv);
    }

    [Theory]
    [InlineData("application/xml", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>")]
    [InlineData("text/html; charset=utf-8", "<p>ä")]
    [InlineData("application/octet-stream", "plain after all")]
    [InlineData("text/json", "{\"a\":1}")]
    [InlineData("nonsense", "{\"a\":1}")]
    public void Anything_else_is_taken_as_it_is(string type, string body) =>
        One(type, body).ShouldBe([$"payload={KvpValue.FromText(body)}", $"content_type={KvpValue.FromText(type)}"]);

    [Fact]
    public void A_body_without_a_type_is_taken_as_it_is() => One(null, "{\"a\":1}").ShouldBe(["payload=\"{\\\"a\\\":1}\"", "content_type=null"]);

    [Theory]
    [InlineData("application/json", "{broken")]
    [InlineData("text/csv", "a,b")]
    [InlineData("multipart/form-data", "x")]
    public void Any_body_is_taken_as_it_is_on_demand(string type, string body) =>
        Show(Parse(type, Encoding.UTF8.GetBytes(body), asPayload: true)).ShouldBe([$"payload={KvpValue.FromText(body)}", $"content_type=\"{type}\""]);

    [Fact]
    public void Bytes_that_are_no_text_are_kept_in_base64()
    {
        Show(Parse("image/png", [0x89, 0x50, 0xFF])).ShouldBe(["payload=\"iVD/\"", "content_type=\"image/png\"", "payload_encoding=\"base64\""]);
        Show(Parse("text/xml", [(byte)'a', 0])).ShouldBe(["payload=\"YQA=\"", "content_type=\"text/xml\"", "payload_encoding=\"base64\""]);
        Show(Parse("text/xml; charset=klingon", [(byte)'a'])).ShouldBe(["payload=\"YQ==\"", "content_type=\"text/xml; charset=klingon\"", "payload_encoding=\"base64\""]);
    }

    [Theory]
    [InlineData("iso-8859-1")]
    [InlineData("windows-1252")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    public void The_charset_of_the_type_is_honoured(string charset)
    {
        var encoding = CodePagesEncodingProvider.Instance.GetEncoding(charset) ?? Encoding.GetEncoding(charset);

        Show(Parse($"text/plain; charset={charset}", encoding.GetBytes("a := ä"))).ShouldBe(["a=\"ä\""]);
        Show(Parse($"application/json; charset={charset}", encoding.GetBytes("{\"a\":\"ä\"}"))).ShouldBe(["a=\"ä\""]);
        Show(Parse($"text/xml; charset={charset}", encoding.GetBytes("ä"))).ShouldBe(["payload=\"ä\"", $"content_type=\"text/xml; charset={charset}\""]);
    }

    [Fact]
    public void A_form_is_decoded_by_its_charset() => One("application/x-www-form-urlencoded; charset=iso-8859-1", "a=%E4").ShouldBe(["a=\"ä\""]);

    [Theory]
    [InlineData("text/plain; charset=klingon")]
    [InlineData("application/json; charset=klingon")]
    [InlineData("text/csv; charset=utf-7")]
    public void An_unknown_charset_is_refused(string type) => Refused(type, "{\"a\":1}").Type.ShouldBe(ProblemType.UnsupportedCharset);

    [Theory]
    [InlineData("text/plain", "invalid-text")]
    [InlineData("text/csv", "invalid-csv")]
    [InlineData("application/json", "invalid-json")]
    [InlineData("application/x-ndjson", "invalid-json")]
    public void Text_that_is_no_utf8_is_refused(string type, string slug)
    {
        byte[] body = type.EndsWith("json") ? [.. "{\"a\":\""u8, 0xFF, .. "\"}"u8] : [.. "a := "u8, 0xFF];

        Parse(type, body).ShouldBeOfType<BodyRefused>().Type.Slug.ShouldBe(slug);
    }

    [Theory]
    [InlineData("application/json", "{\"a\":\"xxxxxxxxxxx\"}", "/a")]
    [InlineData("text/plain", "a := xxxxxxxxxxx", null)]
    [InlineData("text/csv", "a\nxxxxxxxxxxx", "/a")]
    [InlineData("application/x-www-form-urlencoded", "a=xxxxxxxxxxx", "/a")]
    [InlineData("application/x-www-form-urlencoded", "a=xxxx&a=xxxx", "/a")]
    [InlineData("text/xml", "xxxxxxxxxxx", "")]
    public void A_value_that_is_too_long_is_refused(string type, string body, string? pointer)
    {
        var refused = IngestBody.Parse(type, Encoding.UTF8.GetBytes(body), false, new IngestLimits { ValueBytes = 12 }).ShouldBeOfType<BodyRefused>();

        refused.Type.ShouldBe(ProblemType.ValueTooLarge);
        (refused.Errors is [var error, ..] ? error.Pointer : null).ShouldBe(pointer);
    }

    [Theory]
    [InlineData("application/json", "{\"a\":1,\"b\":2,\"c\":3}")]
    [InlineData("application/x-ndjson", "{\"a\":1,\"b\":2,\"c\":3}")]
    [InlineData("text/plain", "a := 1\nb := 2\nc := 3")]
    [InlineData("text/csv", "a,b,c\n1,2,3")]
    [InlineData("application/x-www-form-urlencoded", "a=1&b=2&c=3")]
    [InlineData("application/json", "[{\"a\":1},{\"a\":1},{\"a\":1}]")]
    [InlineData("application/x-ndjson", "{\"a\":1}\n{\"a\":1}\n{\"a\":1}")]
    [InlineData("text/csv", "a\n1\n2\n3")]
    public void Too_many_kvps_or_elements_are_refused(string type, string body)
    {
        var limits = new IngestLimits { KvpsPerProcess = 2, Elements = 2 };

        IngestBody.Parse(type, Encoding.UTF8.GetBytes(body), false, limits).ShouldBeOfType<BodyRefused>().Type.ShouldBe(ProblemType.TooMany);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData(null)]
    public void An_empty_body_has_nothing_to_set(string? type) => Refused(type, "").Type.ShouldBe(ProblemType.NothingToSet);

    [Fact]
    public void No_bytes_of_any_type_throw() =>
        Gen.Select(Gen.Int[0, Types.Length - 1], Gen.Byte.Array[0, 80]).Sample(
            (type, bytes) => Sound(Parse(Types[type], bytes)), iter: 30_000);

    [Fact]
    public void No_pieces_of_any_type_throw()
    {
        string[] pieces =
        [
            "{", "}", "[", "]", ",", ":", "\"", "a", "\"a\"", "1", "\n", "\r\n", "&", "=", "%4", "%41", "--b", "--", "Content-Disposition: form-data; name=a", ":=", "'''", "\\u0000", "null", ";",
        ];
        Gen.Select(Gen.Int[0, Types.Length - 1], Gen.Int[0, pieces.Length - 1].Array[0, 20]).Sample(
            (type, picks) => Sound(Parse(Types[type], Encoding.UTF8.GetBytes(string.Concat(picks.Select(i => pieces[i]))))), iter: 100_000);
    }

    // Whatever is taken is what the next one along relies on.
    private static void Sound(ParsedBody body)
    {
        if (body is not BodySets sets)
        {
            body.ShouldBeOfType<BodyRefused>().Detail.ShouldNotBeEmpty();
            return;
        }

        sets.Sets.ShouldNotBeEmpty();
        foreach (var set in sets.Sets)
        {
            set.ShouldNotBeEmpty();
            set.Select(change => change.Key).Distinct(StringComparer.Ordinal).Count().ShouldBe(set.Count);
            foreach (var change in set)
            {
                KvpKey.Fault(change.Key).ShouldBeNull();
                KvpValue.TryCanonical(Encoding.UTF8.GetBytes(change.Value!), out var canonical, out _).ShouldBeTrue();
                canonical.ShouldBe(change.Value);
                _ = KvpLookup.Of(change.Value!);
            }
        }
    }

    private static string Parts(params string[] parts) => string.Concat(parts.Select(part => $"--b\r\n{part}\r\n")) + "--b--\r\n";

    private static ParsedBody Parse(string? type, byte[] body, bool asPayload = false) => IngestBody.Parse(type, body, asPayload);

    private static BodyRefused Refused(string? type, string body) => Parse(type, Encoding.UTF8.GetBytes(body)).ShouldBeOfType<BodyRefused>();

    private static List<string> One(string? type, string body)
    {
        var parsed = Parse(type, Encoding.UTF8.GetBytes(body));
        (parsed as BodySets)?.IsList.ShouldBeFalse();
        return Show(parsed);
    }

    private static List<string> Show(ParsedBody parsed)
    {
        (parsed as BodyRefused)?.Detail.ShouldBeNull();
        return [.. parsed.ShouldBeOfType<BodySets>().Sets.ShouldHaveSingleItem().Select(change => $"{change.Key}={change.Value}")];
    }

    private static List<string> List(string type, string body)
    {
        var parsed = Parse(type, Encoding.UTF8.GetBytes(body));
        (parsed as BodyRefused)?.Detail.ShouldBeNull();
        var sets = parsed.ShouldBeOfType<BodySets>();
        sets.IsList.ShouldBeTrue();
        return [.. sets.Sets.Select(set => string.Join(' ', set.Select(change => $"{change.Key}={change.Value}")))];
    }
}
