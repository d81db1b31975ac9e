using System.Text;
using System.Text.RegularExpressions;

namespace Eddy.Mail.Inbox;

/// <summary>What the author of a message has written now. Quotes, the line that leads them in, what was forwarded and the signature are cut away; what stands between or below quotes stays.</summary>
internal static partial class NewText
{
    private const int MostAttribution = 300;
    private const int AttributionLines = 4;
    private const int BlockLines = 6;

    /// <param name="text">Lines that end in <c>\n</c>.</param>
    public static (string Text, bool IsForward) Of(string text, string subject)
    {
        var lines = text.Split('\n');
        var kept = new StringBuilder();
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].TrimEnd();
            if (line == "--" || ForwardMark().IsMatch(line))
            {
                return (Trimmed(kept), line != "--");
            }

            if (OriginalMark().IsMatch(line) || IsHeaderBlock(lines, i))
            {
                return (Trimmed(kept), ForwardSubject().IsMatch(subject));
            }

            if (IsQuoted(line) || Phone().IsMatch(line))
            {
                continue;
            }

            if (Attribution(lines, i) is > 0 and var length)
            {
                if (!IsQuoted(NextLine(lines, i + length)))
                {
                    break;
                }

                i += length - 1;
                continue;
            }

            kept.Append(line).Append('\n');
        }

        return (Trimmed(kept), false);
    }

    private static bool IsQuoted(string line) => line.Length > 0 && (line[0] == '>' || (line[0] == ' ' && line.AsSpan().TrimStart(' ') is ['>', ' ' or '>', ..]));

    private static string NextLine(string[] lines, int from)
    {
        for (var i = from; i < Math.Min(lines.Length, from + 3); i++)
        {
            if (!string.IsNullOrWhiteSpace(lines[i]))
            {
                return lines[i];
            }
        }

        return "";
    }

    // How many lines lead in a quote from here on; 0 where none does.
    private static int Attribution(string[] lines, int from)
    {
        var first = lines[from].Trim();
        if (first.Length is < 10 or > MostAttribution || !(char.IsLetterOrDigit(first[0]) || first[0] is '"' or '<' or '*' or '\''))
        {
            return 0;
        }

        var whole = "";
        for (var i = from; i < Math.Min(lines.Length, from + AttributionLines); i++)
        {
            var line = lines[i].Trim().Trim('*');
            if (line.Length == 0 && i > from)
            {
                return 0;
            }

            whole = whole.Length == 0 ? line : $"{whole} {line}";
            if (whole.Length > MostAttribution)
            {
                return 0;
            }

            if (line.EndsWith(':') || line.EndsWith('：'))
            {
                return whole.Any(char.IsDigit) && LeadIn().IsMatch(whole) ? i - from + 1 : 0;
            }
        }

        return 0;
    }

    // From:, and within the next lines Sent: or Date:, and Subject: or To:.
    private static bool IsHeaderBlock(string[] lines, int from)
    {
        if (!FromField().IsMatch(Bare(lines[from])))
        {
            return false;
        }

        var (hasDate, hasOther) = (false, false);
        for (var i = from + 1; i < Math.Min(lines.Length, from + 1 + BlockLines); i++)
        {
            hasDate |= DateField().IsMatch(Bare(lines[i]));
            hasOther |= OtherField().IsMatch(Bare(lines[i]));
        }

        return hasDate && hasOther;
    }

    // Some write the names in bold, as *From:*.
    private static string Bare(string line) => (line.Length > MostAttribution ? line[..MostAttribution] : line).Trim().TrimStart('*');

    private static string Trimmed(StringBuilder kept)
    {
        var text = kept.ToString().Trim('\n', ' ', '\t');
        // A rule of underscores stands above what was cut.
        while (text.EndsWith("____", StringComparison.Ordinal))
        {
            text = text.TrimEnd('_').TrimEnd('\n', ' ', '\t');
        }

        return Blank().Replace(text, "\n\n");
    }

    [GeneratedRegex(@"^\s{0,4}(?:-{2,12} ?(?:Forwarded message|Forwarded Message|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|転送メッセージ) ?-{2,12}|Begin forwarded message:|Anfang der weitergeleiteten Nachricht:|Début du message réexpédié\s?:|転送されたメッセージ[:：])\s{0,4}$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex ForwardMark();

    [GeneratedRegex(@"^\s{0,4}-{2,12} ?(?:Original Message|Ursprüngliche Nachricht|Original-Nachricht|Originalnachricht|Message d'origine|Mensaje original|Messaggio originale|Oorspronkelijk bericht|元のメッセージ) ?-{2,12}\s{0,4}$", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex OriginalMark();

    [GeneratedRegex(@"^(?:fwd?|wg|tr|rv|i|doorst|転送)\s?[:：]", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex ForwardSubject();

    [GeneratedRegex(@"^(?:From|Von|De|Da|Van|差出人|送信者)\s?\*?[:：]\*?\s?\S", RegexOptions.CultureInvariant)]
    private static partial Regex FromField();

    [GeneratedRegex(@"^(?:Sent|Date|Gesendet|Datum|Envoyé|Enviado|Inviato|Verzonden|Data|Fecha|送信日時|日付)\s?(?:am|le|el|il)?\s?\*?[:：]", RegexOptions.CultureInvariant)]
    private static partial Regex DateField();

    [GeneratedRegex(@"^(?:To|Subject|An|Betreff|À|Objet|Para|Asunto|A|Oggetto|Aan|Onderwerp|宛先|件名)\s?\*?[:：]", RegexOptions.CultureInvariant)]
    private static partial Regex OtherField();

    [GeneratedRegex(@"^(?:On\b.{0,260}\bwrote\s?:|Am\b.{0,200}\bschrieb\b.{0,120}:|.{2,120}\bschrieb am\b.{0,120}:|Le\b.{0,260}\ba écrit\s?:|El\b.{0,260}\bescribió\s?:|Il\b.{0,260}\bha scritto\s?:|Op\b.{0,200}\bschreef\b.{0,120}:|Em\b.{0,260}\bescreveu\s?:|Den\b.{0,260}\bskrev\b.{0,120}:|.{0,120}<[^<>\s]{1,120}@[^<>\s]{1,120}>.{0,60}\b(?:wrote|schrieb|écrit)\b.{0,60}:|[0-9]{4}年[0-9]{1,2}月[0-9]{1,2}日.{0,200}[:：]|[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}.{0,200}<[^<>\s]{1,120}@[^<>\s]{1,120}>\s?[:：])$", RegexOptions.CultureInvariant)]
    private static partial Regex LeadIn();

    [GeneratedRegex(@"^(?:Sent from my (?:iPhone|iPad|Galaxy|Samsung|mobile|Android|Pixel|BlackBerry|Windows).{0,60}|Von meinem (?:iPhone|iPad|Samsung|Mobil).{0,40}gesendet\.?|Gesendet (?:mit der|von meinem|von Outlook|von Mail) .{0,60}|Get Outlook for .{0,60}|Holen Sie sich Outlook .{0,60}|Diese Nachricht wurde von meinem .{0,60} gesendet\.?|iPhoneから送信|Envoyé de mon .{0,60})$", RegexOptions.CultureInvariant)]
    private static partial Regex Phone();

    [GeneratedRegex(@"\n{3,}", RegexOptions.CultureInvariant)]
    private static partial Regex Blank();
}
