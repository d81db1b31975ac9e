using Bunit;
using Eddy.Files;
using Eddy.Ide.Files;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.JSInterop;

namespace Eddy.Tests.Ide.Components;

/// <summary>Going to a file by a part of its name, without a mouse.</summary>
public sealed class FindFileTests
{
    [Fact]
    public void Arrows_go_round_and_Enter_opens()
    {
        using var screens = new TestScreens();
        string? opened = null;
        var find = Draw(screens, path => opened = path, "scripts/heat.py", "scripts/cold.py", "libraries/heating.py");

        find.Find("input").Input("HEAT");
        find.FindAll("[role=option]").Select(one => one.TextContent).ShouldBe(["scripts/heat.py", "libraries/heating.py"]);
        find.Find("input").KeyDown(new KeyboardEventArgs { Key = "ArrowUp" });
        find.Find("[aria-selected=true]").TextContent.ShouldBe("libraries/heating.py");
        find.Find("input").KeyDown(new KeyboardEventArgs { Key = "ArrowDown" });
        find.Find("input").GetAttribute("aria-activedescendant").ShouldBe("file-found-0");
        find.Find("input").KeyDown(new KeyboardEventArgs { Key = "Enter" });

        opened.ShouldBe("scripts/heat.py");
    }

    [Fact]
    public void Where_nothing_matches_Enter_does_nothing()
    {
        using var screens = new TestScreens();
        string? opened = null;
        var find = Draw(screens, path => opened = path, "scripts/heat.py");

        find.Find("input").Input("zzz");
        find.Find("input").KeyDown(new KeyboardEventArgs { Key = "ArrowDown" });
        find.Find("input").KeyDown(new KeyboardEventArgs { Key = "Enter" });

        find.FindAll("[role=option]").ShouldBeEmpty();
        opened.ShouldBeNull();
    }

    private static IRenderedComponent<FindFile> Draw(TestScreens screens, Action<string> open, params string[] paths) => screens.Draw<FindFile>(all => all
        .Add(one => one.Files, [.. paths.Select(path => new FileEntry(path, 1, 1, 10, "anna@acme.test", TestScreens.Now, null, null))])
        .Add(one => one.Script, screens.JSInterop.SetupModule("/look/editor.js").JSRuntime.InvokeAsync<IJSObjectReference>("import", "/look/editor.js").AsTask().GetAwaiter().GetResult())
        .Add(one => one.OnOpen, open));
}
