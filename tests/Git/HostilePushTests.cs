using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Eddy.Git;

namespace Eddy.Tests.Git;

/// <summary>What nobody means well by is refused with a reason, and leaves nothing.</summary>
[Trait("Category", "Long")]
public sealed class HostilePushTests(TestDatabase database, SharedWeb shared) : IClassFixture<SharedWeb>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_no_tenant_may_have_is_refused_and_named()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var clone = await TestClone.MakeAsync(shared.Web, tenant);
        var blob = (await TestClone.DoAsync(clone.Folder, 0, ["hash-object", "-w", "--stdin"], "print(1)\n")).Trim();

        foreach (var (entries, sentence) in ((string[], string)[])
        [
            ([$"120000 {blob}\tscripts/link.py"], "scripts/link.py is a symbolic link"),
            ([$"160000 {new string('1', 40)}\tlibraries/sub"], "libraries/sub is a submodule"),
            ([$"100644 {blob}\tsetup.py"], "setup.py: A file is in one of"),
            ([$"100644 {blob}\tscripts/data.txt"], "scripts/data.txt: Files in scripts/ are Python"),
            ([$"100644 {blob}\tworkspace/a.txt"], "workspace/a.txt: Files in workspace/ are data of the rules"),
            ([$"100644 {blob}\trequirements.lock"], "requirements.lock is written by the platform"),
            ([$"100644 {blob}\tlibraries/a\\b.txt"], "no backslashes"),
            ([$"100644 {blob}\tlibraries/a\u0001b.txt"], "no control characters"),
            ([$"100644 {blob}\tlibraries/.gitmodules"], "gitmodules"),
        ])
        {
            (await PushAsync(clone, await TreeAsync(clone, entries))).ShouldContain(sentence);
        }

        // Such trees git makes for nobody; they are written by hand.
        foreach (var name in (string[])[".git", "..", "GIT~1", ".g\u200cit"])
        {
            var tree = await HashAsync(clone, "tree", [.. Encoding.UTF8.GetBytes($"100644 {name}\0"), .. Convert.FromHexString(blob)]);
            (await PushAsync(clone, await TreeAsync(clone, [$"040000 {tree}\tlibraries"]))).ShouldContain("remote rejected", Case.Sensitive, name);
        }

        (await tenant.Client(shared.Web).GetAsync("/api/files", Cancel).JsonAsync()).GetProperty("files").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task What_unpacks_to_too_much_is_refused_before_it_is_read()
    {
        var tenant = await TestTenant.MakeAsync(database);
        using var clone = await TestClone.MakeAsync(shared.Web, tenant);

        // 64 MiB that are 64 KiB on the way.
        await File.WriteAllBytesAsync(Path.Combine(clone.Folder, "big"), new byte[64 << 20], Cancel);
        var big = (await clone.GitAsync("hash-object", "-w", "big")).Trim();
        (await PushAsync(clone, await TreeAsync(clone, [$"100644 {big}\tlibraries/big.txt"]))).ShouldContain("libraries/big.txt has 67,108,864 bytes, and a file at most 1,048,576.");

        // Ten billion files in a hundred bytes, and a path of folders that does not end.
        var tree = (await TestClone.DoAsync(clone.Folder, 0, ["mktree"], $"100644 blob {big}\ta.txt\n")).Trim();
        for (var i = 0; i < 10; i++)
        {
            tree = (await TestClone.DoAsync(clone.Folder, 0, ["mktree"], string.Concat(Enumerable.Range(0, 10).Select(n => $"040000 tree {tree}\t{n}\n")))).Trim();
        }

        (await PushAsync(clone, tree)).ShouldContain("A commit has at most 10,000 files and folders.");
        for (var i = 0; i < 140; i++)
        {
            tree = (await TestClone.DoAsync(clone.Folder, 0, ["mktree"], $"040000 tree {tree}\td\n")).Trim();
        }

        (await PushAsync(clone, tree)).ShouldContain("Folders are at most 128 deep.");
        (await tenant.Client(shared.Web).GetAsync("/api/files", Cancel).JsonAsync()).GetProperty("files").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task What_is_no_push_of_git_is_refused_and_what_is_packed_is_understood()
    {
        var tenant = await TestTenant.MakeAsync(database);
        var main = new string('1', 40);

        (await SendAsync(tenant, "hello"u8.ToArray())).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(tenant, "ffff"u8.ToArray())).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(tenant, "0000"u8.ToArray(), "gzip")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(tenant, "0000"u8.ToArray(), "gzip", "git-upload-pack")).Status.ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync(tenant, [.. Enumerable.Range(0, 200).SelectMany(n => PacketLine.Of($"{RefCommand.None} {main} refs/heads/b{n}")), .. PacketLine.Flush])).Text.ShouldContain("at most 100 references");
        var (_, broken) = await SendAsync(tenant, [.. PacketLine.Of($"{RefCommand.None} {main} refs/heads/main\0report-status side-band-64k"), .. PacketLine.Flush, .. "PACK\0\0\0\u0002"u8]);
        broken.ShouldContain("git can not take what was pushed");
        broken.ShouldContain("ng refs/heads/main not unpacked");

        // What is small and unpacks without an end is read to a limit, not to its end.
        using var bomb = new MemoryStream();
        await using (var zip = new GZipStream(bomb, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(PacketLine.Of($"{RefCommand.None} {main} refs/heads/main\0report-status"));
            zip.Write(PacketLine.Flush);
            for (var mebibytes = 0; mebibytes < 300; mebibytes++)
            {
                zip.Write(new byte[1 << 20]);
            }
        }

        var (status, text) = await SendAsync(tenant, bomb.ToArray(), "gzip");
        (status, text).ShouldBe((HttpStatusCode.BadRequest, "That is too much to send at once. There are more than 134,217,728 bytes.\n"));

        // Nor are lines without an end, of which each alone is in order.
        using var lines = new MemoryStream();
        await using (var zip = new GZipStream(lines, CompressionLevel.Fastest, leaveOpen: true))
        {
            var shallow = PacketLine.Of($"shallow {main}\n");
            for (var line = 0; line < 30_000; line++)
            {
                zip.Write(shallow);
            }
        }

        (await SendAsync(tenant, lines.ToArray(), "gzip")).ShouldBe((HttpStatusCode.BadRequest, "A push says in at most 1,048,576 bytes what it wants.\n"));

        // The probe that git sends before a large push, zipped as it zips what it asks for.
        using var zipped = new MemoryStream();
        await using (var zip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            zip.Write(PacketLine.Flush);
        }

        (await SendAsync(tenant, zipped.ToArray(), "gzip")).Status.ShouldBe(HttpStatusCode.OK);
    }

    private static async Task<string> PushAsync(TestClone clone, string tree)
    {
        var commit = (await TestClone.DoAsync(clone.Folder, 0, ["commit-tree", tree, "-m", "hostile"])).Trim();
        return await clone.FailAsync("push", "origin", $"{commit}:refs/heads/main");
    }

    private static async Task<string> TreeAsync(TestClone clone, string[] entries)
    {
        await clone.GitAsync("read-tree", "--empty");
        if (entries is [['0', '4', ..]])
        {
            return (await TestClone.DoAsync(clone.Folder, 0, ["mktree"], entries[0].Replace("040000 ", "040000 tree ", StringComparison.Ordinal) + "\n")).Trim();
        }

        await TestClone.DoAsync(clone.Folder, 0, ["update-index", "-z", "--index-info"], string.Concat(entries.Select(entry => entry + "\0")));
        return (await clone.GitAsync("write-tree", "--missing-ok")).Trim();
    }

    private static async Task<string> HashAsync(TestClone clone, string type, byte[] content)
    {
        var file = Path.Combine(clone.Folder, ".git", "by-hand");
        await File.WriteAllBytesAsync(file, content, Cancel);
        return (await clone.GitAsync("hash-object", "-t", type, "-w", "--literally", file)).Trim();
    }

    private async Task<(HttpStatusCode Status, string Text)> SendAsync(TestTenant tenant, byte[] body, string? coding = null, string service = "git-receive-pack")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/git/{tenant.Slug}.git/{service}") { Content = new ByteArrayContent(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"x:{tenant.Key}")));
        if (coding is not null)
        {
            request.Content.Headers.ContentEncoding.Add(coding);
        }

        using var client = new HttpClient { BaseAddress = shared.Web.Address };
        using var response = await client.SendAsync(request, Cancel);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancel));
    }
}
