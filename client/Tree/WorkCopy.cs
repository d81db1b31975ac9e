using System.IO.Compression;
using System.Text;
using Eddy.Client.Server;
using Eddy.Files;

namespace Eddy.Client.Tree;

/// <summary>A folder that is a copy of a tenant's files, and the tenant. No edit of either side is ever lost: what both changed is put together where that goes line by line, else told and left.</summary>
public sealed class WorkCopy(WorkFolder folder, EddyApi api, FolderState? state)
{
    /// <summary>Of more files than this the whole tree is fetched at once.</summary>
    private const int FewFiles = 8;

    /// <summary>Bytes of a file, more than any server lets one have.</summary>
    private const int MostFile = 64 << 20;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public WorkFolder Folder => folder;

    public FolderState? State { get; private set; } = state;

    private IReadOnlyDictionary<string, BaseFile> Was => State?.Files ?? new Dictionary<string, BaseFile>();

    /// <summary>The tenant's tree as it is now, and the folder beside it.</summary>
    public async Task<(TreeAnswer Tree, Comparison Comparison)> CompareAsync(CancellationToken cancel)
    {
        var tree = await api.TreeAsync(cancel);
        if (State is not null && (State.Tenant != tree.Tenant || State.Address != api.Login.Address))
        {
            throw new ClientFault($"{folder.Root} has the files of {State.Tenant} at {State.Address}, and the key is for {Terminal.Line(tree.Tenant)} at {api.Login.Address}. Take another folder, or: eddy login {State.Address}", ClientFault.Usage);
        }

        var here = folder.Scan(Was.Keys);
        // Asked when it has been looked through: what lacks in a folder that was moved away meanwhile, or was on a drive that is gone, was deleted by nobody.
        if (State is not null && !FolderState.IsIn(folder.Root))
        {
            throw new ClientFault($"{folder.Root} is not there any more, or is no copy of a tenant's files any more. Nothing was done; go to where it is now, or make another with eddy pull.") { IsLost = true };
        }

        return (tree, Comparison.Of(Was, here, tree.Files, folder.IgnoresCase));
    }

    /// <summary>Takes what was changed there.</summary>
    /// <param name="settle">Of what clashes: whose it is to be; null where it is left.</param>
    public async Task<PullOutcome> PullAsync(Func<string, Side?> settle, CancellationToken cancel)
    {
        var (tree, comparison) = await CompareAsync(cancel);
        var contents = await FetchAsync([.. comparison.All.Where(file => file.There is not null && file.Was?.Sha256 != file.There.Sha256 && !file.Agrees).Select(file => file.There!)], cancel);
        var files = new Dictionary<string, BaseFile>(Was, StringComparer.Ordinal);
        var outcome = new PullOutcome(tree.Version, [], [], [], comparison.Unsafe);
        foreach (var file in comparison.All)
        {
            var content = file.There is null ? null : contents.GetValueOrDefault(file.Path);
            if (Take(file, content, settle, outcome))
            {
                Note(files, file, content);
            }
        }

        State = new FolderState(api.Login.Address, tree.Tenant, tree.Version, files);
        State.Write(folder.Root);
        return outcome;
    }

    /// <summary>What was changed here, as it is sent.</summary>
    public IReadOnlyList<TreeBodyFile> Changes(Comparison comparison) =>
        [.. comparison.Here.Where(file => file.Path != TreePath.Lock).Select(file => file.Here is null ? new TreeBodyFile(file.Path, file.There?.Version, null, null) : Sent(file))];

    /// <summary>Whether every file that there was would go with it: somebody may mean that, and more often a folder is not what it was.</summary>
    public bool RemovesAll(IReadOnlyList<TreeBodyFile> changes) =>
        changes.Count(change => change.IsRemoved) is > 0 and var removed && removed == Was.Keys.Count(path => path != TreePath.Lock);

    /// <summary>Sends it as one version.</summary>
    public async Task<TreeChangedAnswer> PushAsync(IReadOnlyList<TreeBodyFile> changes, long version, bool dry, CancellationToken cancel)
    {
        var answer = await api.ChangeTreeAsync(new TreeBody(changes), version, dry, cancel);
        if (dry || State is null)
        {
            return answer;
        }

        var files = new Dictionary<string, BaseFile>(State.Files, StringComparer.Ordinal);
        foreach (var (change, done) in changes.Zip(answer.Files))
        {
            if (ContentOf(change) is not { } content)
            {
                files.Remove(change.Path);
            }
            else if (done.Kind != "same")
            {
                FolderState.KeepBase(folder.Root, content);
                files[change.Path] = new BaseFile(answer.Version, FolderState.HashOf(content));
            }
        }

        State = State with { Version = answer.Version, Files = files };
        State.Write(folder.Root);
        return answer;
    }

    /// <summary>A folder without a copy yet becomes one: nothing is taken, all that is here is new.</summary>
    public void Begin(TreeAnswer tree) => State ??= new FolderState(api.Login.Address, tree.Tenant, tree.Version, new Dictionary<string, BaseFile>());

