namespace Eddy.Mail.Inbox;

/// <summary>How many mails there were within the last hour, before the one that is asked about.</summary>
/// <param name="InThread">In its process.</param>
/// <param name="WithPerson">From its sender, or to its receiver.</param>
/// <param name="InAll">Of the tenant.</param>
public sealed record MailCounts(int InThread, int WithPerson, int InAll)
{
    public static MailCounts None { get; } = new(0, 0, 0);
}

/// <summary>How many mails an hour may see, in one direction. What goes beyond has most likely gone in a circle.</summary>
public sealed record StormLimits(int PerThread, int PerPerson, int PerTenant)
{
    /// <summary>Of mail that comes in.</summary>
    public static StormLimits In { get; } = new(PerThread: 60, PerPerson: 200, PerTenant: 20_000);

    /// <summary>Of mail that goes out, counted for each receiver.</summary>
    public static StormLimits Out { get; } = new(PerThread: 60, PerPerson: 60, PerTenant: 5_000);

    /// <summary>Why one more is too many, in a sentence, or null.</summary>
    /// <param name="pid">The process; null for a new one.</param>
    /// <param name="person">The sender or the receiver; null where there is none.</param>
    public string? Cut(MailCounts counts, long? pid, string? person) =>
        pid is not null && counts.InThread >= PerThread
            ? $"Within an hour process {pid} has had {counts.InThread} mails, and {PerThread} is the limit: two programs seem to answer each other. What comes beyond is kept here and goes no further until the hour is over."
        : person is not null && counts.WithPerson >= PerPerson
            ? $"Within an hour there were {counts.WithPerson} mails with {person}, and {PerPerson} is the limit. What comes beyond is kept here and goes no further until the hour is over."
        : counts.InAll >= PerTenant
            ? $"Within an hour there were {counts.InAll} mails, and {PerTenant} is the limit. What comes beyond is kept here and goes no further until the hour is over."
        : null;
}
