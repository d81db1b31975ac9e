namespace Eddy.Secrets;

/// <summary>A secret is not put in or not used as a rule asked. The message is a sentence for the tenant; it names the secret and never has its value.</summary>
public sealed class SecretRefused(string name, string? host, string why) : Exception(why)
{
    public string Name => name;

    /// <summary>Where it was to go; null where it was to sign.</summary>
    public string? Host => host;
}

/// <summary>A tenant's secrets, or a new one, can not be sealed or opened: this deployment lacks the master key. The message is a sentence for whoever operates it.</summary>
public sealed class SecretsUnavailable(string why) : Exception(why)
{
    internal static SecretsUnavailable NoMasterKey() =>
        new("This deployment has no master key, so nothing can be kept secret in it: let the setting Secrets:MasterKeyFile name a file with one (docs/operations.md, \"Secrets\").");

    internal static SecretsUnavailable NotKnown(string id) =>
        new($"The key of this tenant's secrets is wrapped by the master key '{id}', which is not in Secrets:MasterKeyFile of this process: put it back into the file and restart.");

    internal static SecretsUnavailable NotOpened(string id) =>
        new($"The key of this tenant's secrets does not open with the master key '{id}': Secrets:MasterKeyFile has another key under that id, or the row of tenant_keys was changed.");
}
