extern alias client;

using client::Eddy.Client;
using client::Eddy.Client.Runs;
using client::Eddy.Client.Server;
using client::Eddy.Client.Tree;

namespace Eddy.Tests.Client;

public sealed class ClientTextTests
{
    [Theory]
    [InlineData("temperature := 95", new[] { "temperature=95" })]
    [InlineData("temperature := 95", new[] { "temperature:=95" })]
    [InlineData("temperature := 95", new[] { "temperature := 95" })]
    [InlineData("temperature := 95\nroom := attic", new[] { "temperature", ":=", "95", "room=attic" })]
    [InlineData("q := a=b", new[] { "q=a=b" })]
    [InlineData("empty := ", new[] { "empty=" })]
    [InlineData("text := \"\"\"a\nb\"\"\"", new[] { "text=a\nb" })]
    public void KVPs_are_taken_as_they_are_typed(string lines, string[] words) => KvpArguments.Lines(words).ShouldBe(lines);

    [Theory]
    [InlineData("temperature")]
    [InlineData("=5")]
    [InlineData(":=5")]
    [InlineData("a\nb=5")]
    public void What_is_no_KVP_is_told(string word) => Should.Throw<ClientFault>(() => KvpArguments.Lines([word])).Code.ShouldBe(2);

    [Fact]
    public void A_difference_shows_what_is_around_it_and_where_it_is()
    {
        var before = string.Join('\n', Enumerable.Range(1, 20).Select(i => $"line {i}"));

        TextDifference.Of(before, before.Replace("line 10\n", "new\n", StringComparison.Ordinal)).ShouldBe(
            ["@@ -7 +7 @@", " line 7", " line 8", " line 9", "-line 10", "+new", " line 11", " line 12", " line 13"]);
        TextDifference.Of(before, before).ShouldBeEmpty();
    }

    [Theory]
    [InlineData("scripts/a.py", true)]
    [InlineData("tests/test_a.py", true)]
    [InlineData("README.md", true)]
    [InlineData("requirements.lock", false)]
    [InlineData("workspace/.keep", false)]
    [InlineData("scripts/a.py~", false)]
    [InlineData("scripts/#a.py#", false)]
    [InlineData("scripts/4913", false)]
    [InlineData("scripts/__pycache__/a.pyc", false)]
    [InlineData("setup.py", false)]
    public void A_file_becomes_the_tenants_by_lying_there_unless_an_editor_left_it(string path, bool isTaken) => TreePath.IsTaken(path).ShouldBe(isTaken);

    [Fact]
    public void Names_that_are_one_file_here_and_two_there_are_left_out()
    {
        FileMark[] there = [new("scripts/A.py", 1, 1, "a"), new("scripts/a.py", 2, 1, "b"), new("scripts/b.py", 3, 1, "c")];
        var was = new Dictionary<string, BaseFile> { ["scripts/A.py"] = new(1, "a"), ["scripts/a.py"] = new(2, "b") };
        var here = new Dictionary<string, string> { ["scripts/a.py"] = "b" };

        var ignoring = Comparison.Of(was, here, there, () => true);
        var telling = Comparison.Of(was, here, there, () => false);

        ignoring.Unsafe.ShouldBe(["scripts/A.py", "scripts/a.py"]);
        ignoring.All.Select(file => file.Path).ShouldBe(["scripts/b.py"]);
        telling.Unsafe.ShouldBeEmpty();
        telling.Here.Select(file => file.Path).ShouldBe(["scripts/A.py"]);
    }
}
