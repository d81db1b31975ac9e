using System.Net;
using System.Text.Json;

namespace Eddy.Tests;

internal static class JsonAnswers
{
    public static async Task<JsonElement> JsonAsync(this Task<HttpResponseMessage> sent, HttpStatusCode status = HttpStatusCode.OK)
    {
        using var response = await sent;
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        response.StatusCode.ShouldBe(status, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>The slug of the problem that the answer is.</summary>
    public static async Task<string> ProblemAsync(this Task<HttpResponseMessage> sent, HttpStatusCode status)
    {
        using var response = await sent;
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        var problem = await Task.FromResult(response).JsonAsync(status);
        problem.GetProperty("status").GetInt32().ShouldBe((int)status);
        return problem.GetProperty("type").GetString()!.Split('#')[1];
    }
}
