using Eddy.Mail.Delivery;

namespace Eddy.Mail;

/// <summary>Settings of mail (section <c>Mail</c>).</summary>
public sealed class MailOptions
{
    /// <summary>Where people find their cards: what <c>{{cards.name}}</c> begins with. Null where nobody has said; a card's address is a path then.</summary>
    public string? Site { get; set; }

    public SmtpOptions Smtp { get; set; } = new();

    /// <summary>Domains whose mails are signed.</summary>
    public IList<DkimOptions> Dkim { get; set; } = [];

    /// <summary>Everything that is wrong with these settings.</summary>
    public IEnumerable<string> Faults()
    {
        if (Site is not null && (!Uri.TryCreate(Site, UriKind.Absolute, out var site) || site.Scheme is not ("http" or "https") || site.Query.Length + site.Fragment.Length > 0))
        {
            yield return $"Mail:Site is '{Site}'; it takes an address such as https://eddy.example.com.";
        }

        foreach (var fault in Smtp.Faults())
        {
            yield return fault;
        }
    }
}
