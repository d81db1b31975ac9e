using Microsoft.AspNetCore.Http.Features;

namespace Eddy.Cards;

/// <summary>What a form sends: fields, and files. All of it is bounded, and nothing of it comes to a disk.</summary>
internal sealed record CardBody(IReadOnlyDictionary<string, IReadOnlyList<string>> Fields, IReadOnlyDictionary<string, IReadOnlyList<CardUpload>> Uploads)
{
    private const int MostBytes = 2 << 20;

    private const int MostBytesWithFiles = 32 << 20;

    // Files lie in memory while their form is read.
    private static readonly SemaphoreSlim Files = new(4);

    /// <summary>The form; else why it can not be read, in a sentence.</summary>
    /// <param name="link">Makes the address of a file.</param>
    public static async Task<(CardBody? Body, string? Fault)> ReadAsync(HttpRequest request, CardFile card, Func<Guid, string> link, CancellationToken cancel)
    {
        if (!request.HasFormContentType)
        {
            return (null, "A card is sent as a form: application/x-www-form-urlencoded or multipart/form-data.");
        }

        var takesFiles = card.Fields.Any(field => field.Kind == CardFieldKind.File);
        var most = takesFiles ? MostBytesWithFiles : MostBytes;
        if (request.HttpContext.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } size)
        {
            size.MaxRequestBodySize = most;
        }

        if (takesFiles)
        {
            await Files.WaitAsync(cancel);
        }

        try
        {
            var form = await request.ReadFormAsync(
                new FormOptions { BufferBody = false, MemoryBufferThreshold = most, MultipartBodyLengthLimit = most, ValueLengthLimit = MostBytes, ValueCountLimit = 2000, KeyLengthLimit = 1024 }, cancel);
            if (form.Files.Count > CardUpload.MostFiles)
            {
                return (null, $"A card takes at most {CardUpload.MostFiles} files at once.");
            }

            var uploads = new Dictionary<string, IReadOnlyList<CardUpload>>(StringComparer.Ordinal);
            foreach (var files in form.Files.Where(file => file.Length > 0 && card.Fields.Any(field => field.Kind == CardFieldKind.File && field.Name == file.Name)).GroupBy(file => file.Name))
            {
                var read = new List<CardUpload>();
                foreach (var file in files)
                {
                    using var content = new MemoryStream((int)file.Length);
                    await file.CopyToAsync(content, cancel);
                    read.Add(CardUpload.Of(file.FileName, content.ToArray(), link));
                }

                uploads[files.Key] = read;
            }

            return (new CardBody(form.ToDictionary(field => field.Key, IReadOnlyList<string> (field) => [.. field.Value.OfType<string>()], StringComparer.Ordinal), uploads), null);
        }
        catch (Exception wrong) when (wrong is InvalidDataException or BadHttpRequestException or IOException)
        {
            return (null, $"The form can not be read, or is larger than {most >> 20} MiB.");
        }
        finally
        {
            if (takesFiles)
            {
                Files.Release();
            }
        }
    }
}
