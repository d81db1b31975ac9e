using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using CsCheck;
using Eddy.Secrets;

namespace Eddy.Tests.Secrets;

public sealed class RedactTests(TestDatabase database)
{
    private const string Awkward = "p@ß w/\"q'\\<t>&+=~ 9\n";

    [Theory]
    [InlineData("sk_live_1234567890")]
    [InlineData(Awkward)]
    [InlineData("12345678")]
    [InlineData("ключ от двери")]
    [InlineData("-----BEGIN KEY-----\nAbc+/d==\n-----END KEY-----\n")]
    public async Task Every_usual_spelling_becomes_the_placeholder(string value)
    {
        var set = await TestSecrets.SetAsync(database, ("A", value));
        var bytes = Encoding.UTF8.GetBytes(value);
        string[] spellings =
        [
            value, Convert.ToHexString(bytes), Convert.ToHexStringLower(bytes),
            Uri.EscapeDataString(value), Uri.EscapeDataString(value).Replace("%20", "+"), WebUtility.UrlEncode(value), Lower(Uri.EscapeDataString(value)),
            Uri.EscapeDataString(value).Replace("%2F", "/"),
            JsonEncodedText.Encode(value).ToString(), JsonEncodedText.Encode(value, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString(),
            WebUtility.HtmlEncode(value),
            Convert.ToBase64String(bytes), Convert.ToBase64String(bytes).TrimEnd('='), Convert.ToBase64String(bytes).Replace('+', '-').Replace('/', '_'),
        ];

        foreach (var spelling in spellings)
        {
            set.Redact($"[{spelling}]").ShouldBe($"[{set.Placeholder("A")}]", spelling);
            Encoding.UTF8.GetString(set.RedactBytes(Encoding.UTF8.GetBytes($"[{spelling}]")).Span).ShouldBe($"[{set.Placeholder("A")}]", spelling);
        }

        static string Lower(string text) => System.Text.RegularExpressions.Regex.Replace(text, "%[0-9A-F]{2}", found => found.Value.ToLowerInvariant());
    }

    [Fact]
    public async Task The_spellings_of_Pythons_libraries_are_found()
    {
        var set = await TestSecrets.SetAsync(database, ("A", Awkward));
        var (code, output) = await Sandbox.ZygoteService.PythonAsync($"""
            import base64, html, json, urllib.parse
            v = {JsonSerializer.Serialize(Awkward)}
            b = v.encode()
            for one in (json.dumps(v)[1:-1], json.dumps(v, ensure_ascii=False)[1:-1], urllib.parse.quote(v), urllib.parse.quote_plus(v), urllib.parse.quote(v, safe=""),
                        urllib.parse.quote(v, safe="!#$%&'()*+,/:;=?@[]~"), html.escape(v), html.escape(v, quote=False), b.hex(), b.hex().upper(),
                        base64.b64encode(b).decode(), base64.urlsafe_b64encode(b"user:" + b).decode(), base64.b64encode(b"u:" + b + b":").decode()):
                print(json.dumps(one))
            """);

        code.ShouldBe(0);
        var lines = output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Length.ShouldBe(13);
        lines.ShouldAllBe(line => set.Redact(JsonSerializer.Deserialize<string>(line)!).Contains(set.Placeholder("A")));
    }

    [Fact]
    public async Task Within_a_longer_base64_text_no_character_of_it_is_left_wherever_it_stands()
    {
        var set = await TestSecrets.SetAsync(database, ("A", "sk_live_1234567890"));
        var value = Encoding.UTF8.GetBytes("sk_live_1234567890");

        Gen.Select(Gen.Byte.Array[0, 20], Gen.Byte.Array[0, 20], Gen.Bool).Sample((before, after, isUrl) =>
        {
            var text = Convert.ToBase64String([.. before, .. value, .. after]);
            text = isUrl ? text.Replace('+', '-').Replace('/', '_') : text;

            var redacted = set.Redact(text);

            // What is left are characters that hold nothing but what stood before it and after it, and the last one's zeros.
            var parts = redacted.TrimEnd('=').Split(set.Placeholder("A"));
            return parts.Length == 2 && parts[0].Length * 6 <= before.Length * 8 && parts[1].Length * 6 <= (after.Length * 8) + 5;
        }, iter: 2000);
    }

    [Fact]
    public async Task Text_without_a_secret_is_left_as_it_is_and_text_with_one_keeps_the_rest()
    {
        var set = await TestSecrets.SetAsync(database, ("A", "the value of A"), ("B", "und Größe B €"));

        Gen.Select(Gen.String, Gen.String, Gen.OneOf(Gen.Const("A"), Gen.Const("B"))).Where((before, after, _) => !(before + after).Contains("eddysecret")).Sample((before, after, name) =>
            set.Redact(before + (name == "A" ? "the value of A" : "und Größe B €") + after) == before + set.Placeholder(name) + after && set.Redact(before + after) == before + after);
        Gen.Select(Gen.Byte.Array[0, 100], Gen.Byte.Array[0, 100]).Sample((before, after) =>
            set.RedactBytes((byte[])[.. before, .. "und Größe B €"u8, .. after]).Span.SequenceEqual((byte[])[.. before, .. Encoding.ASCII.GetBytes(set.Placeholder("B")), .. after])
            && set.RedactBytes(before).Span.SequenceEqual(before));
    }

    [Fact]
    public async Task Values_that_hold_or_overlap_one_another_leave_nothing()
    {
        var set = await TestSecrets.SetAsync(database, ("INNER", "hunter2hunter2"), ("OUTER", "xx-hunter2hunter2-yy"), ("SHIFTED", "hunter2-tail"));

        set.Redact("[xx-hunter2hunter2-yy]").ShouldBe($"[{set.Placeholder("OUTER")}]");
        set.Redact("[hunter2hunter2]").ShouldBe($"[{set.Placeholder("INNER")}]");
        // The end of one is the beginning of the next.
        set.Redact("[hunter2hunter2-tail]").ShouldBe($"[{set.Placeholder("INNER")}]");
        set.Redact("hunter2-tailhunter2-tail").ShouldBe(set.Placeholder("SHIFTED") + set.Placeholder("SHIFTED"));
    }

    [Fact]
    public async Task A_value_of_less_than_eight_characters_is_not_looked_for()
    {
        var set = await TestSecrets.SetAsync(database, ("PIN", "4711"));

        set.Redact("4711 rooms").ShouldBe("4711 rooms");
        set.Redact(Convert.ToBase64String("4711"u8)).ShouldBe(Convert.ToBase64String("4711"u8));
    }

    [Fact]
    public async Task An_answer_that_begins_like_a_secret_all_the_time_is_withheld_whole()
    {
        // It takes thousands of comparisons at every character of it; nobody waits for that.
        var set = await TestSecrets.SetAsync(database, ("A", new string('a', 4000) + "b" + new string('a', 4000)));

        set.Redact(new string('a', 1 << 20)).ShouldStartWith("(withheld");
        Encoding.UTF8.GetString(set.RedactBytes(Encoding.ASCII.GetBytes(new string('a', 1 << 20))).Span).ShouldStartWith("(withheld");
        set.Redact(new string('a', 100)).ShouldBe(new string('a', 100));
    }

    [Fact]
    public async Task An_answer_full_of_what_many_secrets_begin_with_is_not_withheld()
    {
        var set = await TestSecrets.SetAsync(database, [.. Enumerable.Range(0, 100).Select(i => ($"S{i}", $"sk_live_{i:D16}"))]);
        var text = string.Concat(Enumerable.Repeat("{\"key\": \"sk_live_…\"}\n", 100_000));

        set.Redact(text + "sk_live_0000000000000042").ShouldBe(text + set.Placeholder("S42"));
    }

    [Fact]
    public async Task A_tenant_without_secrets_gets_everything_as_it_came()
    {
        var set = await TestSecrets.SetAsync(database);
        ReadOnlyMemory<byte> bytes = "anything"u8.ToArray();

        set.Placeholders.ShouldBeEmpty();
        set.Redact("anything").ShouldBe("anything");
        set.RedactBytes(bytes).Equals(bytes).ShouldBeTrue();
        set.Fill(SecretSet.PlaceholderPrefix + new string('0', 32), "evil.test", []).ShouldBe(SecretSet.PlaceholderPrefix + new string('0', 32));
    }
}
