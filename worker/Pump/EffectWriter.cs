using Eddy.Cards;
using Eddy.Mail;
using Eddy.Sandbox;

namespace Eddy.Pump;

/// <summary>
/// Writes out what the runs of a turn tell people: placeholders are printed from the KVPs as they are at the end of their run. It is done before the turn comes to its lane, so that a tenant which
/// sends much holds up nobody's commit, and costs turns without mails a look at their steps.
/// </summary>
public sealed class EffectWriter(ReceiverStore receivers, CardLinks links, TimeProvider time)
{
    /// <summary>Of a mail's text, once its values are printed.</summary>
    private const int MostText = 256 << 10;

    /// <summary>Of all mails of a turn: values can be much longer than what names them.</summary>
    private const int MostOfTurn = 16 << 20;

    /// <summary>After this time the turn's mails go out as text alone: what Markdown costs is not the tenant's account's.</summary>
    private static readonly TimeSpan MostTime = TimeSpan.FromMilliseconds(500);

    private static readonly Dictionary<RunEnded, IReadOnlyList<WrittenEffect>> None = [];

    /// <summary>Mails, cards and files by their run; nothing for runs that tell nobody anything.</summary>
    public async Task<IReadOnlyDictionary<RunEnded, IReadOnlyList<WrittenEffect>>> WriteAsync(Turn turn, Transcript transcript, CancellationToken cancel)
    {
        var telling = transcript.Steps.OfType<RunEnded>().Where(run => run.Effects.Count > 0).ToList();
        if (telling.Count == 0)
        {
            return None;
        }

        var mails = telling.SelectMany(run => run.Effects).OfType<MailSent>().ToList();
        var accesses = await receivers.OfAsync(turn.Line.Tenant, mails.Where(mail => mail.Attach).SelectMany(mail => mail.To).ToHashSet(StringComparer.Ordinal), cancel);
        var slug = mails.Exists(mail => mail.Message.Contains("cards.", StringComparison.Ordinal) || mail.Subject?.Contains("cards.", StringComparison.Ordinal) == true) ? await receivers.SlugAsync(turn.Line.Tenant, cancel) : null;
        return new Writing(turn, transcript, telling, new AttachedKvps(accesses), (card, pid) => links.Marked(turn.Line.Tenant, slug, card, pid), time).Write();
    }

    /// <summary>Follows the steps of one turn.</summary>
    private sealed class Writing(Turn turn, Transcript transcript, List<RunEnded> telling, AttachedKvps attached, Func<string, long, string> card, TimeProvider time)
    {
        private readonly Dictionary<RunEnded, IReadOnlyList<WrittenEffect>> _written = new(ReferenceEqualityComparer.Instance);

        // The processes that are told of, as the steps so far have left them.
        private readonly Dictionary<long, Dictionary<string, string>> _kvps = telling.SelectMany(run => run.Effects).Select(effect => effect.Pid).Append(0).Distinct()
            .ToDictionary(pid => pid, pid => new Dictionary<string, string>(Committed(turn, transcript, pid), StringComparer.Ordinal));

        private readonly TimeZoneInfo _zone = TimeZoneInfo.TryFindSystemTimeZoneById(turn.Line.TimeZone, out var zone) ? zone : TimeZoneInfo.Utc;
        private readonly long _started = time.GetTimestamp();
        private string _actor = turn.Owed is { Cascade: var owed } ? owed.Acting ?? owed.Actor : "";
        private int _room = MostOfTurn;

        public Dictionary<RunEnded, IReadOnlyList<WrittenEffect>> Write()
        {
            foreach (var step in transcript.Steps)
            {
                switch (step)
                {
                    case ArrivalApplied applied:
                        var set = turn.Arrivals[applied.Index].Set;
                        _actor = set.Waking?.Cascade.Acting ?? set.Actor;
                        foreach (var change in set.Changes)
                        {
                            Apply(set.Pid, change.Key, change.Value);
                        }

                        break;
                    case RunLanded landed:
                        var cascade = turn.Landings[landed.Index].Flight.Run.Cascade;
                        _actor = cascade.Acting ?? cascade.Actor;
                        break;
                    case RunEnded run:
                        foreach (var change in run.Changes)
                        {
                            Apply(change.Pid, change.Key, change.Value);
                        }

                        if (run.Effects.Count > 0)
                        {
                            _actor = ActorChosen.Among(run.Effects) ?? _actor;
                            _written[run] = [.. run.Effects.Select(effect => WriteOut(run, effect)).OfType<WrittenEffect>()];
                        }

                        break;
                }
            }

            return _written;
        }

        private static IReadOnlyDictionary<string, string> Committed(Turn turn, Transcript transcript, long pid) =>
            turn.Line.Knows(pid) ? turn.Line.State(pid) : transcript.Learned.GetValueOrDefault(pid) ?? new Dictionary<string, string>();

        private void Apply(long pid, string key, string? value)
        {
            if (!_kvps.TryGetValue(pid, out var kvps))
            {
                return;
            }

            if (value is null)
            {
                kvps.Remove(key);
            }
            else
            {
                kvps[key] = value;
            }
        }

        private WrittenEffect? WriteOut(RunEnded run, Effect effect) => effect switch
        {
            MailSent mail => WriteOut(mail),
            CardLoaded loaded => new WrittenCard(loaded.Pid, loaded.Name, People.MailAddress.Form(loaded.User ?? _actor)),
            FileSaved file => new WrittenFile(file.Path, file.Content, "rule:" + run.Rule),
            _ => null,
        };

        private WrittenMail WriteOut(MailSent mail)
        {
            var values = new MailValues(mail.Pid, _kvps[mail.Pid], _kvps[0], _actor, _zone, card);
            var message = MailTemplate.Parse(mail.Message);
            var text = message.Print((_, name) => values.Of(name), Math.Min(MostText, _room), out var isCut);
            var html = isCut || time.GetElapsedTime(_started) > MostTime ? null : MailHtml.Of(message, values);
            if (isCut)
            {
                text += "\n… cut here: the mail is longer than one may be\n";
            }

            var subject = mail.Subject is null ? null : MailTemplate.Parse(mail.Subject).Print((_, name) => values.Of(name), MostText, out _);
            var along = mail.Attach && _room > 0 ? attached.For(mail.To, _kvps[mail.Pid]) : null;
            _room = Math.Max(0, _room - text.Length - (html?.Length ?? 0) - (along?.Length ?? 0));
            return new WrittenMail(mail.Pid, mail.To, MailSubject.Of(subject, text, mail.Pid), text, html, along);
        }
    }
}
