using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;

namespace Eddy.Packages;

/// <summary>
/// The index that the operator chose, and the hosts with its files. Nothing else is ever asked, redirects are not followed, and what has another hash than
/// the index declared is refused.
/// </summary>
public sealed class PackageIndex(PackageOptions options) : IDisposable
{
    private const int MetadataBytes = 1 << 20;

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.All,
        UseCookies = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(10),
        MaxResponseHeadersLength = 64,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan, // Whoever asks has a limit for all of it.
    };

    public void Dispose() => _http.Dispose();

    /// <summary>What the index has of a project; null where it has no such project.</summary>
    /// <param name="project">Its normalised name.</param>
    /// <exception cref="PackageFault">It can not be had.</exception>
    internal async Task<IReadOnlyList<IndexFile>?> ProjectAsync(string project, CancellationToken cancel)
    {
        var page = new Uri(options.IndexAddress, project + "/");
        using var request = new HttpRequestMessage(HttpMethod.Get, page);
        request.Headers.Accept.Add(new("application/vnd.pypi.simple.v1+json"));
        request.Headers.Accept.Add(new("application/vnd.pypi.simple.v1+html", 0.2));
        request.Headers.Accept.Add(new("text/html", 0.1));
        var (content, type) = await FetchAsync(request, options.PageBytes, cancel);
        return content is null ? null : IndexPage.Read(page, type, content);
    }

    /// <summary>The metadata that lies beside a file.</summary>
    internal async Task<byte[]> MetadataAsync(IndexFile file, CancellationToken cancel)
    {
        var content = await FileAsync(new Uri(file.Address.AbsoluteUri + ".metadata"), file.Name + ".metadata", MetadataBytes, cancel);
        return file.MetadataSha256 is null || file.MetadataSha256 == Sha256(content)
            ? content
            : throw new PackageFault($"The metadata of {file.Name} is not what the index declares: its sha256 differs.");
    }

    /// <summary>The file itself, whose hash is what the index declares.</summary>
    internal async Task<byte[]> WheelAsync(IndexFile file, CancellationToken cancel)
    {
        if (file.Sha256 is null)
        {
            throw new PackageFault($"The index declares no sha256 of {file.Name}, so nobody can tell whether it is the right one.");
        }

        var content = await FileAsync(file.Address, file.Name, options.WheelBytes, cancel);
        return Sha256(content) == file.Sha256 ? content : throw new PackageFault($"{file.Name} is not what the index declares: its sha256 differs.");
    }

    internal static string Sha256(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    private async Task<byte[]> FileAsync(Uri address, string name, int most, CancellationToken cancel)
    {
        if (!MayAsk(address))
        {
            throw new PackageFault($"{name} lies at {address.GetLeftPart(UriPartial.Authority)}, which is not a host that the operator allows (Packages:FileHosts).");
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        return (await FetchAsync(request, most, cancel)).Content ?? throw new PackageFault($"The index names {name}, but it is not there (404).");
    }

    private bool MayAsk(Uri address)
    {
        var index = options.IndexAddress;
        if (address.UserInfo.Length > 0 || (address.Scheme != Uri.UriSchemeHttps && (address.Scheme != Uri.UriSchemeHttp || index.Scheme != Uri.UriSchemeHttp)))
        {
            return false;
        }

        return (address.Authority == index.Authority && address.Scheme == index.Scheme && address.AbsolutePath.StartsWith(index.AbsolutePath, StringComparison.Ordinal))
            || options.Hosts.Any(host => string.Equals(address.Authority, new Uri($"{address.Scheme}://{host}/").Authority, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>What lies there; null where there is nothing.</summary>
    private async Task<(byte[]? Content, string? Type)> FetchAsync(HttpRequestMessage request, int most, CancellationToken cancel)
    {
        request.Headers.UserAgent.Add(new ProductInfoHeaderValue("Eddy", "1"));
        try
        {
            using var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancel);
            if (answer.StatusCode is HttpStatusCode.NotFound or HttpStatusCode.Gone)
            {
                return (null, null);
            }

            if (answer.StatusCode != HttpStatusCode.OK)
            {
                throw new PackageFault((int)answer.StatusCode is >= 300 and < 400
                    ? $"The index leads from {request.RequestUri} elsewhere, which is not followed; the operator names the right address (Packages:Index)."
                    : $"The index answers {(int)answer.StatusCode} for {request.RequestUri}.");
            }

            await using var body = await answer.Content.ReadAsStreamAsync(cancel);
            using var content = new MemoryStream();
            var buffer = new byte[65536];
            int read;
            while ((read = await body.ReadAsync(buffer, cancel)) > 0)
            {
                if (content.Length + read > most)
                {
                    throw new PackageFault($"What lies at {request.RequestUri} is longer than {most} bytes, which is the limit.");
                }

                content.Write(buffer, 0, read);
            }

            return (content.ToArray(), answer.Content.Headers.ContentType?.MediaType);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException or InvalidDataException)
        {
            throw new PackageFault($"The index can not be reached at {request.RequestUri}: {fault.Message}");
        }
    }
}
