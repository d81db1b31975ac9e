using System.Security.Cryptography;
using System.Text;

namespace Eddy.Egress;

/// <summary>An answer as it is kept with the record of its call: what the run was given, secrets struck out of it.</summary>
/// <param name="Asked">What tells the request from others.</param>
/// <param name="Body">In Base64.</param>
public sealed record KeptAnswer(string Asked, string Reason, IReadOnlyList<KeyValuePair<string, string>> Headers, string Body)
{
    /// <summary>Longer answers are not kept.</summary>
    public const int MostBytes = 16 << 10;

    /// <summary>Null for one that is not kept.</summary>
    public static KeptAnswer? Of(CallRequest request, CallAnswer answer) =>
        answer.Fault is not null || answer.Body.Length + answer.Headers.Sum(header => header.Key.Length + header.Value.Length) > MostBytes ? null
        : new KeptAnswer(AskedBy(request), answer.Reason, answer.Headers, Convert.ToBase64String(answer.Body.Span));

    public bool IsTo(CallRequest request) => Asked == AskedBy(request);

    public CallAnswer Given(int status) => new(status, Reason, Headers, Convert.FromBase64String(Body), null);

    private static string AskedBy(CallRequest request)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Url}\n"));
        hash.AppendData(request.Body.Span);
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
