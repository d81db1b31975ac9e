using System.Globalization;
using System.Text;

namespace Eddy.Git;

/// <summary>
/// Says of versions that were saved which commits they are, in the language of <c>git fast-import</c>. Every byte of it goes into the hashes of what people have fetched: what a version comes to here
/// it has to come to always.
/// </summary>
/// <param name="tip">The commit that the first one follows; null where it is the first of all.</param>
/// <param name="names">The paths of <paramref name="tip"/>.</param>
public sealed class CommitWriter(Stream to, string? tip, TreeNames names)
{
    private bool _isFirst = true;

    public Task BeginAsync(GitVersion version, CancellationToken cancel)
    {
        var who = $"{Who(version.Author)} {version.At.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)} +0000";
        var message = Encoding.UTF8.GetBytes(Message(version));
        var head = new StringBuilder();
        if (_isFirst)
        {
            head.Append("feature done\n");
        }

        head.Append(CultureInfo.InvariantCulture, $"commit {RefCommand.Main}\nauthor {who}\ncommitter {who}\ndata {message.Length}\n{Encoding.UTF8.GetString(message)}\n");
        if (_isFirst && tip is not null)
        {
            head.Append(CultureInfo.InvariantCulture, $"from {tip}\n");
        }

        _isFirst = false;
        return WriteAsync(head.ToString(), cancel);
    }

    public async Task ChangeAsync(GitChange change, CancellationToken cancel)
    {
        if (GitPath.Fault(change.Path) is not null)
        {
            return;
        }

        if (change.Content is null)
        {
            if (names.Remove(change.Path))
            {
                await WriteAsync($"D {Quoted(change.Path)}\n", cancel);
            }
        }
        else if (names.TryPut(change.Path))
        {
            await WriteAsync(string.Create(CultureInfo.InvariantCulture, $"M 100644 inline {Quoted(change.Path)}\ndata {change.Content.Length}\n"), cancel);
            await to.WriteAsync(change.Content, cancel);
            await WriteAsync("\n", cancel);
        }
    }

    public Task EndAsync(CancellationToken cancel) => WriteAsync("done\n", cancel);

    /// <summary>Whoever saved, as git names people: a name, and an address where it is one.</summary>
    internal static string Who(string author)
    {
        var name = string.Concat(author.Where(c => !char.IsControl(c) && c is not ('<' or '>'))).Trim();
        name = name.Length == 0 ? "somebody" : name;
        return $"{name} <{(name.Contains('@', StringComparison.Ordinal) && !name.Contains(' ', StringComparison.Ordinal) ? name : "nobody@eddy.invalid")}>";
    }

    internal static string Message(GitVersion version)
    {
        var what = version switch
        {
            { Put: 0, Removed: 0 } => "Save nothing",
            { Put: 1, Removed: 0 } => $"Save {version.FirstPut}",
            { Put: 0, Removed: 1 } => $"Delete {version.FirstRemoved}",
            { Put: 1, Removed: 1 } => $"Save {version.FirstPut} and delete {version.FirstRemoved}",
            { Removed: 0 } => $"Save {Files(version.Put)}",
            { Put: 0 } => $"Delete {Files(version.Removed)}",
            _ => $"Save {Files(version.Put)} and delete {Files(version.Removed)}",
        };
        return string.Create(CultureInfo.InvariantCulture, $"{what}\n\nEddy-Version: {version.Version}\n");

        static string Files(int count) => count == 1 ? "1 file" : string.Create(CultureInfo.InvariantCulture, $"{count} files");
    }

    private static string Quoted(string path) => $"\"{path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";

    private async Task WriteAsync(string text, CancellationToken cancel) => await to.WriteAsync(Encoding.UTF8.GetBytes(text), cancel);
}
