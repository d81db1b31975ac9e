namespace Eddy.Processes;

/// <summary>Which processes to list.</summary>
/// <param name="Kind">Only this kind, or null for all.</param>
/// <param name="Parent">Only those below this process, or null for all.</param>
/// <param name="Keys">Only those whose KVPs of these names have these values: the text itself, or what is printed of a number, a boolean, a date.</param>
/// <param name="NewestFirst">By falling PID, else by rising.</param>
/// <param name="Beyond">The PID that the page before ended with, or null for the first page.</param>
/// <param name="Limit">How many processes a page has at most.</param>
public sealed record ProcessQuery(string? Kind, long? Parent, IReadOnlyList<KeyValuePair<string, string>> Keys, bool NewestFirst, long? Beyond, int Limit);

/// <summary>A part of a list.</summary>
/// <param name="Next">What the next page goes on beyond, or null at the end.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, long? Next);
