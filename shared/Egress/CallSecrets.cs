using System.Buffers.Text;
using Eddy.Secrets;

namespace Eddy.Egress;

/// <summary>Puts a tenant's secrets in the place of their placeholders in one call, where they are for its host: path, query, headers, HTTP Basic and body.</summary>
internal sealed class CallSecrets(SecretSet set, CallTarget target, ICollection<string> used)
{
    private const string Basic = "Basic ";

    public SecretSet Set => set;

    /// <summary>Whether there is anything in a request that may be a placeholder.</summary>
    public static bool AreNamedIn(CallRequest request) =>
        request.Url.Contains(SecretSet.PlaceholderPrefix, StringComparison.Ordinal)
        || request.Body.Span.IndexOf("eddysecret_"u8) >= 0
        || request.Headers.Any(header => header.Value.Contains(SecretSet.PlaceholderPrefix, StringComparison.Ordinal)
            || OfBasic(header) is { } pair && pair.AsSpan().IndexOf("eddysecret_"u8) >= 0);

    public CallTarget FillTarget() => target with
    {
        Path = set.Fill(target.Path, target.Authority, used, Spelling.Url),
        Query = set.Fill(target.Query, target.Authority, used, Spelling.Url),
    };

    /// <exception cref="CallRefused">A secret in it can not stand in a header.</exception>
    public List<KeyValuePair<string, string>> Fill(List<KeyValuePair<string, string>> headers)
    {
        var filled = new List<KeyValuePair<string, string>>(headers.Count);
        foreach (var header in headers)
        {
            var value = OfBasic(header) is { } pair
                ? Basic + Convert.ToBase64String(set.FillBytes(pair, target.Authority, used).Span)
                : set.Fill(header.Value, target.Authority, used, Spelling.Header);
            if (CallHeaders.FaultOf(value) is { } fault)
            {
                throw new CallRefused(CallFaults.Refused, $"A secret in the header {header.Key} has {fault}, which no header can hold.");
            }

            filled.Add(new(header.Key, value));
        }

        return filled;
    }

    public ReadOnlyMemory<byte> Fill(ReadOnlyMemory<byte> body, List<KeyValuePair<string, string>> headers)
    {
        var type = headers.FirstOrDefault(header => header.Key.Equals("Content-Type", StringComparison.OrdinalIgnoreCase)).Value;
        return set.FillBytes(body, target.Authority, used, Spellings.Of(type));
    }

    // User and password as bytes; null where the header is another.
    private static byte[]? OfBasic(KeyValuePair<string, string> header)
    {
        if (!header.Key.Equals("Authorization", StringComparison.OrdinalIgnoreCase) || !header.Value.StartsWith(Basic, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var text = header.Value.AsSpan(Basic.Length).Trim(' ');
        var pair = new byte[Base64.GetMaxDecodedFromUtf8Length(text.Length)];
        return Convert.TryFromBase64Chars(text, pair, out var count) ? pair[..count] : null;
    }
}
