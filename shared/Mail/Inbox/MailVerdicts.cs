namespace Eddy.Mail.Inbox;

/// <summary>What one way of checking came to.</summary>
/// <param name="Result">As in RFC 8601: <c>pass</c>, <c>fail</c>, <c>softfail</c>, <c>neutral</c>, <c>none</c>, <c>temperror</c>, <c>permerror</c>, <c>policy</c>.</param>
/// <param name="Domain">For which domain, in ASCII and small letters; null where it does not say.</param>
public sealed record MailVerdict(string Result, string? Domain)
{
    public static MailVerdict None { get; } = new("none", null);

    public bool IsPass => Result == "pass";
}

/// <summary>What is known of where a message comes from, and by whom.</summary>
/// <param name="Spf">Of the envelope's sender.</param>
/// <param name="Dkim">Of each signature.</param>
/// <param name="Dmarc">Of the domain in <c>From:</c>.</param>
/// <param name="By">Who says so, as words within a sentence: a server's name, or that it was checked here; null where nobody does.</param>
public sealed record MailVerdicts(MailVerdict Spf, IReadOnlyList<MailVerdict> Dkim, MailVerdict Dmarc, string? By)
{
    public static MailVerdicts Unknown { get; } = new(MailVerdict.None, [], MailVerdict.None, null);

    /// <summary>By what the domain vouches for the message, in a sentence, or null where it does not.</summary>
    public string? VouchedBy(string? domain) =>
        domain is null ? null
        // A pass that does not say for which From is believed for none: where From is written oddly, the server may have read another there.
        : Dmarc.IsPass && Dmarc.Domain == domain ? $"{domain} vouches for it: DMARC passes, says {By}."
        : Dkim.FirstOrDefault(one => one.IsPass && Aligns(one.Domain, domain)) is { } signature ? $"{domain} vouches for it: the DKIM signature of {signature.Domain} holds, says {By}."
        : Spf.IsPass && Aligns(Spf.Domain, domain) ? $"{domain} vouches for it: SPF passes for {Spf.Domain}, says {By}."
        : null;

    /// <summary>What the signatures came to in one word: that of the domain itself where it has signed, else the best there is.</summary>
    public string DkimResult(string? domain) =>
        (Dkim.FirstOrDefault(one => one.IsPass && domain is not null && Aligns(one.Domain, domain)) ?? Dkim.FirstOrDefault(one => one.IsPass) ?? (Dkim.Count > 0 ? Dkim[0] : MailVerdict.None)).Result;

    // The domain itself, or one above it. Not one below: where a domain gives names away (as dynamic DNS does), whoever has one of them would speak for it.
    internal static bool Aligns(string? who, string domain) =>
        who is not null && who.Contains('.') && (who == domain || domain.EndsWith($".{who}", StringComparison.Ordinal));
}
