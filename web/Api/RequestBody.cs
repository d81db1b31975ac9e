using Microsoft.AspNetCore.Http.Features;

namespace Eddy.Api;

/// <summary>A body that is read whole.</summary>
internal static class RequestBody
{
    /// <summary>All bytes of the body, or null where there are more than <paramref name="most"/>.</summary>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int most, CancellationToken cancel)
    {
        // The server's own limit is that of a file, and what is too much is told here in words of its own.
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = most + 1L;
        }

        if (request.ContentLength > most)
        {
            return Refused(request);
        }

        using var body = new MemoryStream();
        var buffer = new byte[16384];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancel)) > 0)
        {
            if (body.Length + read > most)
            {
                return Refused(request);
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    /// <summary>The server ends a connection on which too much is left unread; who is not told would send the next request on it.</summary>
    private static byte[]? Refused(HttpRequest request)
    {
        if (HttpProtocol.IsHttp11(request.Protocol))
        {
            request.HttpContext.Response.Headers.Connection = "close";
        }

        return null;
    }
}
