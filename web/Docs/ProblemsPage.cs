using Microsoft.AspNetCore.Http.HttpResults;

namespace Eddy.Docs;

/// <summary>What the <c>type</c> of every problem leads to.</summary>
internal static class ProblemsPage
{
    public static RazorComponentResult Show() => new RazorComponentResult<ProblemsScreen>();
}
