using Eddy.Operator;
using Eddy.People;
using Eddy.Tenants;
using Microsoft.AspNetCore.Identity;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Eddy.Tests.Browser.TestBrowser))]

namespace Eddy.Tests.Browser;

/// <summary>Debian's Chromium without the browser's own window and its pages, which a third of the time went into; started with the first test that asks for it.</summary>
public sealed class TestBrowser : IAsyncDisposable
{
    public const string Password = "a password for tests 1";

    private readonly Lazy<Task<(IPlaywright Playwright, IBrowser Browser)>> _started = new(StartAsync);

    /// <summary>A fresh browser's page, nobody signed in. What its scripts throw, and what the content policy stops, fails <see cref="TestScreen.DisposeAsync"/>.</summary>
    /// <param name="at">Under which address the web is opened, where it has another beside its own.</param>
    /// <param name="scripts">False where the browser runs none.</param>
    public async Task<TestScreen> OpenAsync(TestWeb web, int width = 1440, int height = 900, ColorScheme scheme = ColorScheme.Light, Uri? at = null, bool scripts = true)
    {
        var (_, browser) = await _started.Value;
        var context = await browser.NewContextAsync(new BrowserNewContextOptions { BaseURL = (at ?? web.Address).ToString(), ViewportSize = new ViewportSize { Width = width, Height = height }, ColorScheme = scheme, JavaScriptEnabled = scripts });
        context.SetDefaultTimeout((float)Patience.Long.TotalMilliseconds);
        return new TestScreen(context, await context.NewPageAsync());
    }

    /// <summary>A fresh browser for pages of somebody else, whose faults are their own.</summary>
    /// <param name="bypassPolicy">It heeds no content policy, as an old one would.</param>
    public async Task<IBrowserContext> ContextAsync(TestWeb web, bool bypassPolicy)
    {
        var (_, browser) = await _started.Value;
        var context = await browser.NewContextAsync(new BrowserNewContextOptions { BaseURL = web.Address.ToString(), BypassCSP = bypassPolicy });
        context.SetDefaultTimeout((float)Patience.Long.TotalMilliseconds);
        return context;
    }

    /// <summary>A fresh browser's page in which somebody is signed in who belongs to the tenant.</summary>
    public async Task<TestScreen> OpenAsync(TestWeb web, TestTenant tenant, string role = "owner", int width = 1440, int height = 900, ColorScheme scheme = ColorScheme.Light)
    {
        var address = await AddPersonAsync(tenant, role);
        var screen = await OpenAsync(web, width, height, scheme);
        await screen.SignInAsync(address, Password);
        return screen;
    }

    /// <summary>Somebody who belongs to the tenant and has <see cref="Password"/>; the answer is their address.</summary>
    public static async Task<string> AddPersonAsync(TestTenant tenant, string role, string? called = null)
    {
        var address = called ?? $"p{Guid.NewGuid().ToString("N")[..10]}@eddy.test";
        await using var db = new OperatorDb(tenant.Database.SuperuserConnection);
        var person = new Person
        {
            Id = Guid.CreateVersion7(), UserName = address, NormalizedUserName = address.ToUpperInvariant(), Email = address, NormalizedEmail = address.ToUpperInvariant(), EmailConfirmed = true,
            SecurityStamp = Guid.NewGuid().ToString("N"), LockoutEnabled = true,
        };
        person.PasswordHash = new PasswordHasher<Person>().HashPassword(person, Password);
        await using (var people = db.Global())
        {
            people.Users.Add(person);
            await people.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        await using var rows = db.For(tenant.Id);
        rows.Members.Add(new Member { TenantId = tenant.Id.Value, PersonId = person.Id, Role = role });
        await rows.SaveChangesAsync(TestContext.Current.CancellationToken);
        return address;
    }

    public async ValueTask DisposeAsync()
    {
        if (_started.IsValueCreated)
        {
            var (playwright, browser) = await _started.Value;
            await browser.CloseAsync();
            playwright.Dispose();
        }
    }

    private static async Task<(IPlaywright, IBrowser)> StartAsync()
    {
        Assertions.SetDefaultExpectTimeout((float)Patience.Long.TotalMilliseconds);
        var playwright = await Playwright.CreateAsync();
        var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium-headless-shell",
            Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
            Timeout = 120_000,
        });
        return (playwright, browser);
    }
}
