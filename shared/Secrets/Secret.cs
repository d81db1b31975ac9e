using System.Text.RegularExpressions;

namespace Eddy.Secrets;

/// <summary>
/// Something that a tenant's rules may send but never see: a name, a value, and the hosts to which the value may go. In a cell stands a placeholder; the host puts the
/// value in on the wire. Stored sealed under the tenant's key; set and deleted by the API, never read back.
/// </summary>
public sealed partial class Secret
{
    public const int MostNameCharacters = 64;

    /// <summary>The longest value, in bytes of UTF-8.</summary>
    public const int MostValueBytes = 8 << 10;

    /// <summary>Shorter values are not struck out of what comes back: text of this kind would be found everywhere.</summary>
    public const int FewestRedactedCharacters = 8;

    public const int MostHosts = 50;

    public required Guid TenantId { get; init; }

    /// <summary>An identifier of Python; rules say <c>secrets.NAME</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Where the value may go: each the text of a <see cref="HostPattern"/>.</summary>
    public required string[] Hosts { get; set; }

    public required byte[] Nonce { get; set; }

    public required byte[] Ciphertext { get; set; }

    /// <summary>The <see cref="TenantKey.Version"/> that its last setting made; its ETag. It never comes twice.</summary>
    public required long Version { get; set; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset ChangedAt { get; set; }

    public required string ChangedBy { get; set; }

    /// <summary>To a minute or so. Null where it never was.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }

    internal SealedBox Box
    {
        get => new(Nonce, Ciphertext);
        set => (Nonce, Ciphertext) = (value.Nonce, value.Ciphertext);
    }

    /// <summary>Why this can not be a secret's name, in a sentence, or null.</summary>
    public static string? NameFault(string name)
    {
        if (!NameForm().IsMatch(name))
        {
            return $"A secret's name is an identifier of Python: 1 to {MostNameCharacters} letters, digits and underscores of ASCII, a letter first.";
        }

        return Keywords.Contains(name) ? $"'{name}' is a word of Python's own, so secrets.{name} could not be written."
            : StandardNames.Contains(name) ? $"'{name}' is a name of Python's module secrets; choose another, such as {name.ToUpperInvariant()}_1."
            : null;
    }

    /// <summary>Why this can not be a secret's value, in a sentence that does not repeat it, or null.</summary>
    public static string? ValueFault(string value)
    {
        if (value.Length == 0 || value.Length > MostValueBytes || System.Text.Encoding.UTF8.GetByteCount(value) > MostValueBytes)
        {
            return $"A secret's value has 1 to {MostValueBytes} bytes of UTF-8.";
        }

        return value.Contains('\0') ? "A secret's value has no NUL (U+0000)." : null;
    }

    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_]{0,63}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex NameForm();

    private static readonly HashSet<string> Keywords =
    [
        "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for", "from", "global",
        "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
    ];

    private static readonly HashSet<string> StandardNames =
        ["SystemRandom", "choice", "compare_digest", "randbelow", "randbits", "token_bytes", "token_hex", "token_urlsafe"];
}

/// <summary>A tenant's key, wrapped by a master key, and the count of what was done to the tenant's secrets.</summary>
public sealed class TenantKey
{
    public required Guid TenantId { get; init; }

    /// <summary>The id of the master key that wraps it.</summary>
    public required string MasterKey { get; set; }

    public required byte[] Nonce { get; set; }

    public required byte[] Wrapped { get; set; }

    /// <summary>Counts the settings and deletions of the tenant's secrets and the rotations of its key: as long as it is the same, so are they.</summary>
    public required long Version { get; set; }

    /// <summary>When the key itself, not its wrapping, was made.</summary>
    public required DateTimeOffset MadeAt { get; set; }

    internal SealedBox Box
    {
        get => new(Nonce, Wrapped);
        set => (Nonce, Wrapped) = (value.Nonce, value.Ciphertext);
    }
}

/// <summary>One setting or deletion of a secret, kept for good. Without hosts where it was deleted; never with a value.</summary>
public sealed class SecretChange
{
    public required Guid TenantId { get; init; }

    public required long Version { get; init; }

    public required string Name { get; init; }

    public required string[]? Hosts { get; init; }

    public required DateTimeOffset ChangedAt { get; init; }

    public required string ChangedBy { get; init; }
}
