using Eddy.Problems;

namespace Eddy.Api;

/// <summary>How many items a page has.</summary>
public static class Limit
{
    /// <summary>Why this is no limit, or null.</summary>
    public static Problem? Fault(int? limit, int most) =>
        limit is < 1 || limit > most ? new Problem(ProblemType.InvalidRequest, $"'limit' is from 1 to {most}.") : null;
}
