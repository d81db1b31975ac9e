using System.Net;
using System.Text;

namespace Eddy.Tests.Sites;

/// <summary>What of a tenant's files everybody may have, and how it is sent.</summary>
public sealed class PublicFileTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    [Theory]
    [InlineData("style.css", "text/css; charset=utf-8")]
    [InlineData("app.js", "text/javascript; charset=utf-8")]
    [InlineData("a/deep/page.html", "text/html; charset=utf-8")]
    [InlineData("picture.svg", "image/svg+xml; charset=utf-8")]
    [InlineData("data.json", "application/json; charset=utf-8")]
    [InlineData("letter.pdf", "application/pdf")]
    [InlineData("notes.md", "text/plain; charset=utf-8")]
    [InlineData(".well-known/security.txt", "text/plain; charset=utf-8")]
    public async Task A_file_of_the_public_folder_is_there_as_what_its_name_says(string name, string type)
    {
        var tenant = await WithFilesAsync($"workspace/public/{name}");
        using var visitor = new TestVisitor(shared.Web);

        var seen = await visitor.GetAsync(new Uri(visitor.SiteOf(tenant), "/" + name));

        seen.Status.ShouldBe(HttpStatusCode.OK);
        seen.Text.ShouldBe($"of workspace/public/{name}");
        seen.Headers["Content-Type"].ShouldBe(type);
        seen.Headers["X-Content-Type-Options"].ShouldBe("nosniff");
        seen.Headers["Cache-Control"].ShouldBe("no-cache");
    }

    [Fact]
    public async Task What_a_browser_can_not_tell_it_saves()
    {
        var tenant = await WithFilesAsync("workspace/public/thing.unheardof");
        using var visitor = new TestVisitor(shared.Web);

        var seen = await visitor.GetAsync(new Uri(visitor.SiteOf(tenant), "/thing.unheardof"));

        seen.Headers["Content-Type"].ShouldBe("application/octet-stream");
        seen.Headers["Content-Disposition"].ShouldBe("attachment");
    }

    [Fact]
    public async Task What_has_not_changed_is_not_sent_again_and_what_has_is()
    {
        var tenant = await WithFilesAsync("workspace/public/a.css");
        using var visitor = new TestVisitor(shared.Web);
        var address = new Uri(visitor.SiteOf(tenant), "/a.css");
        var tag = (await visitor.GetAsync(address)).Headers["ETag"];
        (await visitor.GetAsync(address, ("If-None-Match", tag))).Status.ShouldBe(HttpStatusCode.NotModified);
        (await visitor.GetAsync(address, ("Range", "bytes=0-1"))).Text.ShouldBe("of");

        await PutAsync(tenant, "workspace/public/a.css", "another");

        (await visitor.GetAsync(address, ("If-None-Match", tag))).Text.ShouldBe("another");
    }

    [Theory]
    [InlineData("/../secret.txt")]
    [InlineData("/..%2fsecret.txt")]
    [InlineData("/%2e%2e/secret.txt")]
    [InlineData("/public/../../scripts/rule.py")]
    [InlineData("/..%2f..%2fscripts/rule.py")]
    [InlineData("/secret.txt")]
    [InlineData("/workspace/secret.txt")]
    [InlineData("/workspace/public/open.txt")]
    [InlineData("/scripts/rule.py")]
    [InlineData("/rule.py")]
    [InlineData("/requirements.txt")]
    [InlineData("//open.txt")]
    [InlineData("/.hidden/open.txt")]
    [InlineData("/.env")]
    [InlineData("/_eddy/open.txt")]
    [InlineData("/open.txt%00")]
    [InlineData("/Open.txt")]
    public async Task No_other_file_is_ever_there(string path)
    {
        var tenant = await WithFilesAsync(
            "workspace/secret.txt", "workspace/public/open.txt", "workspace/public/.env", "workspace/public/.hidden/open.txt", "workspace/public/_eddy/open.txt", "workspace/publicity/secret.txt");
        await PutAsync(tenant, "scripts/rule.py", "x = 1\n");
        await PutAsync(tenant, "requirements.txt", "");
        using var visitor = new TestVisitor(shared.Web);
        (await visitor.GetAsync(new Uri(visitor.SiteOf(tenant), "/open.txt"))).Status.ShouldBe(HttpStatusCode.OK);

        // As it stands here: what makes addresses would tidy it.
        using var asked = new HttpRequestMessage(HttpMethod.Get, new Uri(shared.Web.Address.GetLeftPart(UriPartial.Authority) + path, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true }));
        asked.Headers.Host = visitor.SiteOf(tenant).Authority;
        using var http = new HttpClient();
        using var answer = await http.SendAsync(asked, TestContext.Current.CancellationToken);

        answer.StatusCode.ShouldBeOneOf(HttpStatusCode.BadRequest, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_file_of_another_tenant_is_not_there()
    {
        var (tenant, other) = (await WithFilesAsync("workspace/public/open.txt"), await TestTenant.MakeAsync(database));
        using var visitor = new TestVisitor(shared.Web);

        (await visitor.GetAsync(new Uri(visitor.SiteOf(other), "/open.txt"))).Status.ShouldBe(HttpStatusCode.NotFound);
        (await visitor.GetAsync(new Uri(visitor.SiteOf(tenant), "/open.txt"))).Status.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Where_nothing_is_people_are_told_in_words_and_programs_by_a_problem()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var visitor = new TestVisitor(shared.Web);

        var page = await visitor.GetAsync(new Uri(visitor.SiteOf(tenant), "/<b>nothing"), ("Accept", "text/html"));
        page.Status.ShouldBe(HttpStatusCode.NotFound);
        page.Text.ShouldContain("has no page /&lt;b&gt;nothing");
        (await visitor.GetAsync(new Uri(visitor.SiteOf(tenant), "/nothing"))).Headers["Content-Type"].ShouldBe("application/problem+json");
    }

    private async Task<TestTenant> WithFilesAsync(params string[] paths)
    {
        var tenant = await TestTenant.MakeAsync(database);
        foreach (var path in paths)
        {
            await PutAsync(tenant, path, "of " + path);
        }

        return tenant;
    }

    private async Task PutAsync(TestTenant tenant, string path, string text)
    {
        using var http = tenant.Client(shared.Web);
        using var answer = await http.PutAsync($"/api/files/{path}", new ByteArrayContent(Encoding.UTF8.GetBytes(text)), TestContext.Current.CancellationToken);
        answer.IsSuccessStatusCode.ShouldBeTrue($"{path}: {answer.StatusCode}");
    }
}
