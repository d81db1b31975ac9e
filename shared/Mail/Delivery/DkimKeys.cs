using MimeKit;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Parameters;
using Org.BouncyCastle.OpenSsl;

namespace Eddy.Mail.Delivery;

/// <summary>Signs mails for the domains whose keys the operator has given (RFC 6376).</summary>
public sealed class DkimKeys
{
    private static readonly HeaderId[] Signed =
    [
        HeaderId.From, HeaderId.ReplyTo, HeaderId.To, HeaderId.Subject, HeaderId.Date, HeaderId.MessageId, HeaderId.InReplyTo, HeaderId.References, HeaderId.MimeVersion, HeaderId.ContentType,
        HeaderId.ContentTransferEncoding, HeaderId.AutoSubmitted, HeaderId.ListUnsubscribe, HeaderId.ListUnsubscribePost,
    ];

    private readonly Dictionary<string, DkimSigner> _signers;

    private DkimKeys(Dictionary<string, DkimSigner> signers) => _signers = signers;

    /// <summary>Reads the keys' files; null where one can not be used.</summary>
    /// <param name="fault">Which that is, in a sentence.</param>
    public static DkimKeys? Read(IEnumerable<DkimOptions> domains, out string? fault)
    {
        var signers = new Dictionary<string, DkimSigner>(StringComparer.OrdinalIgnoreCase);
        foreach (var one in domains)
        {
            if (one.Selector.Length == 0 || MailAddress.Fault($"a@{one.Domain}") is not null)
            {
                fault = $"Mail:Dkim names the domain '{one.Domain}' and the selector '{one.Selector}'; it takes both, as in eddy.example.com and mail2026.";
                return null;
            }

            try
            {
                var key = ReadKey(one.KeyFile);
                signers[one.Domain] = new DkimSigner(key, one.Domain, one.Selector, key is Ed25519PrivateKeyParameters ? DkimSignatureAlgorithm.Ed25519Sha256 : DkimSignatureAlgorithm.RsaSha256)
                {
                    HeaderCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed,
                    BodyCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed,
                };
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or FormatException or CryptoException)
            {
                fault = $"Mail:Dkim: the key of {one.Domain} can not be read from '{one.KeyFile}': {e.Message}";
                return null;
            }
        }

        fault = null;
        return new DkimKeys(signers);
    }

    /// <summary>Signs the message as it will be written, where there is a key of its sender's domain. Whatever is changed afterwards breaks the signature.</summary>
    public void Sign(FormatOptions format, MimeMessage message)
    {
        if (_signers.TryGetValue(message.From.Mailboxes.Single().Domain, out var signer))
        {
            signer.Sign(format, message, [.. Signed.Where(message.Headers.Contains)]);
        }
    }

    private static AsymmetricKeyParameter ReadKey(string file)
    {
        using var text = File.OpenText(file);
        using var pem = new PemReader(text);
        return pem.ReadObject() switch
        {
            AsymmetricCipherKeyPair pair => pair.Private,
            AsymmetricKeyParameter { IsPrivate: true } key => key,
            _ => throw new FormatException("it holds no private key."),
        };
    }
}
