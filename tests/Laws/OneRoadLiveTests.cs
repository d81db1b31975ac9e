using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Eddy.Tests.Laws;

/// <summary>The one road, tried: text that would leave a mark if anything but a cell ran it comes in by every way there is.</summary>
public sealed class OneRoadLiveTests(TestWay way) : IClassFixture<TestWay>
{
    /// <summary>What template engines and interpolations compute: 49, a class, a lookup.</summary>
    private const string Template = "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> @(7*7) {0.__class__} %(x)s ${jndi:ldap://127.0.0.1/} {{constructor.constructor('return 7*7')()}}";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Text_that_would_leave_a_mark_leaves_none_by_whatever_way_it_comes_in()
    {
        var folder = Directory.CreateTempSubdirectory("eddy-test-");
        var mark = Path.Combine(folder.FullName, "mark");
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        try
        {
            // Expressions, so that they fit wherever text does.
            var opening = $"open('{mark}', 'w').write('x')";
            var connecting = $"__import__('socket').create_connection(('127.0.0.1', {((IPEndPoint)listener.LocalEndpoint).Port}), 5).close()";
            var text = $"[{opening}, {connecting}]";
            await TryOutsideAsync(text, mark, listener);

            var tried = $"""
                def mark():
                    # A socket in a cell connects to nothing: whether one did is for the other end to say.
                    how = []
                    for act in (lambda: {opening}, lambda: {connecting}):
                        try:
                            act()
                            how.append("done")
                        except OSError:
                            how.append("refused")
                    return how
                """;
            var caller = await way.CallerAsync(
                ("libraries/marking.py", tried + "\nat_import = mark()\n"),
                ("scripts/marked.py", $"""
                    import marking
                    {tried.ReplaceLineEndings("\n                    ")}
                    at_load = mark()

                    class marked(Rule):
                        listens_to = ["go", "{text[..100]}"]
                        tried = mark()

                        def check(self):
                            self.in_check = mark()
                            return True

                        def action(self):
                            self.heard = [marking.at_import, at_load, type(self).tried, self.in_check, mark(), marking.mark()]
                    """.ReplaceLineEndings("\n").Replace("\n                    ", "\n", StringComparison.Ordinal)));
            (await caller.PutAsync("/api/files/scripts/broken.py", $"{text}\n)", "text/plain")).Dispose();
            (await caller.PutAsync("/api/files/requirements.txt", $"{text}\n-e {mark}\n--index-url http://{listener.LocalEndpoint}/\nmark @ http://{listener.LocalEndpoint}/mark.whl\n", "text/plain")).Dispose();
            (await caller.PutAsync("/api/files/templates/mark.html", $"{{{{ {text} }}}} {{% {text} %}} ${{{text}}} @({text})", "text/plain")).Dispose();
            var value = JsonSerializer.Serialize(text);

            var answer = await caller.SettleAsync($$$"""{"go": 1, "text": {{{value}}}, "deep": [{{{value}}}, {{{{value}}}: {{{value}}}}]}""", headers: ("User-Agent", text));
            await caller.SettleAsync($"go := 1\ntext := {text}\n", type: "text/plain");
            (await caller.PutAsync("/api/shared/text", value)).Dispose();
            (await caller.Http.GetAsync("/api/processes?" + Uri.EscapeDataString(text) + "=" + Uri.EscapeDataString(text), Cancel)).Dispose();
            (await caller.Http.GetAsync("/api/files/" + Uri.EscapeDataString(text), Cancel)).Dispose();

            answer.GetProperty("kvps").GetProperty("heard").EnumerateArray().Select(how => how[0].GetString())
                .ShouldBe(Enumerable.Repeat("refused", 6), false, "A file was opened.");
            answer.GetProperty("kvps").GetProperty("text").GetString().ShouldBe(text);
            File.Exists(mark).ShouldBeFalse();
            listener.Pending().ShouldBeFalse();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_template_engines_would_compute_comes_back_as_it_was_written()
    {
        var caller = await way.CallerAsync(("scripts/say.py", """
            class say(Rule):
                listens_to = ["text"]

                def action(self):
                    print(self.text)
                    self.again = self.text
                    raise_it = self.fail
                    if raise_it:
                        raise ValueError(self.text)
            """));
        var value = JsonSerializer.Serialize(Template);

        var answer = await caller.SettleAsync($$"""{"text": {{value}}}""");
        var failed = await caller.SettleAsync($$"""{"text": {{value}}, "fail": true}""");

        answer.GetProperty("kvps").GetProperty("again").GetString().ShouldBe(Template);
        (await caller.ProcessAsync(answer.GetProperty("pid").GetInt64())).GetProperty("text").GetString().ShouldBe(Template);
        (await caller.GetAsync("/api/runs/1")).GetProperty("log").GetString().ShouldBe(Template + "\n");
        failed.GetProperty("runs")[0].GetProperty("error").GetProperty("message").GetString().ShouldBe(Template);
    }

    /// <summary>The text does leave its mark where nothing holds it, or the test would show nothing.</summary>
    private static async Task TryOutsideAsync(string text, string mark, TcpListener listener)
    {
        using var python = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", text]))!;
        using (await listener.AcceptTcpClientAsync(Cancel))
        {
            await python.WaitForExitAsync(Cancel);
        }

        File.Exists(mark).ShouldBeTrue();
        File.Delete(mark);
    }
}
