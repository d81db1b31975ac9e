using Eddy.Client.Server;

namespace Eddy.Client.Tree;

/// <summary>What became of a file on one side.</summary>
public enum Change
{
    None,
    New,
    Changed,
    Removed,
}

/// <summary>A file that is not as it was on one side or both.</summary>
/// <param name="Was">As it was when it was pulled or pushed last; null where it was not.</param>
/// <param name="Here">Its hash here; null where it is not.</param>
/// <param name="There">As it is at the server; null where it is not.</param>
public sealed record FileDifference(string Path, BaseFile? Was, string? Here, FileMark? There)
{
    public Change ChangeHere => Of(Was?.Sha256, Here);

    public Change ChangeThere => Of(Was?.Sha256, There?.Sha256);

    /// <summary>Both sides came to the same.</summary>
    public bool Agrees => Here == There?.Sha256;

    /// <summary>Both sides changed it, and not alike.</summary>
    public bool Clashes => ChangeHere != Change.None && ChangeThere != Change.None && !Agrees;

    private static Change Of(string? was, string? now) => (was, now) switch
    {
        (null, null) => Change.None,
        (null, _) => Change.New,
        (_, null) => Change.Removed,
        _ => was == now ? Change.None : Change.Changed,
    };
}

/// <summary>A folder beside the server.</summary>
/// <param name="All">What is not as it was, on one side at least, by path.</param>
/// <param name="Unsafe">Paths at the server that can not be here.</param>
public sealed record Comparison(IReadOnlyList<FileDifference> All, IReadOnlyList<string> Unsafe)
{
    public IEnumerable<FileDifference> Here => All.Where(file => file.ChangeHere != Change.None && !file.Agrees);

    public IEnumerable<FileDifference> There => All.Where(file => file.ChangeThere != Change.None && !file.Agrees);

    /// <param name="ignoresCase">Whether names that differ in capitals alone are one file here; asked where there are such.</param>
    public static Comparison Of(IReadOnlyDictionary<string, BaseFile> was, IReadOnlyDictionary<string, string> here, IReadOnlyList<FileMark> there, Func<bool> ignoresCase)
    {
        var alike = there.Select(mark => mark.Path).Distinct(StringComparer.Ordinal).GroupBy(path => path, StringComparer.OrdinalIgnoreCase).Where(paths => paths.Count() > 1).SelectMany(paths => paths).ToHashSet(StringComparer.Ordinal);
        if (alike.Count > 0 && !ignoresCase())
        {
            alike.Clear();
        }

        var marks = there.Where(mark => IsSafe(mark.Path)).DistinctBy(mark => mark.Path).ToDictionary(mark => mark.Path, StringComparer.Ordinal);
        var all = was.Keys.Concat(here.Keys).Where(IsSafe).Concat(marks.Keys).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)
            .Select(path => new FileDifference(path, was.GetValueOrDefault(path), here.GetValueOrDefault(path), marks.GetValueOrDefault(path)))
            .Where(file => file.ChangeHere != Change.None || file.ChangeThere != Change.None || file.Was?.Version != file.There?.Version);
        return new Comparison([.. all], [.. there.Select(mark => mark.Path).Where(path => !IsSafe(path))]);

        // Each would be written over the other, and then be the one that is gone.
        bool IsSafe(string path) => TreePath.IsSafe(path) && !alike.Contains(path);
    }
}
