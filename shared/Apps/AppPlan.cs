using Eddy.Files;
using Eddy.Packages;
using Eddy.Rules;

namespace Eddy.Apps;

/// <summary>What importing an app, or pushing changes, comes to: nothing of it has been done yet. It is carried out whole or not at all.</summary>
/// <param name="TreeVersion">The version of the tenant's files that it was compared with.</param>
/// <param name="Packages">What its requirements.txt comes to; null where it has none, or that of before.</param>
public sealed record AppPlan(long TreeVersion, IReadOnlyList<PlannedFile> Files, IReadOnlyList<LeftOut> Left, PackageSet? Packages)
{
    /// <summary>What would be saved.</summary>
    public IEnumerable<PlannedFile> Changes => Files.Where(file => file.Kind != PlannedKind.Same);

    /// <summary>Whether a file is not one that could be in force.</summary>
    public bool IsFaulty => Files.Any(file => file.Check.Faults is not null);
}

/// <summary>A file of an app beside what the tenant has.</summary>
/// <param name="Content">As it would be saved.</param>
/// <param name="Check">What was found in it, as it would be kept with it.</param>
/// <param name="Findings">The same to be read.</param>
public sealed record PlannedFile(string Path, PlannedKind Kind, byte[] Content, FileCheck Check, IReadOnlyList<Finding> Findings)
{
    /// <summary>The version of the file that it takes the place of; null where there is none.</summary>
    public required long? Was { get; init; }

    /// <summary>Of Python 2 text: what was changed to make it Python 3, with the lines that it had then.</summary>
    public IReadOnlyList<Finding> Converted { get; init; } = [];

    /// <summary>Of Python 2 text: what a person has to look at.</summary>
    public IReadOnlyList<Finding> ToSee { get; init; } = [];
}

/// <summary>What of a file is new to the tenant.</summary>
public enum PlannedKind
{
    /// <summary>The tenant has none of this path.</summary>
    New,

    /// <summary>It takes the place of another text.</summary>
    Changed,

    /// <summary>It is there, byte for byte.</summary>
    Same,

    /// <summary>It goes.</summary>
    Removed,
}

/// <summary>A file as somebody has changed it.</summary>
/// <param name="Path">One that <see cref="FilePath"/> has nothing against.</param>
/// <param name="Content">Null where it is to go.</param>
/// <param name="Seen">The version of the tenant's file that they have changed; null where they have seen none.</param>
public sealed record TreeChange(string Path, byte[]? Content, long? Seen);