    public static string? TextOf(byte[] content)
    {
        try
        {
            return Strict.GetString(content);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    /// <summary>Whether what is at the server counts as seen from now on.</summary>
    private bool Take(FileDifference file, byte[]? content, Func<string, Side?> settle, PullOutcome outcome)
    {
        if (file.Agrees || file.ChangeThere == Change.None)
        {
            return true;
        }

        if (file.ChangeHere == Change.None)
        {
            return TakeTheirs(file, content, outcome);
        }

        switch (settle(file.Path))
        {
            case Side.Theirs:
                return TakeTheirs(file, content, outcome);
            case Side.Mine:
                return true;
        }

        if (Merged(file, content) is not { } merged || folder.HashOf(file.Path) != file.Here)
        {
            outcome.Clashes.Add(file);
            return false;
        }

        folder.Write(file.Path, merged);
        outcome.Merged.Add(file.Path);
        return true;
    }

    private bool TakeTheirs(FileDifference file, byte[]? content, PullOutcome outcome)
    {
        // Somebody may have saved it in their editor since it was looked at.
        if (folder.HashOf(file.Path) != file.Here)
        {
            outcome.Clashes.Add(file);
            return false;
        }

        if (content is null)
        {
            folder.Delete(file.Path);
        }
        else
        {
            folder.Write(file.Path, content);
        }

        outcome.Taken.Add(file);
        return true;
    }

    private byte[]? Merged(FileDifference file, byte[]? theirs)
    {
        if (file.Was is null || theirs is null || file.Here is null || FolderState.BaseOf(folder.Root, file.Was.Sha256) is not { } origin
            || (TextOf(origin), TextOf(theirs), TextOf(folder.Read(file.Path))) is not ({ } from, { } left, { } right))
        {
            return null;
        }

        var merge = TextMerge.Of(from, left, right);
        if (merge.Clashes > 0)
        {
            return null;
        }

        var text = merge.Text([]);
        return Strict.GetBytes(right.Contains("\r\n", StringComparison.Ordinal) ? text.Replace("\n", "\r\n", StringComparison.Ordinal) : text);
    }

    private void Note(Dictionary<string, BaseFile> files, FileDifference file, byte[]? content)
    {
        if (file.There is null)
        {
            files.Remove(file.Path);
            return;
        }

        if (content is not null)
        {
            FolderState.KeepBase(folder.Root, content);
        }
        else if (file.Agrees)
        {
            FolderState.KeepBase(folder.Root, folder.Read(file.Path));
        }

        files[file.Path] = new BaseFile(file.There.Version, file.There.Sha256);
    }

    /// <summary>What is in these files, as the tree has them: what was saved meanwhile is not among it.</summary>
    private async Task<Dictionary<string, byte[]>> FetchAsync(IReadOnlyList<FileMark> marks, CancellationToken cancel)
    {
        var contents = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        if (marks.Count > FewFiles)
        {
            Unpack(await api.AppAsync(cancel), marks, contents);
        }

        foreach (var mark in marks.Where(mark => !contents.ContainsKey(mark.Path)))
        {
            var content = await api.FileAsync(mark.Path, cancel);
            contents[mark.Path] = FolderState.HashOf(content) == mark.Sha256 ? content : throw new ClientFault($"{mark.Path} was saved while it was fetched. Nothing was changed here; pull again.");
        }

        return contents;
    }

    private static void Unpack(byte[] zip, IReadOnlyList<FileMark> marks, Dictionary<string, byte[]> contents)
    {
        try
        {
            using var archive = new ZipArchive(new MemoryStream(zip), ZipArchiveMode.Read);
            var wanted = marks.ToDictionary(mark => mark.Path, StringComparer.Ordinal);
            foreach (var entry in archive.Entries)
            {
                // Nothing of it is written by the name that it has there, and no more is unpacked than the tree says.
                if (wanted.GetValueOrDefault(entry.FullName) is { Size: >= 0 and <= MostFile } mark && entry.Length == mark.Size)
                {
                    var content = new byte[mark.Size];
                    using var stream = entry.Open();
                    if (stream.ReadAtLeast(content, content.Length, throwOnEndOfStream: false) == content.Length && FolderState.HashOf(content) == mark.Sha256)
                    {
                        contents[mark.Path] = content;
                    }
                }
            }
        }
        catch (InvalidDataException)
        {
            // They are fetched one by one.
        }
    }

    private TreeBodyFile Sent(FileDifference file)
    {
        var content = folder.Read(file.Path);
        return TextOf(content) is { } text ? new TreeBodyFile(file.Path, file.There?.Version, text, null) : new TreeBodyFile(file.Path, file.There?.Version, null, Convert.ToBase64String(content));
    }

    private static byte[]? ContentOf(TreeBodyFile file) => file.Text is not null ? Strict.GetBytes(file.Text) : file.Base64 is not null ? Convert.FromBase64String(file.Base64) : null;
}

/// <summary>Whose of two changes is to be.</summary>
public enum Side
{
    Mine,
    Theirs,
}

/// <summary>What a pull did.</summary>
/// <param name="Taken">Was changed there alone, and is here now.</param>
/// <param name="Merged">Was changed on both sides, and has both changes now.</param>
/// <param name="Clashes">Was changed on both sides, and was left.</param>
/// <param name="Unsafe">Can not be here.</param>
public sealed record PullOutcome(long Version, List<FileDifference> Taken, List<string> Merged, List<FileDifference> Clashes, IReadOnlyList<string> Unsafe);
