namespace Eddy.Tests;

/// <summary>The folder of the sources, for tests that read them or start what lies there.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Saas.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests are not run within their repository.");
        }

        return folder;
    }
}
