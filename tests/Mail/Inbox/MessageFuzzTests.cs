using System.Text;
using CsCheck;
using Eddy.Access;
using Eddy.Kvps;
using Eddy.Mail.Inbox;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>Whatever bytes come: nothing is thrown, and what is read holds to what everything behind it relies on.</summary>
public sealed class MessageFuzzTests
{
    private static readonly string[] Pieces =
    [
        "\r\n", "\n", "\n\n", "\0", "--b", "--b--\r\n", "=?utf-8?B?", "?=", "=?iso-2022-jp?Q?", "\u001b$B", "<blockquote type=cite>", "<div class=gmail_quote>", "</div>", "<!--", "begin 644 x\n", "Content-Type: multipart/mixed; boundary=b\r\n",
        "Content-Type: message/rfc822\r\n\r\n", "Content-Transfer-Encoding: base64\r\n", "Content-Type: application/ms-tnef\r\n", "Content-Type: application/pkcs7-mime\r\n", "From: a@b.test\r\n", "Subject: =?utf-8?Q?=0D=0ABcc:_x?=\r\n", "a := [1,\n", "k := \"\"\"\n",
        "mail_from := x\n", "Authentication-Results: mx.in.example.com; dmarc=pass\r\n", "Content-Disposition: attachment; filename=\"../x\r\n\"\r\n", "charset=\"utf-16\"", "On 1 a <b@c.test> wrote:\n", "> ", "\u202e", "(PID:99999999999999999999)",
    ];

    private static readonly byte[][] Messages = [.. TestMessages.Names.Select(TestMessages.Bytes)];

    [Fact]
    public Task Any_bytes_end_in_a_reading() => HoldsAsync(Gen.Byte.Array[0, 400]);

    [Fact]
    public Task Any_order_of_what_messages_are_made_of_ends_in_a_reading() =>
        HoldsAsync(Gen.Int[0, Pieces.Length - 1].Array[0, 40].Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces.Select(piece => Pieces[piece])))));

    [Fact]
    public Task Any_change_of_a_real_message_ends_in_a_reading() =>
        HoldsAsync(Gen.Select(Gen.Int[0, Messages.Length - 1], Gen.Select(Gen.Int[0, 3], Gen.Double[0, 1], Gen.Int[0, 200], Gen.Int[0, Pieces.Length - 1]).Array[1, 6]).Select((message, changes) => changes.Aggregate(Messages[message], Change)));

    private static byte[] Change(byte[] raw, (int Kind, double At, int Length, int Piece) change)
    {
        var at = (int)(change.At * raw.Length);
        var length = Math.Min(change.Length, raw.Length - at);
        return change.Kind switch
        {
            0 => [.. raw[..at], .. raw[(at + length)..]],
            1 => [.. raw[..at], .. Encoding.UTF8.GetBytes(Pieces[change.Piece]), .. raw[at..]],
            2 => [.. raw[..(at + length)], .. raw[at..]],
            _ => [.. raw[..at], .. raw.Skip(at).Take(length).Select(one => (byte)(one ^ 0x80)), .. raw[(at + length)..]],
        };
    }

    private static Task HoldsAsync(Gen<byte[]> messages) => messages.SampleAsync(async raw =>
    {
        var reading = await MessageReader.ReadAsync(raw, TestMessages.Settings, keys: null, CancellationToken.None);
        if (reading is not MessageReading.Read { Mail: var mail })
        {
            ((MessageReading.Refused)reading).Why.ShouldNotBeNullOrEmpty();
            return;
        }

        foreach (var line in new[] { mail.Subject, mail.FromName, mail.From, mail.DeliveredTo, mail.MessageId, mail.Sender, mail.ListId, mail.KindReason, mail.Bounce?.Detail, mail.Bounce?.Receiver, mail.Bounce?.OriginalId }
            .Concat(mail.InReplyTo).Concat(mail.References).Concat(mail.Attachments.Select(one => one.Name)).Concat(mail.Attachments.Select(one => one.Type)).OfType<string>())
        {
            line.Any(char.IsControl).ShouldBeFalse();
        }

        mail.Attachments.ShouldAllBe(one => one.Name.Length > 0 && !one.Name.Contains('/') && !one.Name.Contains('\\') && one.Name[0] != '.');
        mail.Text.Length.ShouldBeLessThanOrEqualTo(TestMessages.Settings.MostTextCharacters);

        var facts = new InboxFacts { Address = null, SignedPid = null, Rules = new AccessRules(1, [], []), Member = new Actor.OfMember(Guid.Empty, "owner", "ann@acme.test", IsProven: true) };
        var decision = InboxJudge.Decide(mail, new InboxPolicy { Opening = InboxOpening.Anyone }, facts, [.. mail.Attachments.Select((_, i) => $"https://eddy.test/{i}")]);
        decision.Why.ShouldNotBeEmpty();
        if (decision is InboxDecision.Accepted accepted)
        {
            accepted.Changes.Select(change => change.Key).Distinct().Count().ShouldBe(accepted.Changes.Count);
            foreach (var (key, value) in accepted.Changes)
            {
                KvpKey.Fault(key).ShouldBeNull();
                KvpValue.TryCanonical(Encoding.UTF8.GetBytes(value!), out var canonical, out var fault).ShouldBeTrue(fault?.Detail);
                canonical.ShouldBe(value);
            }
        }
    }, iter: 3_000, threads: 1);
}
