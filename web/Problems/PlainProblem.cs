namespace Eddy.Problems;

/// <summary>A refusal as a sentence and nothing else: git shows it to whoever typed the command.</summary>
public sealed class PlainProblem(int status, string sentence) : IResult, IStatusCodeHttpResult
{
    public int? StatusCode => status;

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = status;
        httpContext.Response.ContentType = "text/plain; charset=utf-8";
        await httpContext.Response.WriteAsync(sentence + "\n", httpContext.RequestAborted);
    }
}
