using System.IO.Compression;
using System.Text;
using Eddy.Apps;

namespace Eddy.Tests.Apps;

/// <summary>Zips as they come: from an export, from a repository's page, from somebody who means harm.</summary>
public sealed class AppArchiveTests
{
    [Fact]
    public void What_was_written_is_read_back_in_the_order_of_the_paths()
    {
        var zip = AppArchive.Write([("workspace/b.bin", [0, 255], DateTimeOffset.UnixEpoch), ("scripts/a.py", "x = 1\n"u8.ToArray(), DateTimeOffset.UnixEpoch)]);

        var app = AppArchive.Read(new MemoryStream(zip), 100);

        app.Files.Select(file => file.Path).ShouldBe(["scripts/a.py", "workspace/b.bin"]);
        app.Files[1].Content.ShouldBe([0, 255]);
        app.Left.ShouldBeEmpty();
    }

    [Fact]
    public void The_folder_of_a_repository_is_taken_off_and_what_is_no_file_of_a_tenant_is_left_out_with_its_reason()
    {
        var app = Read(("repo-main/scripts/a.py", "x"), ("repo-main/README.md", "# It"), ("repo-main/.git/config", "x"), ("repo-main/scripts/a.txt", "x"), ("repo-main\\pages\\b.html", "x"));

        app.Files.Select(file => file.Path).ShouldBe(["README.md", "pages/b.html", "scripts/a.py"]);
        app.Left.Select(left => left.Path).ShouldBe([".git/config", "scripts/a.txt"]);
        app.Left.ShouldAllBe(left => left.Reason.Length > 20);
        Read(("scripts/a.py", "x")).Files.ShouldHaveSingleItem().Path.ShouldBe("scripts/a.py");
    }

    [Theory]
    [InlineData("../../etc/passwd")]
    [InlineData("/etc/passwd")]
    [InlineData("scripts/../../x.py")]
    [InlineData("..\\..\\x.py")]
    [InlineData("requirements.lock")]
    public void No_path_leads_out_of_the_tree(string path)
    {
        var app = Read((path, "x"), ("pages/a.html", "x"));

        app.Files.ShouldHaveSingleItem().Path.ShouldBe("pages/a.html");
        app.Left.Count.ShouldBe(1);
    }

    [Fact]
    public void Links_are_left_out()
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            var link = archive.CreateEntry("workspace/passwd");
            link.ExternalAttributes = unchecked((int)0xA1FF0000);
            using var stream = link.Open();
            stream.Write("/etc/passwd"u8);
        }

        bytes.Position = 0;
        AppArchive.Read(bytes, 100).Files.ShouldBeEmpty();
    }

    [Fact]
    public void What_unpacks_to_more_than_may_be_is_refused_while_it_is_counted()
    {
        Should.Throw<AppFault>(() => Read(("workspace/a", new string('x', 101)))).Message.ShouldContain("workspace/a has more than 100 bytes");
        Should.Throw<AppFault>(() => Read([.. Enumerable.Range(0, 2001).Select(n => ($"workspace/{n}", "x"))])).Message.ShouldContain("more than 2,000 files");
        // What is said of the size is not believed: 65 MiB of zeros are 64 KiB of zip.
        var zeros = AppArchive.Write([.. Enumerable.Range(0, 13).Select(n => ($"workspace/{n}", new byte[5 << 20], DateTimeOffset.UnixEpoch))]);
        zeros.Length.ShouldBeLessThan(200_000);
        Should.Throw<AppFault>(() => AppArchive.Read(new MemoryStream(zeros), 8 << 20)).Message.ShouldContain("bytes together");
        Should.Throw<AppFault>(() => Read(("pages/a.html", "1"), ("pages/a.html", "2"))).Message.ShouldContain("twice");
        Should.Throw<AppFault>(() => AppArchive.Read(new MemoryStream([1, 2, 3]), 100)).Message.ShouldContain("no zip");
    }

    private static AppTree Read(params (string Path, string Text)[] files)
    {
        using var bytes = new MemoryStream();
        using (var archive = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (path, text) in files)
            {
                using var stream = archive.CreateEntry(path).Open();
                stream.Write(Encoding.UTF8.GetBytes(text));
            }
        }

        bytes.Position = 0;
        return AppArchive.Read(bytes, 100);
    }
}
