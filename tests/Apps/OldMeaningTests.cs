using Eddy.Apps;
using Eddy.Rules;
using Eddy.Sandbox;
using Eddy.Tenants;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Apps;

/// <summary>What Python 3 takes otherwise than Python 2 did is found where it is asked for, mended where there is one way to say it, and not found in text that means the same.</summary>
public sealed class OldMeaningTests(CellFixture cells)
{
    public static readonly TheoryData<string, string?> Rows = new()
    {
        { "x = a / b", null },
        { "x = self.amount / 2", null },
        { "x = d.keys()[0]", "x = list(d.keys())[0]" },
        { "x = map(f, d)[1:]", "x = list(map(f, d))[1:]" },
        { "x = len(filter(f, d))", "x = len(list(filter(f, d)))" },
        { "x = it.next()", "x = next(it)" },
        { "x = sorted(d, f)", null },
        { "d.sort(f)", null },
        { "x = round(a)", null },
        { "d.keys().sort()", null },
        { "x = 'ff'.decode('hex')", null },
        { "x = sys.maxint", "x = sys.maxsize" },
        { "x = string.letters", "x = string.ascii_letters" },
        { "x = string.join(d)", null },
        { "def __nonzero__(self): return a", "def __bool__(self): return a" },
        { "def __cmp__(self, other): return a", null },
    };

    private const string Begin = "import sys, string\na = b = d = it = f = self = None\n";

    [Theory, MemberData(nameof(Rows))]
    public async Task It_is_found_where_it_is_asked_for_and_mended_where_it_can_be(string line, string? mended)
    {
        var text = Begin + line + "\n";

        var found = (await LookAsync(text, isOld: true)).Where(finding => finding.Code == "python-2-meaning").ToList();

        var one = found.ShouldHaveSingleItem();
        one.Line.ShouldBe(3);
        one.IsError.ShouldBeFalse();
        (one.Fix is null).ShouldBe(mended is null);
        (await LookAsync(text, isOld: false)).Where(finding => finding.Code == "python-2-meaning").ShouldBeEmpty();
        if (mended is not null)
        {
            OldPython.Mend(text, found).Text.ShouldBe(Begin + mended + "\n");
            (await LookAsync(Begin + mended + "\n", isOld: true)).Where(finding => finding.Code == "python-2-meaning").ShouldBeEmpty();
        }
    }

    [Theory]
    [InlineData("x = a / 2.0")]
    [InlineData("x = float(a) / b")]
    [InlineData("x = a // b")]
    [InlineData("x = sorted(d, key=f)")]
    [InlineData("x = d.get('keys')[0]")]
    [InlineData("x = round(a, 2)")]
    [InlineData("x = 'a'.encode('utf-8')")]
    public async Task What_means_the_same_is_not_found(string line) =>
        (await LookAsync(Begin + line + "\n", isOld: true)).Where(finding => finding.Code == "python-2-meaning").ShouldBeEmpty();

    private async Task<IReadOnlyList<Finding>> LookAsync(string text, bool isOld) =>
        (await (await cells.Sandbox).CompileAsync(TenantId.New(), new CellFile("libraries/old.py", text) { IsOld = isOld }, TestContext.Current.CancellationToken)).Findings;
}
