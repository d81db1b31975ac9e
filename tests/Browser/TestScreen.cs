using System.Collections.Concurrent;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Eddy.Tests.Browser;

/// <summary>A page in a browser of its own. What goes wrong in it is gathered, and fails the test at its end.</summary>
public sealed class TestScreen : IAsyncDisposable
{
    /// <summary>A connection that a test cuts is told by the browser, and by what tries to have it back, as an error of its own.</summary>
    private static readonly string[] OfConnections = ["WebSocket", "net::ERR", "status of 4", "Failed to complete negotiation", "Failed to start the connection", "if the connection is not in the 'Connected' State"];

    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _faults = new();

    internal TestScreen(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.PageError += (_, fault) => Gather(fault);
        page.Console += (_, line) =>
        {
            if (line.Type == "error")
            {
                Gather(line.Text);
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

    /// <summary>Gives a field of the circuit a file. One that comes before the circuit listens to the field is not heard of; no person is as quick.</summary>
    public async Task GiveFileAsync(ILocator field, FilePayload file)
    {
        await Page.WaitForFunctionAsync("field => '_blazorInputFileNextFileId' in field", await field.ElementHandleAsync());
        await field.SetInputFilesAsync(file);
    }

    /// <summary>Fails where axe finds something serious on the page.</summary>
    public async Task ShouldBeAccessibleAsync()
    {
#pragma warning disable CS0618 // The other way opens a page more each time, for frames of other origins, of which none is ours to judge.
        var found = await Page.RunAxeLegacy();
#pragma warning restore CS0618
        found.Violations.Where(one => one.Impact is "serious" or "critical")
            .Select(one => $"{one.Id}: {one.Help}: {string.Join(" | ", one.Nodes.Select(node => node.Html))}").ShouldBeEmpty();
    }

    /// <summary>The same on a phone in the dark and on a desk in the light; on neither does the page scroll sideways. It is left at its size.</summary>
    public async Task ShouldBeAccessibleEverywhereAsync()
    {
        // What fades from one colour to another is neither for a while.
        await Page.AddStyleTagAsync(new() { Content = "*, *::before, *::after { transition: none !important; }" });
        var size = Page.ViewportSize!;
        foreach (var (width, height, scheme) in new[] { (390, 844, ColorScheme.Dark), (1440, 900, ColorScheme.Light) })
        {
            await Page.SetViewportSizeAsync(width, height);
            await Page.EmulateMediaAsync(new() { ColorScheme = scheme });
            (await Page.EvaluateAsync<int>("document.documentElement.scrollWidth")).ShouldBeLessThanOrEqualTo(width, $"{Page.Url} scrolls sideways");
            await ShouldBeAccessibleAsync();
        }

        await Page.SetViewportSizeAsync(size.Width, size.Height);
    }

    private void Gather(string fault)
    {
        if (!OfConnections.Any(word => fault.Contains(word, StringComparison.Ordinal)))
        {
            _faults.Enqueue(fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        _faults.ShouldBeEmpty();
    }
}
