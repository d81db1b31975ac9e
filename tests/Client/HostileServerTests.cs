using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Eddy.Tests.Client;

/// <summary>The client does not trust its server: whatever a tree says, nothing is written but a tenant's files in the folder.</summary>
[Trait("Category", "Long")]
public sealed class HostileServerTests
{
    private static readonly byte[] Content = Encoding.UTF8.GetBytes("#!/bin/sh\ntouch /tmp/owned\n");

    [Theory]
    [InlineData("../outside.txt")]
    [InlineData("scripts/../../outside.txt")]
    [InlineData("/tmp/outside.txt")]
    [InlineData(".git/hooks/post-checkout")]
    [InlineData("workspace/.git/hooks/post-checkout")]
    [InlineData("workspace/.GIT/config")]
    [InlineData("workspace/.g\u200Cit/config")]
    [InlineData("workspace/git~1/config")]
    [InlineData(".eddy/state.json")]
    [InlineData("workspace/.eddy/state.json")]
    [InlineData(".bashrc")]
    [InlineData(".vscode/tasks.json")]
    [InlineData("Makefile")]
    [InlineData("workspace\\..\\..\\x")]
    [InlineData("workspace/a\0b")]
    [InlineData("workspace//x")]
    public async Task No_path_leads_out_of_the_folder_or_to_what_git_and_the_client_keep(string path)
    {
        await using var server = await ServeAsync(path, "workspace/good.txt");
        using var me = await MakeAsync(server);

        var ended = await me.RunAsync("pull");

        ended.Code.ShouldBe(0, ended.Error);
        ended.Error.ShouldContain("1 left out");
        Directory.EnumerateFiles(Path.GetDirectoryName(me.Folder)!, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 }).Select(file => Path.GetRelativePath(me.Folder, file))
            .Where(file => !file.StartsWith(".eddy/", StringComparison.Ordinal)).Order(StringComparer.Ordinal).ShouldBe(["workspace/good.txt"]);
    }

    [Fact]
    public async Task Nothing_is_written_through_a_link()
    {
        await using var server = await ServeAsync("scripts/a.py");
        using var me = await MakeAsync(server);
        var outside = Path.Combine(Path.GetDirectoryName(me.Folder)!, "outside");
        Directory.CreateDirectory(outside);
        Directory.CreateSymbolicLink(Path.Combine(me.Folder, "scripts"), outside);

        var ended = await me.RunAsync("pull");

        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("scripts is a link to");
        Directory.EnumerateFileSystemEntries(outside).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("")]
    [InlineData("base")]
    [InlineData(".gitignore")]
    [InlineData("state.json")]
    public async Task Nothing_is_kept_or_deleted_where_a_link_leads_that_came_with_the_folder(string name)
    {
        await using var server = await ServeAsync("workspace/a.txt");
        using var me = await MakeAsync(server);
        var outside = Path.Combine(Path.GetDirectoryName(me.Folder)!, "outside");
        Directory.CreateDirectory(Path.Combine(outside, "base"));
        await File.WriteAllTextAsync(Path.Combine(outside, "mine"), "mine", TestContext.Current.CancellationToken);
        var link = Path.Join(me.Folder, ".eddy", name).TrimEnd('/');
        Directory.CreateDirectory(Path.GetDirectoryName(link)!);
        File.CreateSymbolicLink(link, name.Contains('.', StringComparison.Ordinal) ? Path.Combine(outside, "new") : outside);

        var ended = await me.RunAsync("pull");

        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("is a link to");
        Directory.EnumerateFileSystemEntries(outside).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe(["base", "mine"]);
        me.Has("workspace/a.txt").ShouldBeFalse();
    }

    [Fact]
    public async Task Of_what_lies_beside_the_kept_files_nothing_is_deleted()
    {
        await using var server = await ServeAsync("workspace/a.txt");
        using var me = await MakeAsync(server);
        me.Write(".eddy/base/notes.txt", "mine");
        me.Write($".eddy/base/{new string('a', 64)}", "kept before");

        await me.DoAsync("pull");

        Directory.EnumerateFiles(Path.Combine(me.Folder, ".eddy", "base")).Select(Path.GetFileName).Order(StringComparer.Ordinal).ShouldBe([Convert.ToHexStringLower(SHA256.HashData(Content)), "notes.txt"]);
    }

    [Fact]
    public async Task What_it_says_is_nothing_that_a_terminal_would_obey()
    {
        await using var server = await ServeAsync("workspace/\u001b]0;owned\u0007.txt");
        using var me = await MakeAsync(server);

        await me.RunAsync("pull");

        me.Printed.ShouldContain("workspace/�]0;owned�.txt");
        me.Printed.ShouldNotContain("\u001b");
        me.Printed.ShouldNotContain("\u0007");
    }

    [Fact]
    public async Task A_redirect_takes_no_key_along()
    {
        await using var server = await StartAsync(app => app.MapGet("/{**any}", () => Results.Redirect("http://127.0.0.1:9/")));
        using var me = await MakeAsync(server);

        var ended = await me.RunAsync("pull");

        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("points to http://127.0.0.1:9/");
    }

    [Fact]
    public async Task A_server_that_can_not_take_it_now_is_asked_again()
    {
        var asked = 0;
        await using var server = await StartAsync(app => app.MapGet("/api/tree", () => ++asked < 3 ? Results.StatusCode(503) : Results.Json(new { tenant = "demo", version = 7, files = Array.Empty<object>() })));
        using var me = await MakeAsync(server);

        (await me.DoAsync("pull")).ShouldContain("version 7");

        asked.ShouldBe(3);
    }

    [Fact]
    public async Task Watch_goes_on_where_the_connection_was_lost()
    {
        var (isAway, lost, pushed) = (false, 0, new TaskCompletionSource<string>(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var server = await StartAsync(app =>
        {
            app.Use((context, next) =>
            {
                if (!Volatile.Read(ref isAway))
                {
                    return next();
                }

                Interlocked.Increment(ref lost);
                context.Abort();
                return Task.CompletedTask;
            });
            app.MapGet("/api/tree", () => Results.Json(new { tenant = "demo", version = 1, files = Array.Empty<object>() }));
            app.MapGet("/api/runs", () => Results.Json(new { runs = Array.Empty<object>() }));
            app.MapPost("/api/tree", async (HttpRequest request) =>
            {
                using var reader = new StreamReader(request.Body);
                pushed.TrySetResult(await reader.ReadToEndAsync());
                return Results.Json(new { version = 2, saved = true, files = new[] { new { path = "workspace/a.txt", kind = "new", findings = Array.Empty<object>() } } });
            });
        });
        using var me = await MakeAsync(server);
        await me.DoAsync("pull");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        Volatile.Write(ref isAway, true);
        me.Write("workspace/a.txt", "a");
        using var told = new TestClient.Told();
        var watching = me.RunAsync("", ["watch", "--no-logs"], told, stop.Token);
        await Patience.UntilAsync("it has lost the connection", () => Volatile.Read(ref lost) > 0);
        Volatile.Write(ref isAway, false);

        (await pushed.Task.WaitAsync(Patience.Long, TestContext.Current.CancellationToken)).ShouldContain("workspace/a.txt");

        await stop.CancelAsync();
        (await watching).Code.ShouldBe(130);
        me.Printed.ShouldContain("does not answer");
    }

    [Fact]
    public async Task Watch_deletes_nothing_there_because_all_is_gone_here_or_the_folder_is()
    {
        var (looks, pushes) = (0, 0);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Content));
        await using var server = await StartAsync(app =>
        {
            app.MapGet("/api/tree", () =>
            {
                Interlocked.Increment(ref looks);
                return Results.Json(new { tenant = "demo", version = 1, files = new[] { new { path = "workspace/a.txt", version = 1, size = Content.Length, sha256 = hash } } });
            });
            app.MapGet("/api/files/{**path}", () => Results.Bytes(Content));
            app.MapPost("/api/tree", () =>
            {
                Interlocked.Increment(ref pushes);
                return Results.Json(new { version = 2, saved = true, files = new[] { new { path = "workspace/a.txt", kind = "removed", findings = Array.Empty<object>() } } });
            });
        });
        using var me = await MakeAsync(server);
        await me.DoAsync("pull");
        var watching = me.RunAsync("watch", "--no-logs");
        await LooksAsync(1);

        // Two looks miss it, and what they come to is done by the time of the next.
        me.Delete("workspace/a.txt");
        await LooksAsync(3);
        Directory.Move(me.Folder, me.Folder + "2");

        var ended = await watching.WaitAsync(Patience.Long, TestContext.Current.CancellationToken);
        ended.Code.ShouldBe(1);
        ended.Error.ShouldContain("Every file of the tenant is missing here.");
        ended.Error.ShouldContain("is not there any more");
        pushes.ShouldBe(0);

        Task LooksAsync(int more)
        {
            var before = Volatile.Read(ref looks);
            return Patience.UntilAsync("it has looked", Patience.Long, () => Task.FromResult(Volatile.Read(ref looks) >= before + more));
        }
    }

    private static Task<TestClient> MakeAsync(WebApplication server)
    {
        var me = TestClient.Make();
        (me.Environment["EDDY_URL"], me.Environment["EDDY_KEY"]) = (server.Urls.Single(), "eddy_x");
        return Task.FromResult(me);
    }

    private static Task<WebApplication> ServeAsync(params string[] paths)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Content));
        return StartAsync(app =>
        {
            app.MapGet("/api/tree", () => Results.Json(new { tenant = "demo", version = 1, files = paths.Select(path => new { path, version = 1, size = Content.Length, sha256 = hash }) }));
            app.MapGet("/api/files/{**path}", () => Results.Bytes(Content));
        });
    }

    private static async Task<WebApplication> StartAsync(Action<WebApplication> map)
    {
        var builder = WebApplication.CreateSlimBuilder(["--urls=http://127.0.0.1:0"]);
        builder.Logging.ClearProviders();
        var app = builder.Build();
        map(app);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return app;
    }
}
