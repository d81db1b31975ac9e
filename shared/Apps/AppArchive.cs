using System.IO.Compression;
using Eddy.Files;

namespace Eddy.Apps;

/// <summary>An app as people carry it: a zip of a tenant's tree. Nothing of a zip is believed: how much it unpacks to is counted, and paths are those that a tenant may have.</summary>
public static class AppArchive
{
    /// <summary>Bytes that all files together have at the most.</summary>
    public const int MostBytes = 64 << 20;

    private const int MostEntries = 10_000;

    // What a zip that was made on Unix says of a symbolic link.
    private const int TypeBits = 0xF000, SymbolicLink = 0xA000;

    /// <exception cref="AppFault">It is no zip, or has more than may be.</exception>
    public static AppTree Read(Stream zip, int mostFileBytes)
    {
        try
        {
            using var archive = new ZipArchive(zip, ZipArchiveMode.Read);
            if (archive.Entries.Count > MostEntries)
            {
                throw new AppFault($"The zip has {archive.Entries.Count:N0} entries; {MostEntries:N0} are read at the most.");
            }

            return Read([.. archive.Entries], mostFileBytes);
        }
        catch (InvalidDataException fault)
        {
            throw new AppFault($"This is no zip that can be read: {fault.Message}");
        }
    }

    /// <summary>The tree as a zip; the files in the order of their paths.</summary>
    public static byte[] Write(IEnumerable<(string Path, byte[] Content, DateTimeOffset SavedAt)> files)
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, content, savedAt) in files.OrderBy(file => file.Path, StringComparer.Ordinal))
            {
                var entry = archive.CreateEntry(path, CompressionLevel.Optimal);
                // A zip knows no earlier year.
                entry.LastWriteTime = savedAt.Year < 1980 ? new DateTimeOffset(1980, 1, 1, 0, 0, 0, TimeSpan.Zero) : savedAt;
                using var stream = entry.Open();
                stream.Write(content);
            }
        }

        return bytes.ToArray();
    }

    private static AppTree Read(IReadOnlyList<ZipArchiveEntry> entries, int mostFileBytes)
    {
        var named = entries.Select(entry => (Entry: entry, Path: entry.FullName.Replace('\\', '/'))).Where(one => !one.Path.EndsWith('/')).ToList();
        var above = Above([.. named.Select(one => one.Path)]);
        var files = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var left = new List<LeftOut>();
        var total = 0L;
        foreach (var (entry, whole) in named)
        {
            var path = whole[above.Length..];
            if (((entry.ExternalAttributes >> 16) & TypeBits) == SymbolicLink)
            {
                left.Add(new LeftOut(path, "It is a link, not a file."));
                continue;
            }

            if (FilePath.Fault(path) is { } fault)
            {
                left.Add(new LeftOut(path, fault));
                continue;
            }

            if (files.Count == FileStore.MostFiles)
            {
                throw new AppFault($"The zip has more than {FileStore.MostFiles:N0} files, which is what a tenant may have.");
            }

            var content = Unpack(entry, path, mostFileBytes);
            if ((total += content.Length) > MostBytes)
            {
                throw new AppFault($"The files of the zip have more than {MostBytes:N0} bytes together.");
            }

            if (!files.TryAdd(path, content))
            {
                throw new AppFault($"The zip has {path} twice.");
            }
        }

        return new AppTree([.. files.Select(file => new AppFile(file.Key, file.Value)).OrderBy(file => file.Path, StringComparer.Ordinal)], left);
    }

    /// <summary>The folder that everything is in, as zips of repositories have it; nothing where there is none, or where it is one of a tenant's folders.</summary>
    private static string Above(IReadOnlyList<string> paths)
    {
        var end = paths.Count == 0 ? -1 : paths[0].IndexOf('/', StringComparison.Ordinal);
        var above = end < 0 ? "" : paths[0][..(end + 1)];
        return above.Length > 0 && !FilePath.Folders.Contains(above[..^1]) && paths.All(path => path.StartsWith(above, StringComparison.Ordinal)) ? above : "";
    }

    private static byte[] Unpack(ZipArchiveEntry entry, string path, int most)
    {
        using var stream = entry.Open();
        using var content = new MemoryStream();
        var buffer = new byte[1 << 16];
        for (int read; (read = stream.Read(buffer)) > 0;)
        {
            content.Write(buffer, 0, read);
            if (content.Length > most)
            {
                throw new AppFault($"{path} has more than {most:N0} bytes, which is what a file may have.");
            }
        }

        return content.ToArray();
    }
}

/// <summary>What a zip has for a tenant.</summary>
/// <param name="Files">In the order of their paths.</param>
/// <param name="Left">What is no file that a tenant may have, and why.</param>
public sealed record AppTree(IReadOnlyList<AppFile> Files, IReadOnlyList<LeftOut> Left);

/// <param name="Path">One that <see cref="FilePath"/> has nothing against.</param>
public sealed record AppFile(string Path, byte[] Content);

/// <summary>What is in an app and not taken, and why, in a sentence.</summary>
public sealed record LeftOut(string Path, string Reason);

/// <summary>Why an app can not be read, in a sentence.</summary>
public sealed class AppFault(string message) : Exception(message);
