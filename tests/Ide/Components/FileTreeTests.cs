using Bunit;
using Eddy.Files;
using Eddy.Ide.Files;

namespace Eddy.Tests.Ide.Components;

/// <summary>The tree of a tenant's files.</summary>
public sealed class FileTreeTests
{
    [Fact]
    public void A_file_says_whether_it_is_saved_and_whether_it_compiles()
    {
        using var screens = new TestScreens();
        var tree = screens.Draw<FileTree>(all => all
            .Add(one => one.Files, [Entry("scripts/heat.py"), Entry("scripts/bad name.py", faults: "[]"), Entry("requirements.txt")])
            .Add(one => one.Unsaved, new HashSet<string> { "scripts/heat.py" })
            .Add(one => one.Here, "scripts/heat.py"));

        var here = tree.Find("[data-path='scripts/heat.py']");
        here.TextContent.ShouldContain("not saved");
        here.GetAttribute("aria-current").ShouldBe("true");
        here.GetAttribute("tabindex").ShouldBe("0");
        var bad = tree.Find("[data-path='scripts/bad name.py']");
        bad.GetAttribute("href").ShouldBe("/t/acme/rules/scripts/bad%20name.py");
        bad.QuerySelector("svg")!.GetAttribute("aria-label").ShouldBe("does not compile");
        tree.Find("[data-path='requirements.txt']").GetAttribute("aria-level").ShouldBe("1");
    }

    [Fact]
    public void A_folder_closes_and_opens()
    {
        using var screens = new TestScreens();
        var tree = screens.Draw<FileTree>(all => all.Add(one => one.Files, [Entry("scripts/heat.py")]).Add(one => one.Unsaved, new HashSet<string>()));

        tree.FindAll("[role=treeitem]").First(one => one.TextContent.Contains("Rules", StringComparison.Ordinal)).Click();
        tree.FindAll("[data-path]").ShouldBeEmpty();
        tree.FindAll("[role=treeitem]").First(one => one.TextContent.Contains("Rules", StringComparison.Ordinal)).Click();

        tree.FindAll("[data-path]").Count.ShouldBe(1);
    }

    private static FileEntry Entry(string path, string? faults = null) => new(path, 1, 1, 10, "anna@acme.test", TestScreens.Now, faults, null);
}
