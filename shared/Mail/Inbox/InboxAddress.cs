namespace Eddy.Mail.Inbox;

/// <summary>An address of a tenant's inbox, taken apart. Whether what it claims holds is for <see cref="InboxAddresses"/> and <see cref="InboxPolicy"/> to say.</summary>
/// <param name="Slug">The tenant's.</param>
/// <param name="Secret">What stands behind the plus; null where nothing does, or where it names a process.</param>
/// <param name="Pid">The process that it names; null where it names none.</param>
/// <param name="Signature">What the process's number is signed with; null where it names none.</param>
public sealed record InboxAddress(string Slug, string? Secret, long? Pid, string? Signature);
