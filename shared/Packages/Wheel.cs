using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;

namespace Eddy.Packages;

/// <summary>A wheel, unpacked in memory under limits and checked against its own record. Nothing of it is executed.</summary>
internal sealed class Wheel
{
    /// <summary>Text packs three to ten times; what packs better than this is there to burst something.</summary>
    private const int MostRatio = 100;

    private const int MostPath = 255;

    private static readonly string[] Native = [".so", ".pyd", ".dll", ".dylib"];

    private readonly Dictionary<string, byte[]> _all;
    private readonly string _info;

    private Wheel(string file, Dictionary<string, byte[]> all, string info) => (File, _all, _info) = (file, all, info);

    public string File { get; }

    public byte[] Metadata => _all.GetValueOrDefault(_info + "/METADATA") ?? throw new PackageFault($"{File} has no METADATA.");

    /// <exception cref="PackageFault">It is no wheel, is too large, or is not what it says it is.</exception>
    public static Wheel Read(string file, byte[] content, PackageOptions options)
    {
        try
        {
            var all = Unpack(file, content, options);
            var infos = all.Keys.Select(path => path.Split('/')[0]).Where(top => top.EndsWith(".dist-info", StringComparison.Ordinal)).Distinct().ToList();
            if (infos.Count != 1 || !Named(file).SequenceEqual(Named(infos[0])))
            {
                throw new PackageFault($"{file} has not the one folder .dist-info that its name says.");
            }

            var wheel = new Wheel(file, all, infos[0]);
            wheel.CheckRecord();
            return wheel;
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException or DecoderFallbackException)
        {
            throw new PackageFault($"{file} can not be unpacked: {fault.Message}");
        }
    }

    /// <summary>
    /// What of it is installed: Python and data below its packages, modules, and the metadata that programs read. No scripts, no <c>.pth</c>, nothing compiled.
    /// </summary>
    public IEnumerable<PackageContent> Installed()
    {
        foreach (var (path, content) in _all)
        {
            var parts = path.Split('/');
            if (parts[0] == _info)
            {
                if (parts is [_, "METADATA" or "entry_points.txt" or "top_level.txt"])
                {
                    yield return new PackageContent(path, content);
                }

                continue;
            }

            if (parts[0].EndsWith(".data", StringComparison.Ordinal))
            {
                if (parts.Length < 3 || parts[1] is not ("purelib" or "platlib"))
                {
                    continue;
                }

                parts = parts[2..];
            }

            var name = parts[^1];
            if (Native.Any(end => name.EndsWith(end, StringComparison.OrdinalIgnoreCase)))
            {
                throw new PackageFault($"{File} has native code ({path}), which no cell can load; the operator may preload it (Sandbox:Preload).");
            }

            if (name.EndsWith(".pyc", StringComparison.Ordinal) || (parts.Length == 1 && !name.EndsWith(".py", StringComparison.Ordinal)))
            {
                continue;
            }

            yield return new PackageContent(string.Join('/', parts), content);
        }
    }

    private static Dictionary<string, byte[]> Unpack(string file, byte[] content, PackageOptions options)
    {
        using var zip = new ZipArchive(new MemoryStream(content), ZipArchiveMode.Read);
        if (zip.Entries.Count > options.Files)
        {
            throw new PackageFault($"{file} has {zip.Entries.Count} files; {options.Files} is the limit.");
        }

        var all = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        var room = Math.Min(options.UnpackedBytes, (long)content.Length * MostRatio);
        foreach (var entry in zip.Entries)
        {
            if (PathFault(entry) is { } fault)
            {
                throw new PackageFault($"{file} has an entry {Shown(entry.FullName)}, which {fault}.");
            }

            if (entry.FullName.EndsWith('/'))
            {
                continue;
            }

            var bytes = Inflate(entry, (int)Math.Min(room, options.FileBytes));
            room -= bytes?.Length ?? 0;
            if (bytes is null)
            {
                throw new PackageFault(
                    $"{file} is more than it may be once it is unpacked: {options.FileBytes} bytes for a file, {options.UnpackedBytes} for all, and {MostRatio} times what is packed.");
            }

            if (!all.TryAdd(entry.FullName, bytes))
            {
                throw new PackageFault($"{file} has two entries {Shown(entry.FullName)}.");
            }
        }

        return all;
    }

