using System.Text;
using Eddy.Git;

namespace Eddy.Tests.Git;

public sealed class CommitWriterTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 29, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task What_a_version_comes_to_is_what_it_has_always_come_to()
    {
        using var text = new MemoryStream();
        var writer = new CommitWriter(text, null, new TreeNames());
        await writer.BeginAsync(new GitVersion(1, "ann@acme.test", At, null, 1, "scripts/a b.py", 0, null), CancellationToken.None);
        await writer.ChangeAsync(new GitChange(1, "scripts/a b.py", "x = 1\n"u8.ToArray()), CancellationToken.None);
        await writer.BeginAsync(new GitVersion(7, "key:<sensors>", At, null, 2, "README.md", 1, "scripts/a b.py"), CancellationToken.None);
        await writer.ChangeAsync(new GitChange(7, "README.md", "é"u8.ToArray()), CancellationToken.None);
        await writer.ChangeAsync(new GitChange(7, "workspace/x", "no"u8.ToArray()), CancellationToken.None);
        await writer.ChangeAsync(new GitChange(7, "scripts/a b.py", null), CancellationToken.None);
        await writer.EndAsync(CancellationToken.None);

        // Whoever changes a byte of this gives every repository that anybody has cloned another history.
        Encoding.UTF8.GetString(text.ToArray()).ShouldBe("""
            feature done
            commit refs/heads/main
            author ann@acme.test <ann@acme.test> 1795946400 +0000
            committer ann@acme.test <ann@acme.test> 1795946400 +0000
            data 37
            Save scripts/a b.py

            Eddy-Version: 1

            M 100644 inline "scripts/a b.py"
            data 6
            x = 1

            commit refs/heads/main
            author key:sensors <nobody@eddy.invalid> 1795946400 +0000
            committer key:sensors <nobody@eddy.invalid> 1795946400 +0000
            data 48
            Save 2 files and delete 1 file

            Eddy-Version: 7

            M 100644 inline "README.md"
            data 2
            é
            D "scripts/a b.py"
            done

            """);
    }

    [Fact]
    public void A_name_is_a_file_or_a_folder()
    {
        var names = new TreeNames();

        names.TryPut("libraries/a").ShouldBeTrue();
        names.TryPut("libraries/a/b").ShouldBeFalse();
        names.TryPut("libraries").ShouldBeFalse();
        names.Remove("libraries/a/b").ShouldBeFalse();
        names.Remove("libraries/a").ShouldBeTrue();
        names.TryPut("libraries/a/b").ShouldBeTrue();
        names.TryPut("libraries/a").ShouldBeFalse();
        names.TryPut("libraries/a/b").ShouldBeTrue();
    }

    [Theory]
    [InlineData("scripts/a.py", true)]
    [InlineData("libraries/.gitignore", true)]
    [InlineData("workspace/a", false)]
    [InlineData("libraries/.git/config", false)]
    [InlineData("libraries/.GIT", false)]
    [InlineData("libraries/.git .", false)]
    [InlineData("libraries/git~1", false)]
    [InlineData("libraries/.g\u200cit", false)]
    [InlineData("libraries/.git::$INDEX_ALLOCATION", false)]
    public void What_git_checks_out_nowhere_is_in_no_repository(string path, bool isIn) => (GitPath.Fault(path) is null).ShouldBe(isIn);
}
