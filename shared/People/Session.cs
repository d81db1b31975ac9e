namespace Eddy.People;

/// <summary>One sign-in of a person: what their cookie names. It ends when it is taken away, when it has not been seen for two weeks, and when the person's stamp is another.</summary>
public sealed class Session
{
    public required Guid Id { get; init; }

    public required Guid PersonId { get; init; }

    /// <summary>The person's security stamp. With another password or mail address comes another stamp, and only the session in which that was done goes along with it.</summary>
    public required string Stamp { get; set; }

    /// <summary>What signed in, in words: <c>Firefox on Linux</c>.</summary>
    public required string Device { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>To a minute.</summary>
    public required DateTimeOffset SeenAt { get; set; }
}
