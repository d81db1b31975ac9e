namespace Eddy.Ide.Find;

/// <summary>Something that was found: where it is and what it is called.</summary>
/// <param name="Kind">rule, key, process, event or person, in the order in which they are shown.</param>
/// <param name="Icon">As <see cref="Controls.Icon.Name"/>.</param>
/// <param name="Name">Its name, in which what was typed is marked.</param>
/// <param name="Address">Where it leads.</param>
/// <param name="Json">The last value of a key, or null.</param>
/// <param name="Note">What else tells it from others.</param>
public sealed record Found(string Kind, string Icon, string Name, string Address, string? Json, string? Note);
