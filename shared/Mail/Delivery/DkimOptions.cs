namespace Eddy.Mail.Delivery;

/// <summary>One domain whose mails are signed (section <c>Mail:Dkim:0</c> and so on).</summary>
public sealed class DkimOptions
{
    public string Domain { get; set; } = "";

    /// <summary>The name of the key: its other half is published at <c>selector._domainkey.domain</c>.</summary>
    public string Selector { get; set; } = "";

    /// <summary>A PEM file with the private key, RSA of 2048 bits or Ed25519.</summary>
    public string KeyFile { get; set; } = "";
}
