using System.Security.Cryptography;
using System.Text.Json;

namespace Eddy.Client.Tree;

/// <summary>
/// What a folder is a copy of: <c>.eddy/state.json</c>, and in <c>.eddy/base</c> each file as it was when it was pulled or pushed last, by its hash. What differs from that was changed here; what
/// differs from it at the server was changed there.
/// </summary>
/// <param name="Version">The version of the tree that was pulled or pushed last.</param>
public sealed record FolderState(string Address, string Tenant, long Version, IReadOnlyDictionary<string, BaseFile> Files)
{
    public const string Folder = ".eddy";

    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public static string HashOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <summary>That of a folder; null where it is no copy of a tenant's files.</summary>
    public static FolderState? Read(string root)
    {
        RefuseLinks(root);
        var path = PathIn(root);
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            var kept = JsonSerializer.Deserialize<FolderState>(File.ReadAllBytes(path), Form);
            if (kept is { Address: not null, Tenant: not null, Files: not null })
            {
                return kept with { Files = kept.Files.Where(file => file.Value is { Sha256: not null } && TreePath.IsSafe(file.Key)).ToDictionary(StringComparer.Ordinal) };
            }
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new ClientFault($"{path} can not be read any more. Remove {Folder}/ and pull again: files that are the same are found by what is in them, and no other is touched.");
    }

    /// <summary>Whether the folder is there and is a copy.</summary>
    public static bool IsIn(string root) => File.Exists(PathIn(root));

    /// <summary>The folder itself or the nearest above it that is a copy of a tenant's files; null where there is none.</summary>
    public static string? RootOf(string folder)
    {
        for (var at = folder; at is not null; at = Path.GetDirectoryName(at))
        {
            if (IsIn(at))
            {
                return at;
            }
        }

        return null;
    }

    /// <summary>That of the folder or the nearest above it; null where there is none.</summary>
    public static FolderState? Near(string folder) => RootOf(folder) is { } root ? Read(root) : null;

    /// <summary>What a file was; null where that is not kept.</summary>
    public static byte[]? BaseOf(string root, string hash) => BasePath(root, hash) is { } path && File.Exists(path) && File.ReadAllBytes(path) is var content && HashOf(content) == hash ? content : null;

    public static void KeepBase(string root, byte[] content)
    {
        var path = BasePath(root, HashOf(content))!;
        if (!File.Exists(path))
        {
            Prepare(root);
            Replace(path, content);
        }
    }

    public void Write(string root)
    {
        Prepare(root);
        Replace(PathIn(root), JsonSerializer.SerializeToUtf8Bytes(this with { Files = new SortedDictionary<string, BaseFile>(Files.ToDictionary(), StringComparer.Ordinal) }, Form));
        var used = Files.Values.Select(file => file.Sha256).ToHashSet();
        foreach (var kept in Directory.EnumerateFiles(Path.Combine(root, Folder, "base")).Where(kept => Path.GetFileName(kept) is var name && IsHash(name) && !used.Contains(name)))
        {
            File.Delete(kept);
        }
    }

    private static string PathIn(string root) => Path.Combine(root, Folder, "state.json");

    private static string? BasePath(string root, string hash) => IsHash(hash) ? Path.Combine(root, Folder, "base", hash) : null;

    private static bool IsHash(string name) => name.Length == 64 && name.All(char.IsAsciiHexDigitLower);

    private static void Prepare(string root)
    {
        RefuseLinks(root);
        var folder = Path.Combine(root, Folder);
        Directory.CreateDirectory(Path.Combine(folder, "base"));
        var ignored = Path.Combine(folder, ".gitignore");
        if (!File.Exists(ignored))
        {
            File.WriteAllText(ignored, "*\n");
        }
    }

    /// <summary>A folder may have come from anybody, as a repository that was cloned: nothing is written or deleted where its links lead.</summary>
    private static void RefuseLinks(string root)
    {
        foreach (var name in (string[])["", "base", "state.json", ".gitignore"])
        {
            if (Path.Join(root, Folder, name).TrimEnd(Path.DirectorySeparatorChar) is var path && new FileInfo(path).LinkTarget is { } target)
            {
                throw new ClientFault($"{path} is a link to {target}. Whoever made it did not mean well, or not this: remove it, and try again.");
            }
        }
    }

    private static void Replace(string path, byte[] content)
    {
        var draft = $"{path}.{Guid.NewGuid():N}";
        File.WriteAllBytes(draft, content);
        File.Move(draft, path, overwrite: true);
    }
}

/// <summary>A file as it was at the server.</summary>
/// <param name="Version">The tree version that its save made.</param>
/// <param name="Sha256">In small hexadecimal.</param>
public sealed record BaseFile(long Version, string Sha256);
