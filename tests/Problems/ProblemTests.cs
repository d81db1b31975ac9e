using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json.Nodes;
using Eddy.Problems;
using Microsoft.AspNetCore.Http;

namespace Eddy.Tests.Problems;

public sealed class ProblemTests
{
    [Fact]
    public async Task A_problem_says_what_and_where()
    {
        var (context, json) = await Answer(new Problem(ProblemType.InvalidValue, "“room”: no.", [new FieldError("No.", "/room"), new FieldError("Nor this.", Line: 3)]));

        context.Response.StatusCode.ShouldBe(400);
        context.Response.ContentType.ShouldBe("application/problem+json");
        json["type"]!.GetValue<string>().ShouldBe("/docs/problems#invalid-value");
        json["title"]!.GetValue<string>().ShouldBe("A value is not valid");
        json["status"]!.GetValue<int>().ShouldBe(400);
        json["detail"]!.GetValue<string>().ShouldBe("“room”: no.");
        json["errors"]!.ToJsonString().ShouldBe("""[{"detail":"No.","pointer":"/room"},{"detail":"Nor this.","line":3}]""");
        json["traceId"]!.GetValue<string>().ShouldBe("the-trace");
        context.Response.Headers.RetryAfter.Count.ShouldBe(0);
    }

    [Fact]
    public async Task What_a_problem_has_not_it_does_not_say()
    {
        var (_, json) = await Answer(new Problem(ProblemType.NotFound));

        json.Select(property => property.Key).ShouldBe(["type", "title", "status", "traceId"]);
    }

    [Fact]
    public async Task A_pause_is_told_in_whole_seconds()
    {
        var (context, _) = await Answer(new Problem(ProblemType.TooManyRequests, retryAfter: TimeSpan.FromMilliseconds(1200)));

        context.Response.Headers.RetryAfter.ToString().ShouldBe("2");
    }

    [Fact]
    public void Each_type_has_its_place_in_the_documentation()
    {
        var described = File.ReadAllLines(Path.Combine(Root(), "docs", "problems.md")).Where(line => line.StartsWith("## ")).Select(line => line[3..]);

        described.ShouldBe(ProblemType.All.Select(type => type.Slug), ignoreOrder: true);
        ProblemType.All.Count.ShouldBe(typeof(ProblemType).GetFields().Count(field => field.FieldType == typeof(ProblemType)));
    }

    private static async Task<(HttpContext Context, JsonObject Json)> Answer(Problem problem)
    {
        var body = new MemoryStream();
        var context = new DefaultHttpContext { TraceIdentifier = "the-trace", Response = { Body = body } };

        await problem.ExecuteAsync(context);
        await context.Response.CompleteAsync();

        return (context, JsonNode.Parse(Encoding.UTF8.GetString(body.ToArray()))!.AsObject());
    }

    private static string Root([CallerFilePath] string file = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", ".."));
}
