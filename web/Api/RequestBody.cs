namespace Eddy.Api;

/// <summary>A body that is read whole.</summary>
internal static class RequestBody
{
    /// <summary>All bytes of the body, or null where there are more than <paramref name="most"/>.</summary>
    public static async Task<byte[]?> ReadAsync(HttpRequest request, int most, CancellationToken cancel)
    {
        if (request.ContentLength > most)
        {
            return null;
        }

        using var body = new MemoryStream();
        var buffer = new byte[16384];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancel)) > 0)
        {
            if (body.Length + read > most)
            {
                return null;
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }
}
