namespace Eddy.Apps;

/// <summary>An app that comes with Eddy, from the folder <c>samples</c>: something to begin with, and to learn from.</summary>
/// <param name="Says">What it does, in a sentence.</param>
public sealed record AppSample(string Name, string Title, string Says)
{
    public static readonly IReadOnlyList<AppSample> All =
    [
        new("temperature", "Temperature monitor", "Readings come in, a room that gets too hot is told once, and a page shows the chart."),
        new("hiring", "Hiring process", "A job has applicants as children; cards ask who decides, and mail tells how it went."),
        new("status", "Status board", "Addresses are called by the clock, and a public page shows which of them answer."),
    ];

    /// <summary>Its files as a zip, as whoever brings it in has it.</summary>
    public byte[] Zip()
    {
        var folder = Path.Combine(AppContext.BaseDirectory, "samples", Name);
        return AppArchive.Write(Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Select(file => (Path.GetRelativePath(folder, file).Replace('\\', '/'), File.ReadAllBytes(file), (DateTimeOffset)File.GetLastWriteTimeUtc(file))));
    }
}
