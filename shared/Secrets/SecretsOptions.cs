namespace Eddy.Secrets;

/// <summary>Where the master keys are (section <c>Secrets</c>). Without them no secret can be set, and everything else works.</summary>
public sealed class SecretsOptions
{
    /// <summary>
    /// A file that nobody but its owner can read, with a line <c>id key</c> for each master key: the id of letters, digits, dots and hyphens, the key of 32 bytes in base64.
    /// The first is the current one, the others only open what they wrapped. Null where there is none.
    /// </summary>
    public string? MasterKeyFile { get; set; }
}
