using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Eddy.Tests.Egress;

/// <summary>The libraries that people know, over <c>guest/outgoing.py</c> in an ordinary Python process; what each is tried for stands in <c>outgoing_libraries.py</c>.</summary>
public sealed partial class OutgoingLibrariesTests
{
    [Theory]
    [InlineData("Requests")]
    [InlineData("Urllib")]
    [InlineData("HttpClient")]
    [InlineData("Urllib3")]
    [InlineData("Httplib2")]
    [InlineData("Sockets")]
    [InlineData("OwnHelper")]
    [InlineData("Loading")]
    public async Task A_library_works_unmodified_without_a_socket(string library)
    {
        var guest = Path.Combine(AppContext.BaseDirectory, "Sandbox", "guest");
        var start = new ProcessStartInfo("/usr/bin/python3", ["-sE", "-B", Script(), guest, library]) { RedirectStandardError = true, WorkingDirectory = "/" };
        using var python = Process.Start(start)!;

        var told = await python.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await python.WaitForExitAsync(TestContext.Current.CancellationToken);

        python.ExitCode.ShouldBe(0, told);
        int.Parse(Ran().Match(told).Groups[1].Value).ShouldBeGreaterThan(1);
    }

    private static string Script([CallerFilePath] string here = "") => Path.Combine(Path.GetDirectoryName(here)!, "outgoing_libraries.py");

    [GeneratedRegex("Ran ([0-9]+) tests")]
    private static partial Regex Ran();
}
