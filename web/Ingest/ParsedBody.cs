using Eddy.Kvps;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>What a body came to: change sets, or a refusal.</summary>
public abstract record ParsedBody;

/// <summary>A body that can be taken.</summary>
/// <param name="Sets">One change set for each process, in the body's order; none is empty, and no key is twice in one.</param>
/// <param name="IsList">Whether the body was a list (of one element too), so that the answer is one.</param>
public sealed record BodySets(IReadOnlyList<IReadOnlyList<Change>> Sets, bool IsList) : ParsedBody;

/// <summary>A body that is refused as a whole.</summary>
/// <param name="Errors">Where it is wrong; may be empty.</param>
public sealed record BodyRefused(ProblemType Type, string Detail, IReadOnlyList<FieldError> Errors) : ParsedBody
{
    public Problem ToProblem() => new(Type, Detail, Errors);
}
