namespace Eddy.Pump;

/// <summary>Mails, cards and files of one commit, column by column as <c>migrations/Sql/effects.sql</c> and <c>workspace.sql</c> take them.</summary>
public sealed class EffectRows
{
    public MailRows Mails { get; } = new();

    public CardRows Cards { get; } = new();

    public FileRows Files { get; } = new();

    public bool IsEmpty => Mails.Ids.Count + Cards.Ids.Count == 0;

    /// <summary>Adds what one run tells people and what it saves; their numbers are the run's and their place in it.</summary>
    public void Add(Guid tenant, long run, DateTime at, IReadOnlyList<WrittenEffect> effects)
    {
        for (var i = 0; i < effects.Count; i++)
        {
            var id = (run * 1000) + i + 1;
            switch (effects[i])
            {
                case WrittenMail mail:
                    Mails.Tenants.Add(tenant);
                    Mails.Ids.Add(id);
                    Mails.Runs.Add(run);
                    Mails.Pids.Add(mail.Pid);
                    Mails.At.Add(at);
                    Mails.Receivers.Add(System.Text.Json.JsonSerializer.Serialize(mail.To));
                    Mails.Subjects.Add(mail.Subject);
                    Mails.Texts.Add(mail.Text);
                    Mails.Htmls.Add(mail.Html);
                    Mails.Attached.Add(mail.Attached);
                    break;
                case WrittenCard card:
                    Cards.Tenants.Add(tenant);
                    Cards.Ids.Add(id);
                    Cards.Runs.Add(run);
                    Cards.Pids.Add(card.Pid);
                    Cards.At.Add(at);
                    Cards.Names.Add(card.Name);
                    Cards.Users.Add(card.User);
                    break;
                case WrittenFile file:
                    Files.Tenants.Add(tenant);
                    Files.Paths.Add(file.Path);
                    Files.Contents.Add(file.Content);
                    Files.Authors.Add(file.Author);
                    Files.At.Add(at);
                    break;
            }
        }
    }

    public sealed class MailRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Ids { get; } = [];
        public List<long> Runs { get; } = [];
        public List<long> Pids { get; } = [];
        public List<DateTime> At { get; } = [];
        public List<string> Receivers { get; } = [];
        public List<string> Subjects { get; } = [];
        public List<string> Texts { get; } = [];
        public List<string?> Htmls { get; } = [];
        public List<string?> Attached { get; } = [];
    }

    public sealed class CardRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<long> Ids { get; } = [];
        public List<long> Runs { get; } = [];
        public List<long> Pids { get; } = [];
        public List<DateTime> At { get; } = [];
        public List<string> Names { get; } = [];
        public List<string> Users { get; } = [];
    }

    public sealed class FileRows
    {
        public List<Guid> Tenants { get; } = [];
        public List<string> Paths { get; } = [];
        public List<byte[]> Contents { get; } = [];
        public List<string> Authors { get; } = [];
        public List<DateTime> At { get; } = [];
    }
}
