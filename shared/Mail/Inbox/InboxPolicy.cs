using System.Security.Cryptography;
using System.Text;

namespace Eddy.Mail.Inbox;

/// <summary>Whose mail a tenant takes; each lets in all whom those before it do.</summary>
public enum InboxOpening
{
    /// <summary>Those who belong to the tenant, where their domain vouches for the mail.</summary>
    Members,

    /// <summary>Listed addresses and domains too, where these vouch.</summary>
    Listed,

    /// <summary>Whoever knows the secret address, too.</summary>
    Secret,

    Anyone,
}

/// <summary>What a tenant has said of its inbox.</summary>
public sealed record InboxPolicy
{
    /// <summary>Addresses and domains that one tenant can list.</summary>
    public const int MostListed = 500;

    public static InboxPolicy Default { get; } = new();

    public InboxOpening Opening { get; init; } = InboxOpening.Members;

    /// <summary>Addresses (<c>ann@acme.test</c>) and domains (<c>acme.test</c>, which is not its subdomains; <c>*.acme.test</c> for these).</summary>
    public IReadOnlyList<string> Listed { get; init; } = [];

    /// <summary>What stands behind the plus in the secret address. Several while one takes another's place.</summary>
    public IReadOnlyList<string> Secrets { get; init; } = [];

    /// <summary>Whoever answers a mail of the tenant's at its signed address is let in, to that process: the tenant wrote first.</summary>
    public bool TakesAnswers { get; init; } = true;

    /// <summary>Who is refused is told so, where that can reach nobody else.</summary>
    public bool AnswersRefused { get; init; }

    /// <summary>Why this can not be listed, in a sentence, or null.</summary>
    public static string? ListedFault(string listed)
    {
        var domain = listed.StartsWith("*.", StringComparison.Ordinal) ? listed[2..] : listed;
        return People.MailAddress.TryRead(domain.Contains('@') && domain == listed ? listed : $"somebody@{domain}", out var address) && address.IndexOf('.', address.IndexOf('@')) > 0
            ? null
            : $"'{listed}' is neither an address, as ann@acme.test is one, nor a domain, as acme.test or *.acme.test.";
    }

    /// <summary>The entry of the list that names this sender, or null.</summary>
    /// <param name="address">In the form of <see cref="People.MailAddress"/>.</param>
    public string? ListedAs(string address)
    {
        var domain = address[(address.LastIndexOf('@') + 1)..];
        return Listed.FirstOrDefault(one =>
            one.Contains('@') ? People.MailAddress.Form(one) == address
            : one.StartsWith("*.", StringComparison.Ordinal) ? domain.EndsWith(one[1..], StringComparison.OrdinalIgnoreCase)
            : domain.Equals(one, StringComparison.OrdinalIgnoreCase));
    }

    public bool HasSecret(string? secret)
    {
        var holds = false;
        foreach (var one in Secrets)
        {
            holds |= secret is not null && CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one.ToLowerInvariant()), Encoding.UTF8.GetBytes(secret));
        }

        return holds;
    }
}
