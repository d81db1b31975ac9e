using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>A tenant's files in the editor: what is typed comes into force, and nothing that anybody typed is lost.</summary>
public sealed class EditorTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    private const string Heat = "class hot(Rule):\n    listens_to = [\"temperature\"]\n\n    def check(self):\n        return self.temperature > 90\n\n    def action(self):\n        self.alert = \"hot\"\n";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_typed_and_saved_is_in_force()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(screen, caller, "scripts/heat.py");

        await screen.Page.Keyboard.PressAsync("Control+End");
        await screen.Page.Keyboard.TypeAsync("        self.seen = self.temperature");
        await Assertions.Expect(Files(screen).GetByText("not saved")).ToHaveCountAsync(1);
        await screen.Page.Keyboard.PressAsync("Control+s");

        await Assertions.Expect(screen.Page.GetByText("Saved as version")).ToBeVisibleAsync();
        await Assertions.Expect(Files(screen).GetByText("not saved")).ToHaveCountAsync(0);
        (await caller.SettleAsync("""{"temperature": 95}""")).ToString().ShouldContain("\"seen\"");
    }

    [Fact]
    public async Task What_does_not_compile_is_told_with_its_line_and_what_runs_still()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(screen, caller, "scripts/heat.py");

        await screen.Page.Keyboard.PressAsync("Control+End");
        await screen.Page.Keyboard.TypeAsync("def");
        await screen.Page.Keyboard.PressAsync("Control+s");

        await Assertions.Expect(screen.Page.GetByText("is saved but not in force: line 9 does not compile.")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_problem_is_a_sentence_below_its_line_and_one_key_mends_it()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", "\nclass hot(Rule):\n    listens_to == [\"temperature\"]\n"));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(screen, caller, "scripts/heat.py");

        await Assertions.Expect(screen.Page.Locator(".squiggly-error").First).ToBeVisibleAsync();
        await screen.Page.Keyboard.PressAsync("ArrowDown");
        await screen.Page.Keyboard.PressAsync("ArrowDown");
        await Assertions.Expect(screen.Page.Locator(".say")).ToContainTextAsync("write listens_to = [...]");
        await screen.Page.Keyboard.PressAsync("Alt+Enter");

        await Assertions.Expect(screen.Page.Locator(".say")).ToHaveCountAsync(0);
        await Assertions.Expect(Text(screen)).ToContainTextAsync("listens_to = [\"temperature\"]");
    }

    [Fact]
    public async Task Of_two_who_change_one_file_nobody_loses_anything()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await using var mara = await browser.OpenAsync(way.Web, caller.Tenant);
        await using var jo = await browser.OpenAsync(way.Web, caller.Tenant, "editor");
        await OpenAsync(mara, caller, "scripts/heat.py");
        await OpenAsync(jo, caller, "scripts/heat.py");

        await jo.Page.Keyboard.PressAsync("Control+End");
        await jo.Page.Keyboard.TypeAsync("        self.by_jo = 1");
        await Assertions.Expect(Files(jo).GetByText("not saved")).ToHaveCountAsync(1);
        await mara.Page.Keyboard.TypeAsync("# by mara");
        await mara.Page.Keyboard.PressAsync("Enter");
        await mara.Page.Keyboard.PressAsync("Control+s");
        await Assertions.Expect(mara.Page.GetByText("Saved as version")).ToBeVisibleAsync();
        await Assertions.Expect(jo.Page.GetByText("When you save, you see both.")).ToBeVisibleAsync();
        await jo.Page.Keyboard.PressAsync("Control+s");

        await Assertions.Expect(jo.Page.GetByText("2 changes fit together.")).ToBeVisibleAsync();
        await jo.ShouldBeAccessibleAsync();
        await jo.Page.GetByRole(AriaRole.Button, new() { Name = "Save both" }).ClickAsync();
        await Assertions.Expect(jo.Page.GetByText("Saved as version")).ToBeVisibleAsync();

        var saved = await caller.Http.GetStringAsync("/api/files/scripts/heat.py", Cancel);
        saved.ShouldStartWith("# by mara\n");
        saved.ShouldEndWith("        self.by_jo = 1");
        await Assertions.Expect(Text(mara)).ToContainTextAsync("self.by_jo = 1");
    }

    [Fact]
    public async Task A_line_that_two_changed_differently_asks()
    {
        var caller = await way.CallerAsync(("scripts/level.py", "level = 1\n"));
        await using var jo = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(jo, caller, "scripts/level.py");

        await jo.Page.Keyboard.PressAsync("End");
        await jo.Page.Keyboard.TypeAsync("2");
        await Assertions.Expect(Files(jo).GetByText("not saved")).ToHaveCountAsync(1);
        await caller.SaveAsync("scripts/level.py", "level = 99\n");
        await jo.Page.Keyboard.PressAsync("Control+s");
        await Assertions.Expect(jo.Page.GetByText("1 place needs you.")).ToBeVisibleAsync();
        await Assertions.Expect(jo.Page.Locator(".merging")).ToBeFocusedAsync();
        await jo.Page.Keyboard.PressAsync("m");
        await jo.Page.GetByRole(AriaRole.Button, new() { Name = "Save both" }).ClickAsync();
        await Assertions.Expect(jo.Page.GetByText("Saved as version")).ToBeVisibleAsync();

        (await caller.Http.GetStringAsync("/api/files/scripts/level.py", Cancel)).ShouldBe("level = 12\n");
    }

    [Fact]
    public async Task Keys_go_from_pane_to_pane_and_format_the_text()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", "x = 1   \n"));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(screen, caller, "scripts/heat.py");
        ILocator In(string pane) => screen.Page.Locator($"{pane} :focus");

        foreach (var (key, pane) in new[] { ("Control+1", ".p-tree"), ("Control+2", ".p-edit"), ("Control+3", ".p-trace"), ("Control+4", ".p-cons"), ("F6", ".p-tree"), ("Shift+F6", ".p-cons"), ("Control+2", ".p-edit") })
        {
            await screen.Page.Keyboard.PressAsync(key);
            await Assertions.Expect(In(pane)).ToHaveCountAsync(1);
        }

        await screen.Page.Keyboard.PressAsync("Shift+Alt+f");
        await Assertions.Expect(Files(screen).GetByText("not saved")).ToHaveCountAsync(1);
        await screen.Page.Keyboard.PressAsync("Control+s");
        await Assertions.Expect(screen.Page.GetByText("Saved as version")).ToBeVisibleAsync();

        (await caller.Http.GetStringAsync("/api/files/scripts/heat.py", Cancel)).ShouldBe("x = 1\n");
    }

    [Fact]
    public async Task What_was_not_saved_is_back_after_the_page_was_loaded_anew()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(screen, caller, "scripts/heat.py");
        await screen.Page.Keyboard.TypeAsync("# not saved yet");
        await Assertions.Expect(Files(screen).GetByText("not saved")).ToHaveCountAsync(1);

        await screen.Page.ReloadAsync();

        await Assertions.Expect(Text(screen)).ToContainTextAsync("# not saved yet");
        await Assertions.Expect(screen.Page.GetByText("What you had typed here and not saved is back")).ToBeVisibleAsync();
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Drop it" }).ClickAsync();
        await Assertions.Expect(Text(screen)).Not.ToContainTextAsync("# not saved yet");
    }

    [Fact]
    public async Task A_file_is_made_moved_restored_and_deleted_by_keyboard()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", "# first\n"));
        await caller.SaveAsync("scripts/heat.py", "# second\n");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(screen, caller, "scripts/heat.py");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "History" }).ClickAsync();
        var first = screen.Page.GetByRole(AriaRole.List, new() { Name = "Saves of heat.py" }).GetByRole(AriaRole.Listitem).Last;
        await first.GetByRole(AriaRole.Button).ClickAsync();
        await Assertions.Expect(first).ToHaveAttributeAsync("aria-current", "true");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Restore version" }).ClickAsync();
        await Assertions.Expect(screen.Page.Locator(".monaco-diff-editor")).ToHaveCountAsync(0);
        await Assertions.Expect(Text(screen)).ToContainTextAsync("# first");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "New file" }).ClickAsync();
        await screen.Page.GetByLabel("Path").FillAsync("libraries/units.py");
        await screen.Page.Keyboard.PressAsync("Enter");
        await screen.Page.WaitForURLAsync("**/rules/libraries/units.py");
        await screen.Page.GetByRole(AriaRole.Treeitem, new() { Name = "units.py" }).FocusAsync();
        await screen.Page.Keyboard.PressAsync("F2");
        await screen.Page.GetByLabel("Path").FillAsync("libraries/measures.py");
        await screen.Page.Keyboard.PressAsync("Enter");
        await screen.Page.WaitForURLAsync("**/rules/libraries/measures.py");
        await screen.Page.GetByRole(AriaRole.Treeitem, new() { Name = "measures.py" }).FocusAsync();
        await screen.Page.Keyboard.PressAsync("Delete");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Delete libraries/measures.py" }).ClickAsync();

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Treeitem, new() { Name = "measures.py" })).ToHaveCountAsync(0);
        (await caller.GetAsync("/api/files")).GetProperty("files").EnumerateArray().Select(file => file.GetProperty("path").GetString()).ShouldBe(["scripts/heat.py"]);
    }

    [Fact]
    public async Task The_tenants_keys_are_proposed_with_their_last_values_and_told_with_their_rules()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await caller.SettleAsync("""{"temperature": 71.5}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await OpenAsync(screen, caller, "scripts/heat.py");

        await screen.Page.Keyboard.PressAsync("Control+End");
        await screen.Page.Keyboard.TypeAsync("        self.tempe");
        await Assertions.Expect(screen.Page.Locator(".suggest-widget.visible")).ToContainTextAsync("71.5 (float)");
        await screen.Page.Keyboard.PressAsync("Enter");
        await Assertions.Expect(screen.Page.Locator(".editor:not([hidden]) .view-line").Last).ToContainTextAsync("self.temperature");

        await screen.Page.Locator(".editor:not([hidden]) .view-line").Nth(4).GetByText("temperature").HoverAsync();
        await Assertions.Expect(screen.Page.Locator(".monaco-hover").First).ToContainTextAsync("Read by scripts/heat.py:hot.");
    }

    [Fact]
    public async Task Who_may_not_change_rules_reads_them()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, "viewer");
        await OpenAsync(screen, caller, "scripts/heat.py");

        await Assertions.Expect(screen.Page.GetByText("Read only")).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Button, new() { Name = "New file" })).ToHaveCountAsync(0);
        await screen.Page.Keyboard.PressAsync("Control+s");
        (await caller.GetAsync("/api/files")).GetProperty("files")[0].GetProperty("author").GetString().ShouldStartWith("key:");
    }

    [Fact]
    public async Task On_a_phone_one_pane_is_there_at_a_time()
    {
        var caller = await way.CallerAsync(("scripts/heat.py", Heat));
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, width: 390, height: 844);
        await OpenAsync(screen, caller, "scripts/heat.py");

        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Tree)).ToBeHiddenAsync();
        await screen.Page.GetByText("Files", new() { Exact = true }).First.ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Tree)).ToBeVisibleAsync();
        (await screen.Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(390);
        await screen.ShouldBeAccessibleAsync();
    }

    [Fact]
    public Task Two_tenants_who_open_at_once_never_see_a_byte_of_each_other() => NeverMeetAsync(3);

    [Fact, Trait("Category", "Long")]
    public Task Two_tenants_who_open_at_once_fifty_times_never_see_a_byte_of_each_other() => NeverMeetAsync(50);

    private async Task NeverMeetAsync(int rounds)
    {
        var (one, other) = (await way.CallerAsync(("scripts/mine.py", "# of the one\n")), await way.CallerAsync(("scripts/mine.py", "# of the other\n")));
        await using var ones = await browser.OpenAsync(way.Web, one.Tenant);
        await using var others = await browser.OpenAsync(way.Web, other.Tenant);
        for (var round = 0; round < rounds; round++)
        {
            await Task.WhenAll(OpenAsync(ones, one, "scripts/mine.py"), OpenAsync(others, other, "scripts/mine.py"));

            (await ModelsAsync(ones)).ShouldBe(["# of the one\n"]);
            (await ModelsAsync(others)).ShouldBe(["# of the other\n"]);
            await Assertions.Expect(Text(ones)).ToHaveTextAsync("# of the one");
            await Assertions.Expect(Text(others)).ToHaveTextAsync("# of the other");
        }
    }

    /// <summary>Opens a file and waits until it can be typed in.</summary>
    private static async Task OpenAsync(TestScreen screen, TestCaller caller, string path)
    {
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/rules/{path}");
        await screen.Page.Locator(".editor:not([hidden]) textarea").FocusAsync();
    }

    private static ILocator Text(TestScreen screen) => screen.Page.Locator(".editor:not([hidden]) .view-lines");

    private static ILocator Files(TestScreen screen) => screen.Page.GetByRole(AriaRole.Tree, new() { Name = "Files" });

    private static async Task<string[]> ModelsAsync(TestScreen screen) => await screen.Page.EvaluateAsync<string[]>("monaco.editor.getModels().map(model => model.getValue())");
}
