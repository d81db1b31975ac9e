using System.Collections.Concurrent;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>A page in a browser of its own. What goes wrong in it is gathered, and fails the test at its end.</summary>
public sealed class TestScreen : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _faults = new();

    internal TestScreen(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.PageError += (_, fault) => _faults.Enqueue(fault);
        page.Console += (_, line) =>
        {
            // A connection that a test cuts is told by the browser as an error of its own.
            if (line.Type == "error" && !line.Text.Contains("WebSocket", StringComparison.Ordinal) && !line.Text.Contains("net::ERR", StringComparison.Ordinal) && !line.Text.Contains("status of 4", StringComparison.Ordinal))
            {
                _faults.Enqueue(line.Text);
            }
        };
    }

    public IPage Page { get; }

    public async Task SignInAsync(string address, string password)
    {
        await Page.GotoAsync("/sign-in");
        await Page.GetByLabel("Mail address").FillAsync(address);
        await Page.GetByLabel("Password").FillAsync(password);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in", Exact = true }).ClickAsync();
        await Page.WaitForURLAsync("**/t/**");
    }

    /// <summary>Goes to an address and waits until its circuit has drawn the heading.</summary>
    public async Task GoAsync(string path)
    {
        await Page.GotoAsync(path);
        await Page.Locator("html[data-started]").WaitForAsync();
        await Page.Locator("h1").First.WaitForAsync(new() { State = WaitForSelectorState.Attached });
    }

    /// <summary>Fails where axe finds something serious on the page.</summary>
    public async Task ShouldBeAccessibleAsync()
    {
        var found = await Page.RunAxe();
        found.Violations.Where(one => one.Impact is "serious" or "critical")
            .Select(one => $"{one.Id}: {one.Help}: {string.Join(" | ", one.Nodes.Select(node => node.Html))}").ShouldBeEmpty();
    }

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        _faults.ShouldBeEmpty();
    }
}
