namespace Eddy.Identity;

/// <summary>Settings of how people sign up and in (section <c>People</c>).</summary>
public sealed class PeopleOptions
{
    /// <summary>How many forms of these pages one address of the network may send in a minute.</summary>
    public int FormsPerMinute { get; set; } = 30;

    /// <summary>How many mails of one kind a mail address is sent in an hour.</summary>
    public int MailsPerHour { get; set; } = 5;

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (FormsPerMinute < 1)
        {
            yield return $"People:FormsPerMinute is {FormsPerMinute}; it takes at least 1.";
        }

        if (MailsPerHour < 1)
        {
            yield return $"People:MailsPerHour is {MailsPerHour}; it takes at least 1.";
        }
    }
}
