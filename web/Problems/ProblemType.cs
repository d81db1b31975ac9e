namespace Eddy.Problems;

/// <summary>
/// A kind of refusal that the HTTP API knows (RFC 9457). <c>docs/problems.md</c> has a heading for each slug, with its cause and what mends it;
/// slugs do not change.
/// </summary>
/// <param name="Slug">The last part of the problem's <c>type</c>.</param>
public sealed record ProblemType(string Slug, int Status, string Title)
{
    public static readonly ProblemType InvalidJson = new("invalid-json", 400, "The body is not valid JSON");
    public static readonly ProblemType InvalidForm = new("invalid-form", 400, "The form can not be read");
    public static readonly ProblemType InvalidText = new("invalid-text", 400, "The text can not be read");
    public static readonly ProblemType InvalidCsv = new("invalid-csv", 400, "The CSV can not be read");
    public static readonly ProblemType WrongShape = new("wrong-shape", 400, "The body is no process and no list of processes");
    public static readonly ProblemType NothingToSet = new("nothing-to-set", 400, "There is nothing to set");
    public static readonly ProblemType InvalidKey = new("invalid-key", 400, "A key is not valid");
    public static readonly ProblemType InvalidValue = new("invalid-value", 400, "A value is not valid");
    public static readonly ProblemType TooMany = new("too-many", 400, "There are too many KVPs or elements");
    public static readonly ProblemType InvalidRequest = new("invalid-request", 400, "The request is not valid");
    public static readonly ProblemType UnknownKey = new("unknown-key", 401, "The API key is not known");
    public static readonly ProblemType ClosedMetrics = new("closed-metrics", 401, "The metrics are not for everybody");
    public static readonly ProblemType MissingScope = new("missing-scope", 403, "The API key may not do this");
    public static readonly ProblemType NotAllowed = new("not-allowed", 403, "Whoever acts may not do this");
    public static readonly ProblemType UnknownProcess = new("unknown-process", 404, "There is no such process");
    public static readonly ProblemType NotFound = new("not-found", 404, "There is nothing here");
    public static readonly ProblemType MethodNotAllowed = new("method-not-allowed", 405, "This address does not take that method");
    public static readonly ProblemType InUse = new("in-use", 409, "Something else needs it");
    public static readonly ProblemType PreconditionFailed = new("precondition-failed", 412, "It has changed in the meantime");
    public static readonly ProblemType BodyTooLarge = new("body-too-large", 413, "The body is too large");
    public static readonly ProblemType ValueTooLarge = new("value-too-large", 413, "A value is too large");
    public static readonly ProblemType UnsupportedCharset = new("unsupported-charset", 415, "The character set is not known");
    public static readonly ProblemType UnsupportedCoding = new("unsupported-coding", 415, "The content coding is not taken here");
    public static readonly ProblemType UnsupportedPart = new("unsupported-part", 415, "A part of the form can not be taken");
    public static readonly ProblemType UnsupportedType = new("unsupported-type", 415, "The content type is not taken here");
    public static readonly ProblemType IdempotencyMismatch = new("idempotency-mismatch", 422, "The idempotency key was used for another request");
    public static readonly ProblemType Refused = new("refused", 422, "The change was refused");
    public static readonly ProblemType PreconditionRequired = new("precondition-required", 428, "The request must say which version it changes");
    public static readonly ProblemType TooManyRequests = new("too-many-requests", 429, "Too much is waiting");
    public static readonly ProblemType Failed = new("failed", 500, "Something went wrong here");
    public static readonly ProblemType ScriptFailed = new("script-failed", 500, "The script of this address failed");
    public static readonly ProblemType ScriptLate = new("script-late", 504, "The script of this address is not done yet");
    public static readonly ProblemType Unavailable = new("unavailable", 503, "The service can not take this now");
    public static readonly ProblemType NoMasterKey = new("no-master-key", 503, "Secrets can not be kept here");

    /// <summary>All of them, by status.</summary>
    public static IReadOnlyList<ProblemType> All { get; } =
    [
        InvalidJson, InvalidForm, InvalidText, InvalidCsv, WrongShape, NothingToSet, InvalidKey, InvalidValue, TooMany, InvalidRequest, UnknownKey, ClosedMetrics, MissingScope, NotAllowed,
        UnknownProcess, NotFound, MethodNotAllowed, InUse, PreconditionFailed, BodyTooLarge, ValueTooLarge, UnsupportedCharset, UnsupportedCoding, UnsupportedPart, UnsupportedType,
        IdempotencyMismatch, Refused, PreconditionRequired, TooManyRequests, Failed, ScriptFailed, Unavailable, NoMasterKey, ScriptLate,
    ];

    /// <summary>The problem's <c>type</c>: the address of its description.</summary>
    public string Address => $"/docs/problems#{Slug}";
}
