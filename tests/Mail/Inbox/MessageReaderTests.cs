using System.Globalization;
using System.Text.Json;
using Eddy.Mail.Inbox;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>What is read of messages as the world's programs write them: one file each, with what is expected beside it.</summary>
public sealed class MessageReaderTests
{
    public static TheoryData<string> Names => [.. TestMessages.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_message_is_read_as_its_file_expects(string name)
    {
        var expected = TestMessages.Expected(name);
        var reading = await MessageReader.ReadAsync(TestMessages.Bytes(name), TestMessages.Settings, keys: null, TestContext.Current.CancellationToken);

        if (expected.TryGetProperty("refused", out var refused))
        {
            reading.ShouldBeOfType<MessageReading.Refused>().Why.ShouldContain(refused.GetString()!);
            return;
        }

        var mail = reading.ShouldBeOfType<MessageReading.Read>().Mail;
        foreach (var field in expected.EnumerateObject())
        {
            Check(mail, field.Name, field.Value);
        }
    }

    [Fact]
    public void There_are_more_than_sixty_of_them() => TestMessages.Names.Count.ShouldBeGreaterThan(60);

    private static void Check(IncomingMail mail, string name, JsonElement expected)
    {
        switch (name)
        {
            case "kind":
                mail.Kind.ToString().ShouldBe(expected.GetString(), mail.KindReason);
                mail.KindReason.ShouldEndWith(".");
                break;
            case "from":
                mail.From.ShouldBe(expected.GetString());
                break;
            case "fromName":
                mail.FromName.ShouldBe(expected.GetString());
                break;
            case "fromFaultHas":
                mail.FromFault.ShouldNotBeNull().ShouldContain(expected.GetString()!);
                break;
            case "sender":
                mail.Sender.ShouldBe(expected.GetString());
                break;
            case "deliveredTo":
                mail.DeliveredTo.ShouldBe(expected.GetString());
                break;
            case "subject":
                mail.Subject.ShouldBe(expected.GetString());
                break;
            case "subjectHas":
                mail.Subject.ShouldContain(expected.GetString()!);
                break;
            case "messageId":
                mail.MessageId.ShouldBe(expected.GetString());
                break;
            case "date":
                mail.Date?.ToString("yyyy-MM-ddTHH:mm:sszzz", CultureInfo.InvariantCulture).ShouldBe(expected.GetString());
                break;
            case "inReplyTo":
                mail.InReplyTo.ShouldBe(Texts(expected));
                break;
            case "references":
                mail.References.ShouldBe(Texts(expected));
                break;
            case "text":
                mail.Text.TrimEnd().ShouldBe(expected.GetString());
                break;
            case "textHas":
                mail.Text.ShouldContain(expected.GetString()!);
                break;
            case "newText":
                mail.NewText.ShouldBe(expected.GetString(), $"of: {mail.Text}");
                break;
            case "newTextHas":
                mail.NewText.ShouldContain(expected.GetString()!);
                break;
            case "isForward":
                mail.IsForward.ShouldBe(expected.GetBoolean());
                break;
            case "notes":
                mail.Notes.ShouldBe(Texts(expected));
                break;
            case "notesHave":
                mail.Notes.ShouldContain(note => note.Contains(expected.GetString()!));
                break;
            case "listId":
                mail.ListId.ShouldBe(expected.GetString());
                break;
            case "wantsNoAnswer":
                mail.WantsNoAnswer.ShouldBe(expected.GetBoolean());
                break;
            case "vouched":
                (mail.Verdicts.VouchedBy(mail.FromDomain) is not null).ShouldBe(expected.GetBoolean(), mail.Verdicts.ToString());
                break;
            case "spf":
                mail.Verdicts.Spf.Result.ShouldBe(expected.GetString());
                break;
            case "dkim":
                mail.Verdicts.DkimResult(mail.FromDomain).ShouldBe(expected.GetString());
                break;
            case "dmarc":
                mail.Verdicts.Dmarc.Result.ShouldBe(expected.GetString());
                break;
            case "attachments":
                CheckAttachments(mail, expected);
                break;
            case "bounce":
                CheckBounce(mail.Bounce.ShouldNotBeNull(), expected);
                break;
            default:
                Assert.Fail($"Nothing is known of what a message's '{name}' shall be.");
                break;
        }
    }

    private static void CheckAttachments(IncomingMail mail, JsonElement expected)
    {
        mail.Attachments.Select(one => one.Name).ShouldBe(expected.EnumerateArray().Select(one => one.GetProperty("name").GetString()));
        mail.Attachments.Select(one => one.Type).ShouldBe(expected.EnumerateArray().Select(one => one.GetProperty("type").GetString()));
        foreach (var (attachment, one) in mail.Attachments.Zip(expected.EnumerateArray()))
        {
            if (one.TryGetProperty("size", out var size))
            {
                attachment.Size.ShouldBe(size.GetInt32());
            }
        }
    }

    private static void CheckBounce(BounceReport bounce, JsonElement expected)
    {
        bounce.OriginalId.ShouldBe(expected.GetProperty("original").GetString());
        bounce.Receiver.ShouldBe(expected.GetProperty("receiver").GetString());
        bounce.Status.ShouldBe(expected.GetProperty("status").GetString());
        bounce.Action.ShouldBe(expected.GetProperty("action").GetString());
        bounce.IsPermanent.ShouldBe(expected.GetProperty("permanent").GetBoolean());
        if (expected.TryGetProperty("detailHas", out var detail))
        {
            bounce.Detail.ShouldContain(detail.GetString()!);
        }
    }

    private static string[] Texts(JsonElement list) => [.. list.EnumerateArray().Select(one => one.GetString()!)];
}
