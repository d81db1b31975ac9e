using Bunit;
using Eddy.Ide.Kvps;

namespace Eddy.Tests.Ide.Components;

/// <summary>A value of each type as every screen shows it.</summary>
public sealed class ShownTests
{
    [Theory]
    [InlineData("\"Server room\"", "v-text", "\"Server room\"")]
    [InlineData("\"two\\nlines\"", "v-text", "\"two⏎lines\"")]
    [InlineData("95", "v-num", "95")]
    [InlineData("0.5", "v-num", "0.5")]
    [InlineData("{\"$decimal\":\"9.90\"}", "v-num", "9.90 dec")]
    [InlineData("true", "v-bool", "True")]
    [InlineData("null", "v-none", "None")]
    [InlineData("{\"$date\":\"2026-11-23\"}", "v-date", "2026-11-23")]
    [InlineData("{\"$datetime\":\"2026-11-23T14:03:21+01:00\"}", "v-date", "2026-11-23 14:03:21+01:00")]
    [InlineData("[1,\"a\"]", "v", "[2] 1, \"a\"")]
    [InlineData("{\"a\":1}", "v", "{1} a: 1")]
    public void Each_type_has_its_look(string json, string look, string text)
    {
        using var screens = new TestScreens();

        var value = screens.Draw<Shown>(all => all.Add(one => one.Json, json)).Find(".v");

        value.ClassList.ShouldContain(look);
        value.TextContent.ShouldBe(text);
    }

    [Fact]
    public void A_process_is_a_link_to_it()
    {
        using var screens = new TestScreens();

        screens.Draw<Shown>(all => all.Add(one => one.Json, "{\"$process\":15}")).Find("a").GetAttribute("href").ShouldBe("/t/acme/processes/15");
    }

    [Fact]
    public void What_a_tenant_writes_is_text_and_never_markup()
    {
        using var screens = new TestScreens();

        var value = screens.Draw<Shown>(all => all.Add(one => one.Json, "\"<img src=x onerror=alert(1)>\""));

        value.FindAll("img").ShouldBeEmpty();
        value.Find(".v").TextContent.ShouldBe("\"<img src=x onerror=alert(1)>\"");
    }

    [Fact]
    public void What_is_long_is_cut()
    {
        using var screens = new TestScreens();

        screens.Draw<Shown>(all => all.Add(one => one.Json, $"\"{new string('x', 500)}\"").Add(one => one.Most, 10)).Find(".v").TextContent.ShouldBe("\"xxxxxxxxx…\"");
    }
}
