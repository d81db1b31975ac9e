using Bunit;
using Eddy.Files;
using Eddy.Ide.Files;
using Microsoft.AspNetCore.Components.Web;

namespace Eddy.Tests.Ide.Components;

/// <summary>Two who changed one file: what clashes asks, and nothing is saved before each has its answer.</summary>
public sealed class MergeViewTests
{
    [Fact]
    public void Each_clash_asks_and_what_was_chosen_is_saved()
    {
        using var screens = new TestScreens();
        string? saved = null;
        var merge = TextMerge.Of("a\nb\nc\nd\n", "A\nb\nC\nd\n", "1\nb\n3\nd\nmine\n");
        var view = screens.Draw<MergeView>(all => all.Add(one => one.Clash, new Clash("kim@acme.test", 7, "", merge)).Add(one => one.OnSave, text => saved = text));

        view.Find(".then span").TextContent.ShouldBe("kim@acme.test saved version 7 while you typed. 1 change fits together. 2 places need you.");
        view.FindAll("button").ShouldNotContain(button => button.TextContent == "Save both");
        view.Find(".merging").KeyDown(new KeyboardEventArgs { Key = "h" });
        view.Find(".then span").TextContent.ShouldEndWith("1 place needs you.");
        view.Find(".merging").KeyDown(new KeyboardEventArgs { Key = "m" });
        view.FindAll("button").Single(button => button.TextContent == "Save both").Click();

        saved.ShouldBe("A\nb\n3\nd\nmine\n");
    }

    [Fact]
    public void A_key_of_the_browser_chooses_nothing()
    {
        using var screens = new TestScreens();
        var view = screens.Draw<MergeView>(all => all.Add(one => one.Clash, new Clash("kim@acme.test", 7, "", TextMerge.Of("a\n", "b\n", "c\n"))));

        view.Find(".merging").KeyDown(new KeyboardEventArgs { Key = "h", CtrlKey = true });

        view.Find(".then span").TextContent.ShouldEndWith("1 place needs you.");
    }

    [Fact]
    public void Lines_that_are_alike_and_far_away_are_folded()
    {
        using var screens = new TestScreens();
        var same = string.Concat(Enumerable.Range(1, 40).Select(i => $"line {i}\n"));
        var view = screens.Draw<MergeView>(all => all.Add(one => one.Clash, new Clash("kim@acme.test", 7, "", TextMerge.Of(same + "end\n", same + "theirs\n", same + "mine\n"))));

        var lines = view.FindAll("[aria-label=Mine] .ln").Select(line => line.TextContent).ToList();

        lines.ShouldBe(["…", "38line 38", "39line 39", "40line 40", "41mine", "42"]);
    }
}
