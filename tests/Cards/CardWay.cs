using AngleSharp.Html.Parser;
using Eddy.Cards;
using Eddy.Tests.Browser;
using Eddy.Tests.Mail;
using Eddy.Tests.Secrets;
using Eddy.Tests.Sites;

namespace Eddy.Tests.Cards;

/// <summary>A web and a worker with master keys, so that mail carries links, and a mail server.</summary>
public sealed class CardWay(TestDatabase database, MailServers servers) : IAsyncLifetime
{
    private TestDatabase _own = null!;
    private TestWorker _worker = null!;

    public TestWeb Web { get; private set; } = null!;

    public CardLinks Links { get; private set; } = null!;

    public MailServers Servers => servers;

    public async ValueTask InitializeAsync()
    {
        var line = TestSecrets.Line("one");
        var keys = "Secrets:MasterKeyFile=" + TestSecrets.File(line);
        _own = await database.OfItsOwnAsync();
        Web = await TestWeb.StartAsync(_own, keys);
        await servers.StartAsync();
        _worker = await TestWorker.StartAsync(_own, [.. servers.Out(), "Mail:Smtp:Poll=00:00:00.05", keys, "Sites:Domain=localhost", $"Mail:Site={Web.Address}"]);
        Links = new CardLinks(TestSecrets.Masters(line), new CardSite("localhost", Web.Address.ToString()));
    }

    public async Task<TestCaller> CallerAsync(params (string Path, string Text)[] files)
    {
        var tenant = await TestTenant.MakeAsync(_own);
        var caller = new TestCaller(tenant, tenant.Client(Web));
        foreach (var (path, text) in files)
        {
            await caller.SaveAsync(path, text);
        }

        return caller;
    }

    /// <summary>Somebody who belongs to the tenant and is signed in at its host.</summary>
    internal async Task<(TestVisitor Visitor, string Address)> MemberAsync(TestTenant tenant, string role = "owner")
    {
        var address = await TestBrowser.AddPersonAsync(tenant, role);
        var visitor = new TestVisitor(Web);
        await visitor.SignInAsync(address);
        await visitor.EnterAsync(tenant);
        return (visitor, address);
    }

    /// <summary>Sends the form of a page as a browser without scripts does, with these fields filled in.</summary>
    internal static async Task<TestVisitor.Seen> SendAsync(TestVisitor visitor, Uri page, string html, params (string Name, string Value)[] typed)
    {
        var form = new HtmlParser().ParseDocument(html).QuerySelector("form")!;
        var hidden = form.QuerySelectorAll("input[type=hidden]").Select(input => (input.GetAttribute("name")!, input.GetAttribute("value")!));
        return await visitor.PostAsync(new Uri(page, form.GetAttribute("action")!), [.. hidden, .. typed], ("Origin", page.GetLeftPart(UriPartial.Authority)));
    }

    public static async Task AllowPublicAsync(TestCaller caller, params string[] keys)
    {
        var body = System.Text.Json.JsonSerializer.Serialize(new { group = "public", may = new[] { "read", "set" }, keys });
        (await caller.Http.PostAsync("/api/access/entries", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), TestContext.Current.CancellationToken)).IsSuccessStatusCode.ShouldBeTrue();
    }

    public async ValueTask DisposeAsync()
    {
        await _worker.DisposeAsync();
        await Web.DisposeAsync();
        await _own.DisposeAsync();
    }
}
