using System.Text.RegularExpressions;

namespace Eddy.Secrets;

/// <summary>
/// The master keys of this deployment, which are kept outside the database: they wrap the tenants' keys and nothing else. A copy of the database without them opens no secret.
/// </summary>
public sealed partial class MasterKeys
{
    /// <summary>A deployment without a master key.</summary>
    public static readonly MasterKeys None = new([]);

    private readonly IReadOnlyList<MasterKey> _keys;

    private MasterKeys(IReadOnlyList<MasterKey> keys) => _keys = keys;

    /// <summary>The key that wraps; null where there is none.</summary>
    public MasterKey? Current => _keys.Count == 0 ? null : _keys[0];

    /// <summary>The current one first.</summary>
    internal IReadOnlyList<MasterKey> All => _keys;

    /// <summary>A key that opens what it once wrapped, or null where it is not known here.</summary>
    public MasterKey? Find(string id) => _keys.FirstOrDefault(key => key.Id == id);

    /// <summary>Reads the file that the settings name.</summary>
    /// <param name="fault">Why it can not be used, in a sentence, or null. It never repeats what is in the file.</param>
    public static MasterKeys Read(SecretsOptions options, out string? fault)
    {
        fault = null;
        if (string.IsNullOrWhiteSpace(options.MasterKeyFile))
        {
            return None;
        }

        var path = options.MasterKeyFile;
        try
        {
            // The mode of what is opened, not of what lay there a moment ago.
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read);
            if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(file.SafeFileHandle) & ~(UnixFileMode.UserRead | UnixFileMode.UserWrite)) is not UnixFileMode.None and var mode)
            {
                fault = $"Secrets:MasterKeyFile {path} is open to others ({mode}): chmod 600 it.";
                return None;
            }

            using var text = new StreamReader(file);
            return Parse(path, text.ReadToEnd(), out fault);
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            fault = $"Secrets:MasterKeyFile {path} can not be read: {wrong.Message}";
            return None;
        }
    }

    private static MasterKeys Parse(string path, string text, out string? fault)
    {
        var keys = new List<MasterKey>();
        var lines = text.Split('\n');
        for (var i = 0; i < lines.Length; i++)
        {
            var words = lines[i].Split((char[])[' ', '\t', '\r'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0][0] == '#')
            {
                continue;
            }

            var bytes = new byte[MasterKey.Size];
            if (words.Length != 2 || !Id().IsMatch(words[0]) || !Convert.TryFromBase64String(words[1], bytes, out var count) || count != MasterKey.Size)
            {
                fault = $"Secrets:MasterKeyFile {path}, line {i + 1}: it takes an id and 32 bytes in base64, as in 'key1 $(openssl rand -base64 32)'.";
                return None;
            }

            if (keys.Any(key => key.Id == words[0]))
            {
                fault = $"Secrets:MasterKeyFile {path}, line {i + 1}: there is a key '{words[0]}' already; each has an id of its own.";
                return None;
            }

            keys.Add(new MasterKey(words[0], bytes));
        }

        fault = keys.Count == 0 ? $"Secrets:MasterKeyFile {path} has no key in it: it takes a line 'key1 $(openssl rand -base64 32)'." : null;
        return keys.Count == 0 ? None : new MasterKeys(keys);
    }

    [GeneratedRegex("^[A-Za-z0-9_.-]{1,64}$", RegexOptions.CultureInvariant)]
    private static partial Regex Id();
}

/// <summary>A key that wraps tenants' keys. Its text is its id.</summary>
public sealed class MasterKey(string id, byte[] key)
{
    public const int Size = 32;

    public string Id => id;

    internal ReadOnlySpan<byte> Key => key;

    public override string ToString() => Id;
}
