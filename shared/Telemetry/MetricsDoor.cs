using System.Net;
using System.Security.Cryptography;
using System.Text;

namespace Eddy.Telemetry;

/// <summary>
/// Who may read <c>/metrics</c>, which says how much is done and not for whom: who shows the token of the setting; where there is none, callers on this machine alone, and none that a proxy
/// says to have passed on.
/// </summary>
public sealed class MetricsDoor(string? token)
{
    public const string Setting = "Telemetry:MetricsToken";

    private const string Scheme = "Bearer ";
    private const int Shortest = 16;

    private readonly byte[]? _token = string.IsNullOrEmpty(token) ? null : Encoding.UTF8.GetBytes(token);

    /// <summary>Everything that is wrong with the setting.</summary>
    public IEnumerable<string> Faults()
    {
        if (_token is { Length: < Shortest })
        {
            yield return $"{Setting} has {_token.Length} bytes; it takes {Shortest} or more, so that nobody guesses it: openssl rand -hex 24 makes one.";
        }
    }

    /// <summary>Why a caller may not read them, in a sentence, or null.</summary>
    /// <param name="authorization">The header of that name.</param>
    /// <param name="isForwarded">A proxy says that it asks for somebody else.</param>
    public string? Fault(string authorization, IPAddress? caller, bool isForwarded)
    {
        if (_token is null)
        {
            return caller is not null && IPAddress.IsLoopback(caller) && !isForwarded
                ? null
                : $"Without the setting {Setting} they are for callers on the machine itself. Set it, and send it as 'Authorization: Bearer …'.";
        }

        var shown = authorization.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? authorization[Scheme.Length..].Trim() : "";
        return CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(shown), _token) ? null : $"They take the token of the setting {Setting}, as 'Authorization: Bearer …'.";
    }
}
