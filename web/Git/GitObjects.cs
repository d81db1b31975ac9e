using System.Globalization;
using System.Text;

namespace Eddy.Git;

/// <summary>Reads objects of a repository, and of what was pushed beside it. Nothing is read before it is known how large it is.</summary>
internal sealed class GitObjects(GitOptions options, TimeProvider clock, string repository, string beside) : IAsyncDisposable
{
    /// <summary>How many files and folders a commit may have.</summary>
    public const int MostEntries = 10_000;

    private const int MostDepth = 128;
    private const int MostTree = 2 << 20;
    private const int MostPath = 4096;
    private const int MostLine = 200;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly GitCommand _git = GitCommand.Start(options, clock, repository, beside, null, "cat-file", "--batch-command");
    private readonly byte[] _buffer = new byte[1 << 14];
    private int _from, _to;

    public ValueTask DisposeAsync() => _git.DisposeAsync();

    /// <summary>What an object is; null where there is none.</summary>
    /// <param name="name">Its hash.</param>
    public async Task<(string Type, long Size)?> FindAsync(string name, CancellationToken cancel)
    {
        await AskAsync("info", name, cancel);
        return (await LineAsync(cancel)).Split(' ') is [_, var type, var size] ? (type, long.Parse(size, CultureInfo.InvariantCulture)) : null;
    }

    /// <summary>What is in an object; null where there is none, or it is larger than this.</summary>
    public async Task<byte[]?> ReadAsync(string name, int most, CancellationToken cancel)
    {
        if (await FindAsync(name, cancel) is not { } found || found.Size > most)
        {
            return null;
        }

        await AskAsync("contents", name, cancel);
        if ((await LineAsync(cancel)).Split(' ') is not [_, _, var size] || int.Parse(size, CultureInfo.InvariantCulture) != found.Size)
        {
            return null;
        }

        var content = new byte[found.Size];
        for (var have = 0; have < content.Length;)
        {
            await FillAsync(cancel);
            var part = Math.Min(_to - _from, content.Length - have);
            _buffer.AsSpan(_from, part).CopyTo(content.AsSpan(have));
            (_from, have) = (_from + part, have + part);
        }

        // What comes behind it is the end of a line.
        await LineAsync(cancel);
        return content;
    }

    /// <summary>All that a commit has but folders, by path.</summary>
    /// <exception cref="PushRefused">It is more, or deeper, than may be, or has names that are no text.</exception>
    public async Task<Dictionary<string, GitEntry>> TreeAsync(string commit, CancellationToken cancel)
    {
        var entries = new Dictionary<string, GitEntry>(StringComparer.Ordinal);
        var folders = new Stack<(string Path, int Depth, string Name)>([("", 0, commit + "^{tree}")]);
        for (var seen = 0; folders.TryPop(out var folder);)
        {
            if (folder.Depth > MostDepth)
            {
                throw new PushRefused($"Folders are at most {MostDepth} deep.");
            }

            var tree = await ReadAsync(folder.Name, MostTree, cancel) ?? throw new PushRefused($"The folder {Shown(folder.Path)} is missing, or has too much in it.");
            for (var at = 0; at < tree.Length;)
            {
                if (++seen > MostEntries)
                {
                    throw new PushRefused($"A commit has at most {MostEntries:N0} files and folders.");
                }

                var space = tree.AsSpan(at).IndexOf((byte)' ');
                var end = space < 0 ? -1 : tree.AsSpan(at + space).IndexOf((byte)0);
                if (end < 0 || at + space + end + 21 > tree.Length)
                {
                    throw new PushRefused($"The folder {Shown(folder.Path)} can not be read.");
                }

                if (folder.Path.Length + end > MostPath)
                {
                    throw new PushRefused($"A path has at most {MostPath} characters.");
                }

                var mode = Encoding.ASCII.GetString(tree, at, space);
                var path = folder.Path + NameOf(tree.AsSpan(at + space + 1, end - 1), folder.Path);
                var id = Convert.ToHexStringLower(tree, at + space + end + 1, 20);
                at += space + end + 21;
                if (mode is "40000" or "040000")
                {
                    folders.Push((path + "/", folder.Depth + 1, id));
                }
                else
                {
                    entries[path] = new GitEntry(mode, id);
                }
            }
        }

        return entries;
    }

    private static string NameOf(ReadOnlySpan<byte> name, string folder)
    {
        try
        {
            return Strict.GetString(name);
        }
        catch (DecoderFallbackException)
        {
            throw new PushRefused($"The folder {Shown(folder)} has a name that is not valid UTF-8.");
        }
    }

    private static string Shown(string folder) => folder.Length == 0 ? "at the top" : folder;

    private async Task AskAsync(string what, string name, CancellationToken cancel)
    {
        try
        {
            await _git.Input.WriteAsync(Encoding.ASCII.GetBytes($"{what} {name}\n"), cancel);
            await _git.Input.FlushAsync(cancel);
        }
        catch (IOException fault)
        {
            throw new GitFault("git has ended while it was asked.", fault);
        }
    }

    private async Task<string> LineAsync(CancellationToken cancel)
    {
        var line = new StringBuilder();
        while (true)
        {
            await FillAsync(cancel);
            var end = _buffer.AsSpan(_from, _to - _from).IndexOf((byte)'\n');
            line.Append(Encoding.ASCII.GetString(_buffer, _from, end < 0 ? _to - _from : end));
            _from = end < 0 ? _to : _from + end + 1;
            if (end >= 0)
            {
                return line.ToString();
            }

            if (line.Length > MostLine)
            {
                throw new GitFault("git has not answered as it should.");
            }
        }
    }

    private async Task FillAsync(CancellationToken cancel)
    {
        if (_from == _to)
        {
            (_from, _to) = (0, await _git.Output.ReadAsync(_buffer, cancel));
            if (_to == 0)
            {
                throw new GitFault(await _git.EndAsync(cancel) ?? "git has ended while it was asked.");
            }
        }
    }
}

/// <summary>A file of a commit, or what is there in its place.</summary>
internal sealed record GitEntry(string Mode, string Id)
{
    public bool IsFile => Mode is "100644" or "100755" or "100664";

    public string What => Mode switch { "120000" => "a symbolic link", "160000" => "a submodule", _ => "no file" };
}

/// <summary>Why a push is not taken, in sentences.</summary>
internal sealed class PushRefused(string reason, IReadOnlyList<string> sentences) : Exception(reason)
{
    public PushRefused(string sentence)
        : this("refused", [sentence])
    {
    }

    public IReadOnlyList<string> Sentences => sentences;
}
