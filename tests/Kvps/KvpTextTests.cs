using CsCheck;
using Eddy.Kvps;

namespace Eddy.Tests.Kvps;

public sealed class KvpTextTests
{
    [Theory]
    // text
    [InlineData("Too hot", "\"Too hot\"")]
    [InlineData("", "\"\"")]
    [InlineData("  spaced  ", "\"  spaced  \"")]
    [InlineData("\"quoted\"", "\"quoted\"")]
    [InlineData(" 'quoted' ", "\"quoted\"")]
    [InlineData("\"\"", "\"\"")]
    [InlineData("\"95\"", "\"95\"")]
    [InlineData("'true'", "\"true\"")]
    [InlineData("\" kept \"", "\" kept \"")]
    [InlineData("\"say \\\"hi\\\" \\\\ C:\\temp\"", "\"say \\\"hi\\\" \\\\ C:\\\\temp\"")]
    [InlineData("'it''s'", "\"'it''s'\"")]
    [InlineData("\"a\" and \"b\"", "\"\\\"a\\\" and \\\"b\\\"\"")]
    [InlineData("\"open", "\"\\\"open\"")]
    [InlineData("\"", "\"\\\"\"")]
    [InlineData("\"open\\\"", "\"\\\"open\\\\\\\"\"")]
    [InlineData("\"\"\"two\r\nlines \"here\" \\n\"\"\"", "\"two\\nlines \\\"here\\\" \\\\n\"")]
    [InlineData("''''''", "\"\"")]
    // numbers
    [InlineData("95", "95")]
    [InlineData(" -95 ", "-95")]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("95.50", "95.5")]
    [InlineData("-0.5", "-0.5")]
    [InlineData("-0.0", "0.0")]
    [InlineData("007", "\"007\"")]
    [InlineData("+49", "\"+49\"")]
    [InlineData("1e5", "\"1e5\"")]
    [InlineData("1.", "\"1.\"")]
    [InlineData(".5", "\".5\"")]
    [InlineData("1,5", "\"1,5\"")]
    [InlineData("1_000", "\"1_000\"")]
    [InlineData("-", "\"-\"")]
    [InlineData("--1", "\"--1\"")]
    [InlineData("٣", "\"٣\"")]
    [InlineData("192.168.0.1", "\"192.168.0.1\"")]
    // true, false, none
    [InlineData("true", "true")]
    [InlineData("FALSE", "false")]
    [InlineData("True", "true")]
    [InlineData("None", "null")]
    [InlineData("NULL", "null")]
    [InlineData("nil", "\"nil\"")]
    [InlineData("yes", "\"yes\"")]
    // dates
    [InlineData("2026-11-23", """{"$date":"2026-11-23"}""")]
    [InlineData("2026-02-30", "\"2026-02-30\"")]
    [InlineData("2026-11-23T10:00", """{"$datetime":"2026-11-23T10:00:00"}""")]
    [InlineData("2026-11-23 10:00:00", """{"$datetime":"2026-11-23T10:00:00"}""")]
    [InlineData("2026-11-23T10:00:00.250Z", """{"$datetime":"2026-11-23T10:00:00.25+00:00"}""")]
    [InlineData("2026-11-23T10:00:00.000Z", """{"$datetime":"2026-11-23T10:00:00+00:00"}""")]
    [InlineData("2026-11-23T10:00:00.1234567+0100", """{"$datetime":"2026-11-23T10:00:00.123456+01:00"}""")]
    [InlineData("2026-11-23T10:00:00-00:00", """{"$datetime":"2026-11-23T10:00:00+00:00"}""")]
    [InlineData("2026-11-23T10:00:00+01:00[Europe/Berlin]", """{"$datetime":"2026-11-23T10:00:00+01:00[Europe/Berlin]"}""")]
    [InlineData("2026-11-23T25:00", "\"2026-11-23T25:00\"")]
    [InlineData("2026-11-23T10:00:60", "\"2026-11-23T10:00:60\"")]
    [InlineData("11/23/2026", """{"$date":"2026-11-23"}""")]
    [InlineData("1/2/2026", """{"$date":"2026-01-02"}""")]
    [InlineData("23/11/2026", "\"23/11/2026\"")]
    [InlineData("11/23/2026 10:00:00 PM", """{"$datetime":"2026-11-23T22:00:00"}""")]
    [InlineData("11/23/2026 12:30:00 am", """{"$datetime":"2026-11-23T00:30:00"}""")]
    [InlineData("11/23/2026 12:30 PM", """{"$datetime":"2026-11-23T12:30:00"}""")]
    [InlineData("11/23/2026 22:00:00", """{"$datetime":"2026-11-23T22:00:00"}""")]
    [InlineData("11/23/2026 13:00:00 PM", "\"11/23/2026 13:00:00 PM\"")]
    [InlineData("11/23/2026 24:00", "\"11/23/2026 24:00\"")]
    [InlineData("10:00", "\"10:00\"")]
    // lists and dicts
    [InlineData("[1, 2.50, \"x\"]", "[1,2.5,\"x\"]")]
    [InlineData("{\"b\": 1, \"a\": [true, null]}", """{"a":[true,null],"b":1}""")]
    [InlineData("{'b': u'x', \"a\": (1, None, True,),}", """{"a":[1,null,true],"b":"x"}""")]
    [InlineData("[(1), (1,), ()]", "[1,[1],[]]")]
    [InlineData("['it\\'s', 'a\\x41\\u00e9\\U0001F600\\q', \"\\/\", '\\/']", "[\"it's\",\"aA\u00e9\U0001F600\\\\q\",\"/\",\"\\\\/\"]")]
    [InlineData("[\"\\ud83d\\ude00\", \"\U0001F600\"]", "[\"\U0001F600\",\"\U0001F600\"]")]
    [InlineData("\"[1, 2]\"", "[1,2]")]
    [InlineData("'{\"a\": 1}'", """{"a":1}""")]
    [InlineData("{\"$date\": \"2026-11-23\"}", """{"$date":"2026-11-23"}""")]
    [InlineData("[1.]", "\"[1.]\"")]
    [InlineData("[01]", "\"[01]\"")]
    [InlineData("[urgent] call back", "\"[urgent] call back\"")]
    [InlineData("[1] and more", "\"[1] and more\"")]
    [InlineData("[1, 2", "\"[1, 2\"")]
    [InlineData("[,]", "\"[,]\"")]
    [InlineData("[1 2]", "\"[1 2]\"")]
    [InlineData("{1: 2}", "\"{1: 2}\"")]
    [InlineData("{1, 2}", "\"{1, 2}\"")]
    [InlineData("{{name}}", "\"{{name}}\"")]
    [InlineData("[__import__('os')]", "\"[__import__('os')]\"")]
    [InlineData("[Trueish]", "\"[Trueish]\"")]
    [InlineData("(1, 2)", "\"(1, 2)\"")]
    public void One_value_is_read_by_the_grammar(string text, string canonical)
    {
        KvpText.TryValue(text, out var value, out var fault).ShouldBeTrue(fault?.Detail);

        value.ShouldBe(canonical);
    }

    [Theory]
    [InlineData("a\0b", "")]
    [InlineData("[1, \"\\u0000\"]", "/1")]
    [InlineData("{'a': 1, 'a': 2}", "/a")]
    [InlineData("[1e400]", "/0")]
    [InlineData("['\\ud800']", "/0")]
    public void What_no_value_is_is_refused(string text, string pointer)
    {
        KvpText.TryValue(text, out _, out var fault).ShouldBeFalse();

        fault!.Kind.ShouldBe(KvpFaultKind.Value);
        fault.Pointer.ShouldBe(pointer);
    }

    [Fact]
    public void Half_a_surrogate_pair_is_refused()
    {
        KvpText.TryValue("x\ud800", out _, out var text).ShouldBeFalse();
        KvpText.TryValue("[\"x\ud800\"]", out _, out var literal).ShouldBeFalse();

        text!.Kind.ShouldBe(KvpFaultKind.Value);
        literal!.Kind.ShouldBe(KvpFaultKind.Value);
    }

    [Fact]
    public void Numbers_past_their_limits_stay_text()
    {
        Value(new string('9', 4300)).ShouldBe(new string('9', 4300));
        Value(new string('9', 4301)).ShouldStartWith("\"9");
        Value(new string('9', 400) + ".0").ShouldStartWith("\"9");
    }

    [Fact]
    public void Lists_that_are_too_deep_are_refused_and_not_text()
    {
        KvpText.TryValue(new string('[', 65) + new string(']', 65), out _, out var fault).ShouldBeFalse();

        fault!.Kind.ShouldBe(KvpFaultKind.Value);
        Value(new string('[', 100_000)).ShouldStartWith("\"[[");
    }

    [Fact]
    public void Lines_are_read_one_after_another() =>
        Read("temperature := 95\r\n\r\n  room:= Server room \nnote:=\nratio := a := b\nlist := [1]\n")
            .ShouldBe(["temperature=95", "room=\"Server room\"", "note=\"\"", "ratio=\"a := b\"", "list=[1]"]);

    [Fact]
    public void The_first_of_two_contradicting_lines_counts() => Read("a := 1\nb := 2\na := 3").ShouldBe(["a=1", "b=2"]);

    [Fact]
    public void Keys_are_case_sensitive() => Read("a := 1\nA := 2").ShouldBe(["a=1", "A=2"]);

    [Fact]
    public void Triple_quotes_hold_several_lines() =>
        Read("body := \"\"\"Dear all,\r\n\r\nx := 5 is no KVP here.\n  Bye\"\"\"  \nnext := '''one''' \n")
            .ShouldBe(["body=\"Dear all,\\n\\nx := 5 is no KVP here.\\n  Bye\"", "next=\"one\""]);

    [Fact]
    public void A_list_or_dictionary_may_go_on_over_lines() =>
        Read("a := [\n  1,\n  {'x': 2},\n]\nb := {\"y\":\n3}\nc := 4").ShouldBe(["a=[1,{\"x\":2}]", "b={\"y\":3}", "c=4"]);

    [Fact]
    public void A_bracket_that_never_closes_is_text_and_swallows_nothing() => Read("a := [urgent\nb := 2\nc := {x\n\nd := 3").ShouldBe(["a=\"[urgent\"", "b=2", "c=\"{x\"", "d=3"]);

    [Fact]
    public void No_text_has_no_kvps() => Read(" \n\r\n\t").ShouldBeEmpty();

    [Theory]
    [InlineData("a := 1\nnonsense\nb := 2", 2, null, KvpFaultKind.Malformed)]
    [InlineData("a := 1\n\n:= 2", 3, null, KvpFaultKind.Key)]
    [InlineData("a\u0001b := 1", 1, null, KvpFaultKind.Key)]
    [InlineData("a := 1\nb := \"\"\"never\nclosed\n", 2, null, KvpFaultKind.Malformed)]
    [InlineData("a := '''one\ntwo''' three\nb := 1", 2, null, KvpFaultKind.Malformed)]
    [InlineData("a := [1,\n2\nb := 1", 2, null, KvpFaultKind.Malformed)]
    [InlineData("a := '''\n\n'''\nb := [1,\n1e999]\nc := 1", 4, "b", KvpFaultKind.Value)]
    [InlineData("a := '''\n\n'''\nnonsense", 4, null, KvpFaultKind.Malformed)]
    public void A_fault_names_its_line(string text, int line, string? key, KvpFaultKind kind)
    {
        KvpText.TryRead(text, out _, out var fault).ShouldBeFalse();

        (fault!.Line, fault.Key, fault.Fault.Kind).ShouldBe((line, key, kind));
    }

    [Fact]
    public void Any_text_in_quotes_comes_back_as_itself() =>
        Gen.String[Gen.Char[' ', '\u00ff'], 0, 40].Where(text => text.TrimStart() is not ['[' or '{', ..]).Sample(text =>
            Value($"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"").ShouldBe(KvpValue.FromText(text)));

    [Fact]
    public void Any_KVPs_written_as_lines_come_back_as_they_were() =>
        KvpGen.Any.Where(value => Written(value) is not null).Array[1, 6].Sample(values =>
            Read(string.Join('\n', values.Select((value, i) => $"key {i} := {Written(value)}"))).ShouldBe(values.Select((value, i) => $"key {i}={value}")));

    /// <summary>A value as a person may write it; null for text that can not be told from a list, and for such as ends in the quotes around it.</summary>
    private static string? Written(string canonical)
    {
        using var json = System.Text.Json.JsonDocument.Parse(canonical);
        return json.RootElement.ValueKind switch
        {
            System.Text.Json.JsonValueKind.String when json.RootElement.GetString()! is var text => text.TrimStart() is ['[' or '{', ..]
                ? null
                : text.Contains('\n') ? text.Contains("\"\"\"", StringComparison.Ordinal) || text[^1] == '"' ? null : $"\"\"\"{text}\"\"\"" : $"\"{text.Replace("\\", "\\\\").Replace("\"", "\\\"")}\"",
            System.Text.Json.JsonValueKind.Object when json.RootElement.EnumerateObject().ToList() is [{ Name: "$date" or "$datetime" } tag] => tag.Value.GetString(),
            _ => canonical,
        };
    }

    [Fact]
    public void Whatever_is_read_is_canonical() =>
        Pieces.Sample(text =>
        {
            if (KvpText.TryValue(text, out var canonical, out _))
            {
                KvpValue.TryCanonical(System.Text.Encoding.UTF8.GetBytes(canonical), out var again, out var fault).ShouldBeTrue(fault?.Detail);
                again.ShouldBe(canonical, text);
            }
        }, iter: 50_000);

    [Fact]
    public void No_text_throws() => Pieces.Sample(text => KvpText.TryRead($"a := {text}", out var changes, out var fault).ShouldBe(fault is null && changes is not null), iter: 50_000);

    private static readonly string[] Parts =
    [
        "a", ":=", "\n", "\"", "'", "\"\"\"", "'''", "[", "]", "{", "}", "(", ")", ",", ":", "1", "-", ".", "0", "e", " ", "\\", "\\u", "00", "u'", "None", "true", "2026-11-23", "T10:00", "Z",
        "1/2/2026", " PM", "\0", "\ud83d", "\ude00", "é",
    ];

    private static readonly Gen<string> Pieces = Gen.Int[0, Parts.Length - 1].Array[0, 12].Select(picks => string.Concat(picks.Select(i => Parts[i])));

    private static string Value(string text)
    {
        KvpText.TryValue(text, out var canonical, out var fault).ShouldBeTrue(fault?.Detail);
        return canonical!;
    }

    private static IEnumerable<string> Read(string text)
    {
        KvpText.TryRead(text, out var changes, out var fault).ShouldBeTrue(fault?.Fault.Detail);
        return changes!.Select(change => $"{change.Key}={change.Value}");
    }
}