    /// <summary>What an entry holds, whatever length it claims; null where that is more than there is room for.</summary>
    private static byte[]? Inflate(ZipArchiveEntry entry, int room)
    {
        using var stream = entry.Open();
        using var bytes = new MemoryStream();
        var buffer = new byte[16384];
        int read;
        while ((read = stream.Read(buffer)) > 0)
        {
            if (bytes.Length + read > room)
            {
                return null;
            }

            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }

    private static string? PathFault(ZipArchiveEntry entry)
    {
        var path = entry.FullName;
        var isFolder = path.EndsWith('/');
        // The upper half is what Unix calls the mode: 8 is a regular file, 4 a folder, 0 says nothing.
        var kind = (entry.ExternalAttributes >>> 28) & 0xF;
        return path.Length is 0 or > MostPath ? "has no name of 1 to 255 characters"
            : kind is not (0 or 8) && !(kind == 4 && isFolder) ? "is no regular file"
            : path.Any(c => char.IsControl(c) || char.IsSurrogate(c) || c is '\\' or ':') ? "has a name that no file may have"
            : path.TrimEnd('/').Split('/').Any(part => part.AsSpan().Trim(". ").IsEmpty) ? "leads out of its folder"
            : null;
    }

    /// <summary>Each file is in RECORD with its hash, and each that is in RECORD is there.</summary>
    private void CheckRecord()
    {
        var record = _all.GetValueOrDefault(_info + "/RECORD") ?? throw new PackageFault($"{File} has no RECORD, so nobody can tell whether it is whole.");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var row in new UTF8Encoding(false, true).GetString(record).Split('\n'))
        {
            if (Fields(row.TrimEnd('\r')) is not [var path, var hash, ..])
            {
                continue;
            }

            if (!_all.TryGetValue(path, out var content))
            {
                throw new PackageFault($"{File} lacks {Shown(path)}, which is in its RECORD.");
            }

            if (!IsSigned(path) && !Matches(hash, content))
            {
                throw new PackageFault($"{Shown(path)} in {File} is not what its RECORD says: the hash differs.");
            }

            seen.Add(path);
        }

        if (_all.Keys.FirstOrDefault(path => !seen.Contains(path) && !IsSigned(path)) is { } stray)
        {
            throw new PackageFault($"{File} has {Shown(stray)}, which is not in its RECORD.");
        }
    }

    private bool IsSigned(string path) => path == _info + "/RECORD" || path == _info + "/RECORD.jws" || path == _info + "/RECORD.p7s";

    private static bool Matches(string hash, byte[] content)
    {
        var (algorithm, digest) = hash.Split('=', 2) is [var name, var text] ? (name, text) : ("", "");
        var own = algorithm switch
        {
            "sha256" => SHA256.HashData(content),
            "sha384" => SHA384.HashData(content),
            "sha512" => SHA512.HashData(content),
            _ => null,
        };
        return own is not null && Convert.ToBase64String(own).TrimEnd('=').Replace('+', '-').Replace('/', '_') == digest.TrimEnd('=');
    }

    /// <summary>A row of RECORD, which is CSV: a path with a comma in it has quotes.</summary>
    private static List<string> Fields(string row)
    {
        var fields = new List<string>();
        var field = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < row.Length; i++)
        {
            if (row[i] == '"')
            {
                if (quoted && i + 1 < row.Length && row[i + 1] == '"')
                {
                    field.Append(row[++i]);
                }
                else
                {
                    quoted = !quoted;
                }
            }
            else if (row[i] == ',' && !quoted)
            {
                fields.Add(field.ToString());
                field.Clear();
            }
            else
            {
                field.Append(row[i]);
            }
        }

        fields.Add(field.ToString());
        return fields;
    }

    /// <summary>The project and the version in the name of a wheel or of its folder, as they are compared.</summary>
    private static IEnumerable<string> Named(string name) =>
        name.Replace(".dist-info", "", StringComparison.Ordinal).Split('-').Take(2).Select(part => part.ToLowerInvariant().Replace('.', '_'));

    private static string Shown(string path) => string.Concat(path.Take(100).Select(c => char.IsControl(c) ? '\uFFFD' : c));
}
