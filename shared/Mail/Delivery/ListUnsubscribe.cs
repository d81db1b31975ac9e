namespace Eddy.Mail.Delivery;

/// <summary>How a receiver can have no more mail: by an address of the web, by a mail, or by either (RFC 2369).</summary>
public sealed record ListUnsubscribe(string? Link, string? Mail)
{
    /// <summary>What <c>List-Unsubscribe</c> says.</summary>
    public string Header => string.Join(", ", new[] { Link, Mail }.OfType<string>().Select(address => $"<{address}>"));

    /// <summary>A program can do it for its reader, without asking (RFC 8058).</summary>
    public bool IsOneClick => Link?.StartsWith("https:", StringComparison.Ordinal) == true;
}
