using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>KVPs on screens: live, judged, set, taken along.</summary>
[Trait("Category", "Long")]
public sealed class DataTests(TestBrowser browser, TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task A_KVP_changes_while_one_looks_at_it_and_the_history_goes_on()
    {
        var caller = await way.CallerAsync();
        var pid = await PidAsync(caller, """{"kind": "room", "temperature": 72}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes/{pid}");
        var row = screen.Page.Locator("tr[data-key=temperature]");
        await Assertions.Expect(row).ToContainTextAsync("72");

        await caller.SettleAsync("""{"temperature": 95}""", $"?pid={pid}");

        await Assertions.Expect(row).ToContainTextAsync("95");
        await Assertions.Expect(row).ToHaveClassAsync(new System.Text.RegularExpressions.Regex("now"));
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Complementary, new() { Name = "History" }).GetByRole(AriaRole.Listitem)).ToHaveCountAsync(2);
        await screen.ShouldBeAccessibleAsync();
    }

    [Fact]
    public async Task Who_may_sets_changes_and_removes_a_key_by_keyboard_and_is_its_actor()
    {
        var caller = await way.CallerAsync();
        var pid = await PidAsync(caller, """{"room": "attic"}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes/{pid}");

        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Set a key" }).ClickAsync();
        await screen.Page.GetByLabel("key := value").FillAsync("limit := 90");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Table, new() { Name = "What it comes to" })).ToContainTextAsync("integer");
        await screen.Page.GetByLabel("key := value").PressAsync("Enter");
        var row = screen.Page.Locator("tr[data-key=limit]");
        await Assertions.Expect(row).ToContainTextAsync("90");
        await row.PressAsync("e");
        await Assertions.Expect(screen.Page.GetByLabel("key := value")).ToHaveValueAsync("limit := 90");
        await screen.Page.GetByLabel("key := value").FillAsync("limit := 91");
        await screen.Page.GetByLabel("key := value").PressAsync("Enter");
        await Assertions.Expect(row).ToContainTextAsync("91");
        await row.PressAsync(" ");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Dialog)).ToContainTextAsync("91");
        await screen.Page.Keyboard.PressAsync("Escape");
        await row.PressAsync("Delete");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Remove 1 key" }).ClickAsync();
        await Assertions.Expect(row).ToHaveCountAsync(0);

        var mine = (await caller.GetAsync("/api/events")).GetProperty("events").EnumerateArray().Where(one => one.GetProperty("source").GetString() == "ide").ToList();
        mine.Select(one => one.GetProperty("key").GetString()).ShouldBe(["limit", "limit", "limit"]);
        mine.ShouldAllBe(one => one.GetProperty("actor").GetString()!.EndsWith("@eddy.test"));
    }

    [Fact]
    public async Task A_viewer_sees_what_an_entry_allows_and_has_nothing_to_change_it_with()
    {
        var caller = await way.CallerAsync();
        var pid = await PidAsync(caller, """{"room": "attic", "salary": 4711}""");
        using var entry = await caller.Http.PostAsync("/api/access/entries", Json("""{"group": "registered", "may": ["read"], "keys": ["room"]}"""), TestContext.Current.CancellationToken);
        entry.IsSuccessStatusCode.ShouldBeTrue();
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant, "viewer", width: 390, height: 800);

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes/{pid}");
        await Assertions.Expect(screen.Page.Locator("tr[data-key=room]")).ToBeVisibleAsync();
        await Assertions.Expect(screen.Page.GetByText("1 more key is not shown")).ToBeVisibleAsync();
        (await screen.Page.ContentAsync()).ShouldNotContain("4711");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Button, new() { Name = "Set a key" })).ToHaveCountAsync(0);
        (await FetchAsync(screen, $"/t/{caller.Tenant.Slug}/export/processes/{pid}.csv")).ShouldNotContain("4711");
        (await FetchAsync(screen, $"/t/{caller.Tenant.Slug}/export/processes.json")).ShouldNotContain("4711");
        (await FetchAsync(screen, $"/t/{caller.Tenant.Slug}/export/processes.csv?key=salary&value=4711")).ShouldContain("may not read salary");
        await screen.ShouldBeAccessibleAsync();

        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Link, new() { Name = $"{pid}", Exact = true })).ToBeVisibleAsync();
        (await screen.Page.ContentAsync()).ShouldNotContain("4711");
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes?key=salary&value=4711");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("may not read salary");
    }

    [Fact]
    public async Task A_list_of_thousands_is_gone_through_filtered_and_tells_what_is_new()
    {
        var caller = await way.CallerAsync();
        await caller.Tenant.PrepareAsync("insert into processes (tenant_id, pid, kind, created_at) select $1, n, case when n % 2 = 0 then 'room' end, now() from generate_series(1, 3000) n");
        await caller.Tenant.PrepareAsync("insert into kvps (tenant_id, pid, key, value, txt, position) select $1, n, 'n', to_jsonb(n), n::text, n from generate_series(1, 3000) n");
        await caller.Tenant.PrepareAsync("insert into pids (tenant_id, next) values ($1, 3001)");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);
        await screen.GoAsync($"/t/{caller.Tenant.Slug}/processes");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Status).Filter(new() { HasText = "3 000" })).ToBeVisibleAsync();
        await Assertions.Expect(Process("3000")).ToBeVisibleAsync();

        await screen.Page.Locator("main").EvaluateAsync("main => main.scrollTo(0, main.scrollHeight)");
        await Assertions.Expect(Process("1")).ToBeVisibleAsync();
        await screen.ShouldBeAccessibleAsync();

        var pid = await PidAsync(caller, """{"kind": "room"}""");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "1 new" }).ClickAsync();
        await screen.Page.Locator("main").EvaluateAsync("main => main.scrollTo(0, 0)");
        await Assertions.Expect(Process($"{pid}")).ToBeVisibleAsync();

        await screen.Page.GetByLabel("key", new() { Exact = true }).FillAsync("n");
        await screen.Page.GetByLabel("value", new() { Exact = true }).FillAsync("1234");
        await screen.Page.GetByRole(AriaRole.Button, new() { Name = "Find", Exact = true }).ClickAsync();
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Row).Filter(new() { Has = Process("1234") })).ToBeVisibleAsync();
        await Assertions.Expect(Process($"{pid}")).ToHaveCountAsync(0);

        ILocator Process(string number) => screen.Page.GetByRole(AriaRole.Link, new() { Name = number, Exact = true });
    }

    [Fact]
    public async Task What_is_taken_along_is_all_that_is_listed_and_harmless_in_a_spreadsheet()
    {
        var caller = await way.CallerAsync();
        var pid = await PidAsync(caller, """{"kind": "order", "note": "=1+1", "total": -5}""");
        await caller.SettleAsync("""{"kind": "order", "note": "plain"}""");
        await caller.SettleAsync("""{"kind": "other"}""");
        await using var screen = await browser.OpenAsync(way.Web, caller.Tenant);

        (await FetchAsync(screen, $"/t/{caller.Tenant.Slug}/export/processes.csv?kind=order&column=note&column=total")).Split("\r\n")
            .Select(line => string.Join(',', line.Split(',').Where((_, i) => i is not (0 or 2)))).ShouldBe(["kind,note,total", "order,plain,", "order,'=1+1,-5", ""]);
        (await FetchAsync(screen, $"/t/{caller.Tenant.Slug}/export/processes/{pid}.csv")).ShouldContain("note,text,'=1+1,key:test,");
        System.Text.Json.JsonDocument.Parse(await FetchAsync(screen, $"/t/{caller.Tenant.Slug}/export/processes.json")).RootElement.GetArrayLength().ShouldBe(3);
    }

    [Theory]
    [InlineData("processes")]
    [InlineData("processes/{0}")]
    [InlineData("shared")]
    public async Task To_another_tenant_no_screen_of_data_opens(string path)
    {
        var (own, other) = (await way.CallerAsync(), await way.CallerAsync());
        var pid = await PidAsync(other, """{"mine": "never to be seen"}""");
        await other.PutAsync("/api/shared/mine", "\"never to be seen\"");
        await using var screen = await browser.OpenAsync(way.Web, own.Tenant);
        var address = string.Format(System.Globalization.CultureInfo.InvariantCulture, path, pid);

        await screen.GoAsync($"/t/{other.Tenant.Slug}/{address}");
        await Assertions.Expect(screen.Page.GetByRole(AriaRole.Heading)).ToHaveTextAsync("Nothing is here");
        await screen.GoAsync($"/t/{own.Tenant.Slug}/{address}");
        (await screen.Page.ContentAsync()).ShouldNotContain("never to be seen");
        (await FetchAsync(screen, $"/t/{other.Tenant.Slug}/export/{address}.csv")).ShouldNotContain("never to be seen");
        (await FetchAsync(screen, $"/t/{own.Tenant.Slug}/export/{address}.csv")).ShouldNotContain("never to be seen");
    }

    private static StringContent Json(string text) => new(text, System.Text.Encoding.UTF8, "application/json");

    private static async Task<long> PidAsync(TestCaller caller, string kvps) => (await caller.SettleAsync(kvps)).GetProperty("pid").GetInt64();

    private static Task<string> FetchAsync(TestScreen screen, string address) => screen.Page.EvaluateAsync<string>("async address => await (await fetch(address)).text()", address);
}
