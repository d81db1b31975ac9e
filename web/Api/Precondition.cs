using System.Globalization;
using Eddy.Postgres;
using Eddy.Problems;

namespace Eddy.Api;

/// <summary>What <c>If-Match</c> and <c>If-None-Match</c> say of a thing that is to be written, and the ETag that they are compared with.</summary>
internal static class Precondition
{
    public static string ETag(long version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");

    /// <param name="problem">Why the headers can not be followed; null where they can.</param>
    public static bool TryRead(HttpRequest request, out WriteCondition condition, out Problem? problem)
    {
        (condition, problem) = (WriteCondition.None, null);
        if (request.Headers.IfNoneMatch.Count > 0)
        {
            if (request.Headers.IfNoneMatch is not ["*"])
            {
                problem = new Problem(ProblemType.InvalidRequest, "If-None-Match takes * here: make it only if it is new.");
                return false;
            }

            condition = new WriteCondition(MustBeNew: true, MustBeThere: false, null);
        }
        else if (request.Headers.IfMatch is ["*"])
        {
            condition = new WriteCondition(MustBeNew: false, MustBeThere: true, null);
        }
        else if (request.Headers.IfMatch.Count > 0)
        {
            // A tag that is not ours names no version, so the condition can not hold.
            var seen = request.GetTypedHeaders().IfMatch.Where(tag => !tag.IsWeak)
                .Select(tag => long.TryParse(tag.Tag.AsSpan().Trim('"'), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : -1)
                .ToList();
            condition = new WriteCondition(MustBeNew: false, MustBeThere: true, seen);
        }

        return true;
    }

    public static Problem Changed(string what, long? version) =>
        new(ProblemType.PreconditionFailed, version is null ? $"{what} is not there." : string.Create(CultureInfo.InvariantCulture, $"{what} has version {version}."));
}
