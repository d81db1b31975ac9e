using CsCheck;
using Eddy.Kvps;
using Eddy.Mail;

namespace Eddy.Tests.Mail;

/// <summary>What placeholders print, and what is none.</summary>
public sealed class MailTemplateTests
{
    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Theory]
    [InlineData("It is {{temperature}} in {{ room }}.", "It is 95 in attic.")]
    [InlineData("{{shared.rate}} for {{last_actor}}", "1.5 for key:sensors")]
    [InlineData("{{nothing}}|{{none}}|{{shared.nothing}}", "||")]
    [InlineData("{{any key}}", "odd")]
    [InlineData("{{{room}}}", "{attic}")]
    [InlineData("{{room}}{{room}}", "atticattic")]
    [InlineData("{{cards.welcome}}", "https://eddy.example/cards/welcome?pid=15")]
    public void A_placeholder_prints_what_it_names(string text, string printed) => Print(text).ShouldBe(printed);

    [Theory]
    [InlineData("{{#room}}x{{/room}}")]
    [InlineData("{{^room}}x")]
    [InlineData("{{> room}}")]
    [InlineData("{{! room}}")]
    [InlineData("{{&room}}")]
    [InlineData("{{=<% %>=}}")]
    [InlineData("{{")]
    [InlineData("}}{{room")]
    [InlineData("{{}} {{ }}")]
    [InlineData("{{ro\nom}}")]
    [InlineData("{room}")]
    [InlineData("{{room}")]
    [InlineData("${room} <%= room %> {% room %}")]
    public void What_is_no_placeholder_stays_as_it_stands(string text) => Print(text).ShouldBe(text);

    [Fact]
    public void What_looks_like_a_sum_is_a_key_that_is_not_there() => Print("{{7*7}} {{room.constructor}}").ShouldBe(" ");

    [Theory]
    [InlineData("\"a\\n\\\"b\\\" \\u0001\"", "a\n\"b\" \u0001")]
    [InlineData("true", "True")]
    [InlineData("false", "False")]
    [InlineData("null", "")]
    [InlineData("-95", "-95")]
    [InlineData("95.0", "95.0")]
    [InlineData("{\"$decimal\":\"1.10\"}", "1.10")]
    [InlineData("{\"$date\":\"2026-11-23\"}", "2026-11-23")]
    [InlineData("{\"$time\":\"10:00:00\"}", "10:00")]
    [InlineData("{\"$time\":\"10:00:07.25\"}", "10:00:07")]
    [InlineData("{\"$datetime\":\"2026-11-23T10:00:00\"}", "2026-11-23 10:00")]
    [InlineData("{\"$datetime\":\"2026-11-23T10:00:07.5\"}", "2026-11-23 10:00:07")]
    [InlineData("{\"$datetime\":\"2026-11-23T10:00:00+00:00\"}", "2026-11-23 11:00")]
    [InlineData("{\"$datetime\":\"2026-07-23T10:00:00+09:00[Asia/Tokyo]\"}", "2026-07-23 03:00")]
    [InlineData("{\"$datetime\":\"0001-01-01T00:00:00+12:00\"}", "0001-01-01 00:54")]
    [InlineData("{\"$process\":15}", "15")]
    [InlineData("[1,\"a\"]", "[1,\"a\"]")]
    [InlineData("{\"a\":1}", "{\"a\":1}")]
    [InlineData("{\"$ref\":\"x\"}", "{\"$ref\":\"x\"}")]
    public void Values_print_as_a_person_writes_them(string canonical, string printed) => PrintedValue.Of(canonical, Berlin).ShouldBe(printed);

    [Fact]
    public void A_value_with_placeholders_in_it_is_not_looked_at_again() =>
        Print("{{a}}{{b}}", ("a", KvpValue.FromText("{{secret}} {")), ("b", KvpValue.FromText("{secret}}")), ("secret", "\"gold\"")).ShouldBe("{{secret}} {{secret}}");

    [Fact]
    public void The_text_has_each_value_literally_and_all_that_stands_between() =>
        Gen.Select(Gen.String[0, 30], Gen.String.Where(IsText).Array[0, 12]).Where(one => IsText(one.Item1)).Sample((between, values) =>
        {
            // Braces at the border of two pieces would be a placeholder of their own.
            between = between.Replace("{", "", StringComparison.Ordinal).Replace("}", "", StringComparison.Ordinal);
            var template = string.Concat(values.Select((_, i) => $"{between}{{{{v{i}}}}}")) + between;

            Print(template, [.. values.Select((value, i) => ($"v{i}", KvpValue.FromText(value)))]).ShouldBe(string.Concat(values.Select(value => between + value)) + between);
        });

    [Fact]
    public void Ten_thousand_placeholders_print_and_a_flood_of_braces_does_not_take_long()
    {
        Print(string.Concat(Enumerable.Repeat("{{room}} ", 10_000))).ShouldBe(string.Concat(Enumerable.Repeat("attic ", 10_000)));
        foreach (var flood in new[] { "{", "{{", "{{a", "{{ ", "{{}}", "}}{{" })
        {
            var text = string.Concat(Enumerable.Repeat(flood, 60_000));
            Print(text).Length.ShouldBeLessThanOrEqualTo(text.Length);
        }
    }

    [Fact]
    public void What_goes_beyond_the_limit_is_cut_and_said_so()
    {
        var template = MailTemplate.Parse("{{a}}{{a}}{{a}}");

        template.Print((_, _) => "12345", 7, out var isCut).ShouldBe("1234512");
        isCut.ShouldBeTrue();
        template.Print((_, _) => "12345", 15, out isCut).ShouldBe("123451234512345");
        isCut.ShouldBeFalse();
        template.Print((_, _) => "1😀", 5, out _).ShouldBe("1😀1");
        template.Print((_, _) => "1", 0, out _).ShouldBe("");
    }

    [Theory]
    [InlineData("Too hot", "Too hot (PID:15)")]
    [InlineData("Re: (PID:15) again", "Re: (PID:15) again")]
    [InlineData("of (PID:16)", "of (PID:16) (PID:15)")]
    [InlineData("a\r\nBcc: x@y.test\u2028b\0c", "a Bcc: x@y.test b c (PID:15)")]
    [InlineData("\u202Etxt.exe", "txt.exe (PID:15)")]
    [InlineData("  ", "(PID:15)")]
    [InlineData(null, "First line (PID:15)")]
    public void A_subject_is_one_line_with_the_number_of_the_process_once(string? subject, string expected) =>
        MailSubject.Of(subject, "\n# First line\nSecond", 15).ShouldBe(expected);

    [Fact]
    public void A_long_subject_is_cut_before_the_number() =>
        MailSubject.Of(new string('x', 1000), "", 15).ShouldBe(new string('x', 200) + "… (PID:15)");

    [Theory]
    [InlineData("ops@acme.test")]
    [InlineData("o.p+s_'=@sub.acme.test")]
    [InlineData("jörg@müller.example")]
    [InlineData("पता@उदाहरण.भारत")]
    public void An_address_is_taken(string address) => MailAddress.Fault(address).ShouldBeNull();

    [Theory]
    [InlineData("")]
    [InlineData("@acme.test")]
    [InlineData("ops")]
    [InlineData("ops@acme")]
    [InlineData("ops@acme..test")]
    [InlineData("ops@-acme.test")]
    [InlineData("ops@[127.0.0.1]")]
    [InlineData("o@ps@acme.test")]
    [InlineData("\"o ps\"@acme.test")]
    [InlineData("Ops <ops@acme.test>")]
    [InlineData("ops@acme.test,x@y.test")]
    [InlineData("ops@acme.test\r\nBcc: x@y.test")]
    [InlineData("ops@acme.test\n")]
    [InlineData("o\u202eps@acme.test")]
    [InlineData("o\u00a0ps@acme.test")]
    public void What_is_no_address_is_not(string text) => MailAddress.Fault(text).ShouldNotBeNull();

    internal static MailValues Values(params (string Key, string Value)[] kvps)
    {
        var all = new Dictionary<string, string> { ["temperature"] = "95", ["room"] = "\"attic\"", ["none"] = "null", ["any key"] = "\"odd\"" };
        foreach (var (key, value) in kvps)
        {
            all[key] = value;
        }

        return new MailValues(15, all, new Dictionary<string, string> { ["rate"] = "1.5" }, "key:sensors", Berlin, (card, pid) => $"https://eddy.example/cards/{card}?pid={pid}");
    }

    private static bool IsText(string text) => KvpValue.TryText(text, out _, out _);

    private static string Print(string text, params (string Key, string Value)[] kvps)
    {
        var values = Values(kvps);
        return MailTemplate.Parse(text).Print((_, name) => values.Of(name), 1 << 20, out _);
    }
}
