using Eddy.Files;
using Eddy.Sandbox;

namespace Eddy.Ide.Files;

/// <summary>A file that somebody has open: what was read of it, and what there is to say about it. What they typed is in the browser.</summary>
public sealed class OpenFile(string path, string? text, long version, bool isReadOnly)
{
    public string Path { get; } = path;

    public string Name => Path[(Path.LastIndexOf('/') + 1)..];

    /// <summary>As it was last read or saved; null where it is no text.</summary>
    public string? Text { get; set; } = text;

    /// <summary>That which <see cref="Text"/> is.</summary>
    public long Version { get; set; } = version;

    public bool IsReadOnly { get; } = isReadOnly;

    public bool IsDirty { get; set; }

    /// <summary>When what was brought back was typed; null where nothing was.</summary>
    public DateTimeOffset? BroughtBack { get; set; }

    /// <summary>What became of the last thing that was done with it.</summary>
    public FileWord? Word { get; set; }

    /// <summary>What somebody else saved meanwhile, and waits to be put together with what was typed here.</summary>
    public Clash? Clash { get; set; }

    /// <summary>The tests that saving would break, of which they have to be told.</summary>
    public IReadOnlyList<RanTest>? Breaks { get; set; }

    /// <summary>The next save asks nothing.</summary>
    public bool IsSure { get; set; }

    public bool ShowsHistory { get; set; }

    /// <summary>It is a page or a card, and is shown beside its text.</summary>
    public bool ShowsPreview { get; set; }

    /// <summary>It is a script, and is tried beside its text.</summary>
    public bool ShowsDryRun { get; set; }

    /// <summary>What was typed when it was last looked at; null where it is as it was read.</summary>
    public string? Draft { get; set; }

    public CodeEditor? Editor { get; set; }
}

/// <summary>A sentence about a file, and the line to go to.</summary>
/// <param name="State">As glyphs name it.</param>
public sealed record FileWord(string State, string Text, int? Line = null);

/// <summary>Two who changed one file.</summary>
/// <param name="Author">Who saved, as people read of them.</param>
/// <param name="Version">As what.</param>
/// <param name="Mine">What was typed here.</param>
public sealed record Clash(string Author, long Version, string Mine, TextMerge Merge);
