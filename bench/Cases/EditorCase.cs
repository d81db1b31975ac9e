using System.Text.Json.Nodes;
using Eddy.Bench.Load;
using Eddy.Bench.Report;
using Microsoft.Playwright;

namespace Eddy.Bench.Cases;

/// <summary>
/// A rule is opened by a browser that has nothing of Eddy kept but the session, in Debian's Chromium on the same machine: from the address to the first character that is typed and seen. Then the
/// same in a browser that has been there before.
/// </summary>
internal sealed class EditorCase : ICase
{
    public string Name => "editor";

    public void Measure(Stage stage) => MeasureAsync(stage).GetAwaiter().GetResult();

    private async Task MeasureAsync(Stage stage)
    {
        var visitor = await Visitor.EnterAsync(stage.Root, stage.Product, stage.Cancel);
        var demo = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(stage.Product.Home, "demo.json"), stage.Cancel))!;
        var address = $"http://localhost:{stage.Port}";
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox", "--disable-gpu"] });
        string session;
        await using (var first = await browser.NewContextAsync())
        {
            var page = await first.NewPageAsync();
            await page.GotoAsync($"{address}/sign-in");
            await page.GetByLabel("Mail address").FillAsync((string)demo["email"]!);
            await page.GetByLabel("Password").FillAsync((string)demo["password"]!);
            await page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
            await page.WaitForURLAsync("**/t/**");
            session = await first.StorageStateAsync();
        }

        var file = new Uri($"{address}/t/{visitor.Slug}/rules/scripts/heat.py");
        var (cold, warm) = (stage.Sheet.Line(Name, "address to first character, cold", Unit.Milliseconds, aim: new Aim.AtMost(2000)), stage.Sheet.Line(Name, "address to first character, warm", Unit.Milliseconds));
        for (var load = 0; load < stage.Plan.Loads; load++)
        {
            await using var context = await browser.NewContextAsync(new() { StorageState = session, ViewportSize = new() { Width = 1440, Height = 900 } });
            cold.Add(await TypeAsync(context, file));
            warm.Add(await TypeAsync(context, file));
        }
    }

    /// <summary>Milliseconds until what was typed is seen.</summary>
    private static async Task<double> TypeAsync(IBrowserContext context, Uri file)
    {
        var page = await context.NewPageAsync();
        var clock = TimeProvider.System;
        var began = clock.GetTimestamp();
        await page.GotoAsync(file.ToString(), new() { WaitUntil = WaitUntilState.Commit });
        await page.Locator(".monaco-editor .view-line").First.ClickAsync();
        await page.Keyboard.PressAsync("Control+Home");
        await page.Keyboard.TypeAsync("zq");
        await page.Locator(".monaco-editor .view-line", new() { HasTextString = "zq" }).First.WaitForAsync();
        var took = clock.GetElapsedTime(began).TotalMilliseconds;
        await page.Keyboard.PressAsync("Control+z");
        await page.CloseAsync();
        return took;
    }
}
