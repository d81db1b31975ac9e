using Eddy.Files;
using Eddy.Tenants;

namespace Eddy.Sandbox;

/// <summary>
/// Gives a run the files of <c>workspace/</c> as they are for it: as they were last saved, by people or by the runs before it. What it saves itself is kept with the course until the run has
/// ended, and is no file before that.
/// </summary>
/// <param name="files">Null where there is no database to ask.</param>
internal sealed class FileAsks(TenantId tenant, FileStore? files, SliceCourse course)
{
    /// <summary>So often the cells of a slice may ask.</summary>
    private const int MostAsks = 10_000;

    private int _asks;

    public static bool Knows(string what) => what is "file" or "save";

    public async Task AnswerAsync(string what, string path, byte[] content, SliceWriter writer, CancellationToken ct)
    {
        if (!path.StartsWith(FilePath.Workspace, StringComparison.Ordinal) || content.Length > FileSaved.MostBytes)
        {
            throw new CellLied("It asked for a file that no run may have, or saves more than one has.");
        }

        if (files is null)
        {
            writer.Refused("Refused", "There are no files here.");
        }
        else if (++_asks > MostAsks)
        {
            writer.Refused("Refused", $"A slice may ask for files {MostAsks} times, and this was once more.");
        }
        else if (what == "file")
        {
            await ReadAsync(files, path, writer, ct);
        }
        else
        {
            await SaveAsync(files, path, content, writer, ct);
        }
    }

    private async Task ReadAsync(FileStore store, string path, SliceWriter writer, CancellationToken ct)
    {
        var content = course.Saved(path);
        if (content is null)
        {
            // What can be no path is none.
            var file = FilePath.Fault(path) is null ? await store.FindAsync(tenant, path, ct) : null;
            course.FilesRead.TryAdd(path, file?.Version ?? 0);
            content = file?.Content;
        }

        if (content is null)
        {
            writer.Refused("Absent", "There is no such file.");
        }
        else
        {
            writer.Bytes(content);
        }
    }

    private async Task SaveAsync(FileStore store, string path, byte[] content, SliceWriter writer, CancellationToken ct)
    {
        if (FilePath.Fault(path) is { } fault)
        {
            writer.Refused("Refused", $"{path} can not be saved. {fault}");
        }
        else if (course.Saved(path) is null && await store.IsFullForAsync(tenant, path, ct))
        {
            writer.Refused("Refused", $"{path} can not be saved. A tenant has at most {FileStore.MostFiles} files.");
        }
        else
        {
            course.Save(path, content);
            writer.Bytes([]);
        }
    }
}
