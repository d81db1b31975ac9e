namespace Eddy.Bench.Load;

/// <summary>A folder for as long as something is measured.</summary>
internal sealed class BenchFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("eddy-bench-");

    public string Path => _folder.FullName;

    public void Dispose() => _folder.Delete(recursive: true);
}
