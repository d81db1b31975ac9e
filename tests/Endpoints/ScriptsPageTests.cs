using System.Text;
using System.Text.RegularExpressions;
using Eddy.Endpoints;

namespace Eddy.Tests.Endpoints;

/// <summary>The examples of <c>docs/api-scripts.md</c>, as they stand there: each request that follows a script is answered as the page says.</summary>
public sealed partial class ScriptsPageTests(TestWay way) : IClassFixture<TestWay>
{
    private static readonly string Page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "api-scripts.md"));

    public static TheoryData<string, string, string, string> Examples() =>
        [.. Example().Matches(Page).Select(match => (match.Groups["path"].Value, match.Groups["script"].Value, match.Groups["request"].Value, match.Groups["answer"].Value.Trim()))];

    [Theory]
    [MemberData(nameof(Examples))]
    public async Task An_example_answers_as_the_page_says(string path, string script, string request, string answer)
    {
        var caller = await way.CallerAsync((path, script));
        var lines = request.Split('\n');
        var (method, address) = (lines[0].Split(' ')[0], lines[0].Split(' ')[1].Trim());
        var type = lines.FirstOrDefault(line => line.StartsWith("Content-Type: ", StringComparison.Ordinal))?["Content-Type: ".Length..];
        var body = request.Split("\n\n", 2) is [_, var rest] ? rest.Trim() : "";

        var reply = await EndpointTests.ReplyAsync(way, caller, method, address.Split('?')[0], body, type, address.Contains('?', StringComparison.Ordinal) ? address.Split('?')[1] : "");

        var answered = reply.ShouldBeOfType<EndpointReply.Answer>().Answered;
        // The number of a process is the tenant's next.
        Number().Replace($"{answered.Status} {Encoding.UTF8.GetString(answered.Body)}", "\"payment\": 1").ShouldBe(answer);
    }

    [Fact]
    public void The_page_has_examples() => Example().Count(Page).ShouldBeGreaterThan(3);

    [Theory]
    [InlineData("request.method")]
    [InlineData("request.url")]
    [InlineData("request.GET.as_dict()")]
    [InlineData("request.POST.as_dict()")]
    [InlineData("request.FORM")]
    [InlineData("request.BODY")]
    [InlineData("len(request.RAW)")]
    [InlineData("request.FILES.as_dict()")]
    [InlineData("request.headers.get('X-OWN')")]
    [InlineData("request.META['HTTP_X_OWN']")]
    [InlineData("request.user")]
    [InlineData("request.is_authenticated")]
    [InlineData("request.api_key")]
    [InlineData("request.PROCESS")]
    public async Task Every_name_of_the_first_table_is_there(string expression)
    {
        Page.ShouldContain(Name().Match(expression).Value);
        var caller = await way.CallerAsync(("api/one.py", $"def it(request):\n    return [{expression}]\n"));

        (await EndpointTests.ReplyAsync(way, caller, "POST", "/api/v1/one/it", "{}", "application/json")).ShouldBeOfType<EndpointReply.Answer>().Answered.Status.ShouldBe(200);
    }

    [GeneratedRegex(@"```python\n(?<script># (?<path>api/\S+\.py)\n.*?)```\n\n```http\n(?<request>.*?)```\n\n```answer\n(?<answer>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Example();

    [GeneratedRegex(@"\.\w+")]
    private static partial Regex Name();

    [GeneratedRegex("\"payment\": [0-9]+")]
    private static partial Regex Number();
}
