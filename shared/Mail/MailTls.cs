namespace Eddy.Mail;

/// <summary>How a connection to a mail server is encrypted.</summary>
public enum MailTls
{
    /// <summary>It begins in the clear and is encrypted before anything is said; a server that does not offer it is not used.</summary>
    StartTls,

    /// <summary>From its first byte.</summary>
    Implicit,

    /// <summary>Not at all: for a server on the same machine.</summary>
    Off,
}
