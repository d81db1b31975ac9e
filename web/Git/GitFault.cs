namespace Eddy.Git;

/// <summary>git did not do what it was asked for; the message has its own words.</summary>
public sealed class GitFault(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What came in is nothing that git sends, or too much of it; the message says what.</summary>
public sealed class GitRequestFault(string message) : Exception(message);
