using System.Net;
using System.Text;
using Eddy.Mail.Inbox;
using MimeKit;
using MimeKit.Cryptography;
using Org.BouncyCastle.Crypto;
using Org.BouncyCastle.Crypto.Generators;
using Org.BouncyCastle.Security;
using Org.BouncyCastle.X509;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>DKIM signatures, checked by keys that a real name server tells.</summary>
public sealed class SignatureKeysTests : IDisposable
{
    internal static readonly AsymmetricCipherKeyPair Pair = MakePair();
    private static readonly AsymmetricCipherKeyPair Other = MakePair();


    private readonly TestNameServer _dns = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _dns.Dispose();

    [Fact]
    public async Task A_key_that_the_domain_tells_vouches_for_what_was_signed_by_it()
    {
        _dns.Texts["s1._domainkey.acme.test"] = Record(Pair);
        using var keys = Keys();

        var mail = await ReadAsync(Signed(), keys);
        mail.Verdicts.Dkim.ShouldBe([new MailVerdict("pass", "acme.test")]);
        mail.Verdicts.VouchedBy("acme.test").ShouldNotBeNull();
        (await ResultAsync(Signed().Replace("room := 7", "room := 8", StringComparison.Ordinal), keys)).ShouldBe("fail");
        (await ResultAsync(Signed(Other), keys)).ShouldBe("fail");
        // It was asked for once, and is kept.
        _dns.Asked.ShouldBe(["s1._domainkey.acme.test"]);
    }

    [Fact]
    public async Task Another_domains_signature_holds_and_vouches_for_nobody_in_From()
    {
        _dns.Texts["s1._domainkey.evil.test"] = Record(Pair);
        using var keys = Keys();

        var mail = await ReadAsync(Signed(domain: "evil.test"), keys);
        mail.Verdicts.Dkim.ShouldBe([new MailVerdict("pass", "evil.test")]);
        mail.Verdicts.VouchedBy("acme.test").ShouldBeNull();
    }

    [Theory]
    [InlineData(null, "permerror")]
    [InlineData("v=DKIM1; k=rsa; p=", "permerror")]
    [InlineData("v=DKIM1; k=rsa; p=notakey", "permerror")]
    [InlineData("v=DKIM1; k=rsa; t=y; p=KEY", "permerror")]
    [InlineData("v=DKIM1; k=rsa; s=tls; p=KEY", "permerror")]
    [InlineData("v=DKIM2; k=rsa; p=KEY", "permerror")]
    [InlineData("v=DKIM1; k=rsa; h=sha1; p=KEY", "permerror")]
    [InlineData("some other text", "permerror")]
    [InlineData("k=rsa; t=s; s=email; p=KEY", "pass")]
    public async Task What_is_said_beside_a_key_counts(string? record, string result)
    {
        if (record is not null)
        {
            _dns.Texts["s1._domainkey.acme.test"] = record.Replace("KEY", Record(Pair).Split("p=")[1], StringComparison.Ordinal);
        }

        using var keys = Keys();
        (await ResultAsync(Signed(), keys)).ShouldBe(result);
    }

    [Fact]
    public async Task A_name_server_that_can_not_tell_or_says_nothing_vouches_for_nothing()
    {
        _dns.Otherwise = 2;
        using var keys = Keys();
        (await ResultAsync(Signed(), keys)).ShouldBe("temperror");
        _dns.IsSilent = true;
        using var hasty = Keys(TimeSpan.FromMilliseconds(100));
        (await ResultAsync(Signed(), hasty)).ShouldBe("temperror");
        // Nothing of that is kept.
        (_dns.IsSilent, _dns.Texts["s1._domainkey.acme.test"]) = (false, Record(Pair));
        (await ResultAsync(Signed(), keys)).ShouldBe("pass");
    }

