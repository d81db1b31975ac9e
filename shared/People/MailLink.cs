namespace Eddy.People;

/// <summary>What somebody may do once who opens a link that only a mail to their address holds. The link's token is nowhere but there; stored is its SHA-256.</summary>
public sealed class MailLink
{
    public required byte[] Hash { get; init; }

    /// <summary><c>sign-up</c>, <c>reset</c>, <c>address</c> or <c>invitation</c>.</summary>
    public required string Purpose { get; init; }

    /// <summary>To whom it was mailed, in the form of <see cref="MailAddress"/>.</summary>
    public required string Address { get; init; }

    /// <summary>Whose account it is about; null where there is none yet.</summary>
    public Guid? PersonId { get; init; }

    /// <summary>The tenant to which it invites.</summary>
    public Guid? TenantId { get; init; }

    /// <summary>What shall be done, as JSON; null where the purpose says all.</summary>
    public string? Wish { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    public required DateTimeOffset EndsAt { get; init; }
}
