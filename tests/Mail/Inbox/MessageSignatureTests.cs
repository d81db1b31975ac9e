using System.Text;
using Eddy.Mail.Inbox;
using MimeKit;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Security;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>DKIM signatures are checked where the receiving server has not done it.</summary>
public sealed class MessageSignatureTests
{
    private static readonly AsymmetricCipherKeyPair Pair = MakePair();

    [Fact]
    public async Task A_signature_that_holds_vouches_for_its_domain()
    {
        var mail = await ReadAsync(Signed(), new Keys());

        mail.Verdicts.Dkim.ShouldBe([new MailVerdict("pass", "acme.test")]);
        mail.Verdicts.VouchedBy("acme.test").ShouldBe("acme.test vouches for it: the DKIM signature of acme.test holds, says the check that was made here.");
    }

    [Fact]
    public async Task A_text_that_was_changed_breaks_it() =>
        (await ReadAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Signed()).Replace("room := 7", "room := 8")), new Keys())).Verdicts.DkimResult("acme.test").ShouldBe("fail");

    [Fact]
    public async Task A_key_that_is_not_there_or_can_not_be_asked_for_vouches_for_nothing()
    {
        (await ReadAsync(Signed(), new Keys { Fault = new FormatException("no key") })).Verdicts.DkimResult("acme.test").ShouldBe("permerror");
        (await ReadAsync(Signed(), new Keys { Fault = new IOException("no answer") })).Verdicts.DkimResult("acme.test").ShouldBe("temperror");
    }

    [Fact]
    public async Task A_signature_of_a_part_of_the_text_is_not_taken() =>
        (await ReadAsync(Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(Signed()).Replace("; d=acme.test", "; l=5; d=acme.test")), new Keys())).Verdicts.DkimResult("acme.test").ShouldBe("policy");

    [Fact]
    public async Task What_the_receiving_server_says_is_not_asked_again()
    {
        byte[] raw = [.. "Authentication-Results: mx.in.example.com; dkim=fail header.d=acme.test\r\n"u8, .. Signed()];

        (await ReadAsync(raw, new Keys { Fault = new InvalidOperationException("It was asked.") })).Verdicts.Dkim.ShouldBe([new MailVerdict("fail", "acme.test")]);
    }

    private static async Task<IncomingMail> ReadAsync(byte[] raw, Keys keys) =>
        (await MessageReader.ReadAsync(raw, TestMessages.Settings, keys, TestContext.Current.CancellationToken)).ShouldBeOfType<MessageReading.Read>().Mail;

    private static byte[] Signed()
    {
        using var message = new MimeMessage();
        message.From.Add(new MailboxAddress("Ann", "ann@acme.test"));
        message.To.Add(new MailboxAddress("", "acme@in.example.com"));
        message.Subject = "signed";
        message.Body = new TextPart("plain") { Text = "room := 7\r\n" };
        message.Prepare(EncodingConstraint.SevenBit);
        new DkimSigner(Pair.Private, "acme.test", "s1") { HeaderCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed, BodyCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed }
            .Sign(message, [HeaderId.From, HeaderId.Subject]);
        using var stream = new MemoryStream();
        message.WriteTo(stream);
        return stream.ToArray();
    }

    private static AsymmetricCipherKeyPair MakePair()
    {
        var generator = new RsaKeyPairGenerator();
        generator.Init(new KeyGenerationParameters(new SecureRandom(), 2048));
        return generator.GenerateKeyPair();
    }

    /// <summary>What a name server would know.</summary>
    private sealed class Keys : IDkimPublicKeyLocator
    {
        public Exception? Fault { get; init; }

        public AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken = default) =>
            Fault is not null ? throw Fault : (domain, selector) == ("acme.test", "s1") ? Pair.Public : throw new FormatException("There is no such key.");

        public Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken = default) => Task.FromResult(LocatePublicKey(methods, domain, selector, cancellationToken));
    }
}