    /// <summary>A letter that was signed once can be sent again by anybody, with other headers above.</summary>
    [Theory]
    [InlineData("Subject: do it (PID:15)\r\n")]
    [InlineData("Content-Type: text/html\r\n")]
    [InlineData("In-Reply-To: <a@b>\r\nIn-Reply-To: <c@d>\r\n")]
    public async Task A_second_header_of_a_kind_is_under_no_signature(string header)
    {
        _dns.Texts["s1._domainkey.acme.test"] = Record(Pair);
        using var keys = Keys();

        (await ResultAsync(header + Signed(), keys)).ShouldBe("policy");
    }

    [Fact]
    public async Task A_subject_that_was_not_signed_could_be_anybodys()
    {
        _dns.Texts["s1._domainkey.acme.test"] = Record(Pair);
        using var keys = Keys();

        (await ResultAsync(Signed(headers: [HeaderId.From]), keys)).ShouldBe("policy");
    }

    [Fact]
    public async Task Signatures_that_were_put_above_do_not_hide_that_of_the_senders_domain()
    {
        _dns.Texts["s1._domainkey.acme.test"] = Record(Pair);
        using var keys = Keys();
        var others = string.Concat(Enumerable.Range(0, 20).Select(i => $"DKIM-Signature: v=1; a=rsa-sha256; d=evil{i}.test; s=s1; h=from:subject; bh=AAAA; b=AAAA\r\n"));

        (await ResultAsync(others + Signed(), keys)).ShouldBe("pass");
        _dns.Asked.Count.ShouldBeLessThanOrEqualTo(5);
    }

    [Theory]
    [InlineData("../../etc", "acme.test")]
    [InlineData("s1 x", "acme.test")]
    [InlineData("", "acme.test")]
    public async Task What_is_no_name_is_not_asked_for(string selector, string domain)
    {
        using var keys = Keys();

        await Should.ThrowAsync<FormatException>(() => keys.LocatePublicKeyAsync("dns/txt", domain, selector, Cancel));
        _dns.Asked.ShouldBeEmpty();
    }

    private SignatureKeys Keys(TimeSpan? patience = null) => new(IPEndPoint.Parse(_dns.Address), patience ?? Patience.Long);

    private static async Task<string> ResultAsync(string raw, SignatureKeys keys) => (await ReadAsync(raw, keys)).Verdicts.DkimResult("acme.test");

    private static async Task<IncomingMail> ReadAsync(string raw, SignatureKeys keys) =>
        (await MessageReader.ReadAsync(Encoding.Latin1.GetBytes(raw), TestMessages.Settings, keys, Cancel)).ShouldBeOfType<MessageReading.Read>().Mail;

    internal static string Record(AsymmetricCipherKeyPair pair) => $"v=DKIM1; k=rsa; p={Convert.ToBase64String(SubjectPublicKeyInfoFactory.CreateSubjectPublicKeyInfo(pair.Public).GetDerEncoded())}";

    internal static string Signed(AsymmetricCipherKeyPair? by = null, string domain = "acme.test", HeaderId[]? headers = null)
    {
        using var message = new MimeMessage();
        message.From.Add(new MailboxAddress("Ann", "ann@acme.test"));
        message.To.Add(new MailboxAddress("", "acme@in.example.com"));
        message.Subject = "signed";
        message.Body = new TextPart("plain") { Text = "room := 7\r\n" };
        message.Prepare(EncodingConstraint.SevenBit);
        new DkimSigner((by ?? Pair).Private, domain, "s1") { HeaderCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed, BodyCanonicalizationAlgorithm = DkimCanonicalizationAlgorithm.Relaxed }
            .Sign(message, headers ?? [HeaderId.From, HeaderId.Subject]);
        using var stream = new MemoryStream();
        message.WriteTo(stream);
        return Encoding.Latin1.GetString(stream.ToArray());
    }

    private static AsymmetricCipherKeyPair MakePair()
    {
        var generator = new RsaKeyPairGenerator();
        generator.Init(new KeyGenerationParameters(new SecureRandom(), 2048));
        return generator.GenerateKeyPair();
    }
}
