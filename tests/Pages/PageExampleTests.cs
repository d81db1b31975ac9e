using System.Net;
using System.Text.Json;
using Eddy.Pages;

namespace Eddy.Tests.Pages;

/// <summary>The examples of <c>docs/pages.md</c>, as they stand there, show what the page says of them.</summary>
public sealed class PageExampleTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task Every_example_is_in_order_and_shows_what_the_page_says()
    {
        var caller = await way.CallerAsync();
        foreach (var process in PagesPage.State.SkipLast(1))
        {
            await caller.SettleAsync(process);
        }

        using var shared = JsonDocument.Parse(PagesPage.State[^1]);
        foreach (var kvp in shared.RootElement.EnumerateObject())
        {
            (await caller.PutAsync("/api/shared/" + kvp.Name, kvp.Value.GetRawText())).EnsureSuccessStatusCode();
        }

        foreach (var (path, text, _, _) in PagesPage.Examples)
        {
            (await caller.SaveAsync(path, text)).GetProperty("findings").ToString().ShouldBe("[]", path);
        }

        PagesPage.Examples.Count.ShouldBeGreaterThan(7);
        foreach (var (path, _, address, shows) in PagesPage.Examples.Where(example => example.Shows.Count > 0))
        {
            var (status, html, _) = await way.Web.SeeAsync(caller.Tenant, address);
            status.ShouldBe(HttpStatusCode.OK, $"{path}: {html}");
            foreach (var line in shows)
            {
                html.ShouldContain(line, Case.Sensitive, path);
            }
        }
    }

    [Fact]
    public void Every_filter_and_tag_is_on_the_page()
    {
        foreach (var filter in PageGrammar.Instance.FilterNames)
        {
            PagesPage.Text.ShouldContain($"`{filter}`");
        }

        foreach (var tag in PageGrammar.Instance.RegisteredTags.Keys.Where(tag => tag != "#"))
        {
            PagesPage.Text.ShouldContain($"`{tag}");
        }
    }
}
