using System.Text;
using System.Text.Json;
using Eddy.Cards;
using Eddy.Mail;

namespace Eddy.Sandbox;

/// <summary>Reads what a cell says that a run tells people. The guest has checked all of it, and so whatever does not fit is a lie.</summary>
internal static class EffectReader
{
    /// <summary>Reads the list in which the reader stands to its end.</summary>
    /// <param name="knows">Whether the host knows the KVPs of a process.</param>
    /// <param name="saved">What the run has given to be saved in a file; null for nothing.</param>
    /// <exception cref="CellLied">It is not what it may be.</exception>
    public static IReadOnlyList<Effect> Read(ref Utf8JsonReader reader, Func<long, bool> knows, Func<string, byte[]?> saved)
    {
        var effects = new List<Effect>();
        var (told, files, characters) = (0, 0, 0);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException("A list is missing.");
            }

            var kind = NextText(ref reader);
            effects.Add(kind switch
            {
                "actor" when effects.Count == 0 => new ActorChosen(Line(NextText(ref reader), CardName.MostUserBytes)),
                "mail" => ReadMail(ref reader, knows),
                "card" => ReadCard(ref reader, knows),
                "answer" => ReadAnswer(ref reader),
                "file" when NextText(ref reader) is var path => new FileSaved(path, saved(path) ?? throw new CellLied("It saved a file without a content.")),
                _ => throw new CellLied("It told people what there is not."),
            });
            told += effects[^1] is MailSent or CardLoaded ? 1 : 0;
            files += effects[^1] is FileSaved ? 1 : 0;
            characters += effects[^1] is MailSent mail ? mail.Message.Length + (mail.Subject?.Length ?? 0) : 0;
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndArray || told > Effect.Most || files > FileSaved.MostFiles || characters > Effect.MostCharacters)
            {
                throw new CellLied("It told people more than a run may.");
            }
        }

        return effects;
    }

    private static MailSent ReadMail(ref Utf8JsonReader reader, Func<long, bool> knows)
    {
        var pid = Pid(ref reader, knows);
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("A list is missing.");
        }

        var to = new List<string>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var address = CellText.ReadString(ref reader);
            if (to.Count == MailSent.MostReceivers || MailAddress.Fault(address) is not null || to.Contains(address))
            {
                throw new CellLied("It sends mail to too many, or to what is no address.");
            }

            to.Add(address);
        }

        var message = NextText(ref reader);
        var subject = NextTextOrNone(ref reader);
        reader.Read();
        var attach = reader.GetInt32();
        return to.Count > 0 && Encoding.UTF8.GetByteCount(message) <= MailSent.MostBytes && attach is 0 or 1
            ? new MailSent(pid, to, message, subject is null ? null : Line(subject, MailSent.MostSubjectBytes), attach == 1)
            : throw new CellLied("It sends a mail to nobody, or one that is too long.");
    }

    private static CardLoaded ReadCard(ref Utf8JsonReader reader, Func<long, bool> knows)
    {
        var pid = Pid(ref reader, knows);
        var name = NextText(ref reader);
        var user = NextTextOrNone(ref reader);
        return CardName.Is(name) ? new CardLoaded(pid, name, user is null ? null : Line(user, CardName.MostUserBytes)) : throw new CellLied("It shows a card whose name is none.");
    }

    private static Answered ReadAnswer(ref Utf8JsonReader reader)
    {
        reader.Read();
        var status = reader.GetInt32();
        var headers = new List<KeyValuePair<string, string>>();
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var name = CellText.ReadString(ref reader);
            headers.Add(new(name, NextText(ref reader)));
        }

        reader.Read();
        var body = reader.GetBytesFromBase64();
        return status is >= 200 and < 600 && headers.Count <= Answered.MostHeaders && headers.TrueForAll(header => Answered.IsHeaderName(header.Key) && Answered.IsHeaderValue(header.Value)) && body.Length <= Answered.MostBytes
            ? new Answered(status, headers, body)
            : throw new CellLied("It answers what can not be answered.");
    }

    private static long Pid(ref Utf8JsonReader reader, Func<long, bool> knows)
    {
        reader.Read();
        var pid = reader.GetInt64();
        return knows(pid) ? pid : throw new CellLied("It told people of a process that it does not know.");
    }

    private static string Line(string text, int most) =>
        text.Length > 0 && Encoding.UTF8.GetByteCount(text) <= most && !text.Any(c => char.IsControl(c) || c is '\u2028' or '\u2029')
            ? text
            : throw new CellLied("It has a line break where one line is, or a line that is too long.");

    private static string NextText(ref Utf8JsonReader reader)
    {
        reader.Read();
        return CellText.ReadString(ref reader);
    }

    private static string? NextTextOrNone(ref Utf8JsonReader reader)
    {
        reader.Read();
        return reader.TokenType == JsonTokenType.Number && reader.ValueSpan is [(byte)'0'] ? null : CellText.ReadString(ref reader);
    }
}
