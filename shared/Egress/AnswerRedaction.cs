using System.IO.Compression;
using Eddy.Secrets;

namespace Eddy.Egress;

/// <summary>
/// Strikes a run's secrets out of an answer before its cell sees it. A body that is compressed all the same is unpacked for that, and comes back unpacked.
/// </summary>
internal sealed class AnswerRedaction(IReadOnlyCollection<SecretSet> sets, int limit)
{
    /// <exception cref="CallRefused">The body can not be looked through.</exception>
    public CallAnswer Redact(CallAnswer answer, string host)
    {
        var (body, unpacked) = Unpack(answer, host);
        var headers = new List<KeyValuePair<string, string>>(answer.Headers.Count);
        foreach (var (name, value) in answer.Headers)
        {
            if (!unpacked || !name.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase))
            {
                headers.Add(new(Redact(name), Redact(value)));
            }
        }

        foreach (var set in sets)
        {
            body = set.RedactBytes(body);
        }

        return answer with { Reason = Redact(answer.Reason), Headers = headers, Body = body };
    }

    private string Redact(string text)
    {
        foreach (var set in sets)
        {
            text = set.Redact(text);
        }

        return text;
    }

    private (ReadOnlyMemory<byte> Body, bool Unpacked) Unpack(CallAnswer answer, string host)
    {
        var codings = answer.Headers.Where(header => header.Key.Equals("Content-Encoding", StringComparison.OrdinalIgnoreCase))
            .SelectMany(header => header.Value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            .Select(coding => coding.ToLowerInvariant()).Where(coding => coding != "identity").Reverse().ToList();
        var body = answer.Body;
        if (codings.Count == 0 || body.Length == 0)
        {
            return (body, false);
        }

        if (codings.Count > 3)
        {
            throw Unreadable(host, string.Join(", ", codings.Take(3)));
        }

        foreach (var coding in codings)
        {
            body = Unpack(body, coding, host);
        }

        return (body, true);
    }

    private ReadOnlyMemory<byte> Unpack(ReadOnlyMemory<byte> packed, string coding, string host)
    {
        var from = new MemoryStream(packed.ToArray(), writable: false);
        using Stream stream = coding switch
        {
            "gzip" or "x-gzip" => new GZipStream(from, CompressionMode.Decompress),

            // By the standard with a header of zlib, which some servers leave out: its first byte has 8 in its lower half.
            "deflate" => (packed.Span[0] & 0x0F) == 8 ? new ZLibStream(from, CompressionMode.Decompress) : new DeflateStream(from, CompressionMode.Decompress),
            "br" => new BrotliStream(from, CompressionMode.Decompress),
            _ => throw Unreadable(host, coding),
        };
        var body = new MemoryStream();
        var buffer = new byte[16 << 10];
        try
        {
            for (int count; (count = stream.Read(buffer)) > 0;)
            {
                if (body.Length + count > limit)
                {
                    throw new CallRefused(CallFaults.TooLarge, $"The answer of {host} has more than {limit} bytes once it is unpacked.");
                }

                body.Write(buffer, 0, count);
            }
        }
        catch (Exception e) when (e is InvalidDataException or InvalidOperationException or IOException)
        {
            throw new CallRefused(CallFaults.Protocol, $"The {coding} of the answer of {host} can not be unpacked.");
        }

        return body.GetBuffer().AsMemory(0, (int)body.Length);
    }

    private static CallRefused Unreadable(string host, string coding) => new(
        CallFaults.Protocol, $"The answer of {host} is packed as '{(coding.Length > 50 ? coding[..50] : coding)}', though it was asked not to be, and so can not be searched for secrets.");
}
