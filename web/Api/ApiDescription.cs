using Eddy.Problems;

namespace Eddy.Api;

/// <summary>What endpoints say of themselves.</summary>
public static class ApiDescription
{
    /// <summary>Among the types that an endpoint accepts: routing turns no other away either.</summary>
    public const string AnyType = "*/*";

    /// <summary>What is sent, as it may be, and what comes back, both JSON (what is sent may be plain text).</summary>
    public static RouteHandlerBuilder WithExample(this RouteHandlerBuilder endpoint, string? request, string? answer) =>
        endpoint.WithMetadata(new Example(request, answer));

    /// <summary>It may refuse with these statuses, as a problem.</summary>
    public static RouteHandlerBuilder Refuses(this RouteHandlerBuilder endpoint, params int[] statuses)
    {
        foreach (var status in statuses.Append(500))
        {
            endpoint.WithMetadata(new ProducesResponseTypeMetadata(status, typeof(ProblemBody), [Problem.MediaType]));
        }

        return endpoint;
    }
}

/// <summary>An endpoint's mark: an exchange with it.</summary>
public sealed record Example(string? Request, string? Answer);

/// <summary>A refusal after RFC 9457.</summary>
/// <param name="Type">The kind; the address of its description.</param>
/// <param name="Detail">What is wrong with this very request.</param>
/// <param name="Errors">The places that are wrong.</param>
/// <param name="TraceId">What the operator finds it by.</param>
public sealed record ProblemBody(string Type, string Title, int Status, string? Detail, IReadOnlyList<FieldError>? Errors, string TraceId);
