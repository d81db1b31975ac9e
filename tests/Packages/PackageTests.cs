using Eddy.Packages;
using Eddy.Sandbox;
using Eddy.Tenants;
using Eddy.Tests.Sandbox;

namespace Eddy.Tests.Packages;

public sealed class PackageTests(CellFixture cells) : IAsyncLifetime
{
    private TestIndex _index = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _index = await TestIndex.StartAsync();

    public ValueTask DisposeAsync() => _index.DisposeAsync();

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_requirement_brings_what_it_needs_and_a_rule_imports_it_all(bool metadata, bool plain)
    {
        (_index.HasMetadata, _index.IsPlain) = (metadata, plain);
        _index.Add("shapes", "1.0", "Requires-Dist: round-things (>=2)\nRequires-Dist: colours; extra == 'paint'\nRequires-Dist: nothing; python_version < '3'\n",
            ("shapes/__init__.py", "from round_things import pi\n"), ("shapes/data/names.txt", "circle\n"), ("shapes/deep/sub.py", "from .. import pi as also\n"));
        _index.Add("round-things", "2.1", "", ("round_things.py", "pi = 3\n"), ("evil.pth", "import os; os._exit(1)\n"), ("round_things-2.1.data/scripts/run", "#!/bin/sh\n"));
        _index.Add("round-things", "3.0rc1", "", ("round_things.py", "pi = 4\n"));
        _index.Add("colours", "0.1", "", ("colours/__init__.py", "red = 'red'\n"));

        var set = await ResolveAsync("# what we need\nShapes[paint] ~= 1.0  # and why\n");

        set.Lock.Split('\n')[1..].Select(line => line.Split(':')[0] + (line.Length > 0 ? ":" : "")).ShouldBe([Pin("colours", "0.1"), Pin("round-things", "2.1"), Pin("shapes", "1.0"), ""]);
        set.Files.Select(file => file.Path).ShouldBe(
            ["shapes/__init__.py", "shapes/data/names.txt", "shapes/deep/sub.py", "shapes-1.0.dist-info/METADATA", "round_things.py", "round_things-2.1.dist-info/METADATA",
                "colours/__init__.py", "colours-0.1.dist-info/METADATA"], ignoreOrder: true);
        var tenant = WithPackages(await cells.Sandbox, set, """
            import importlib.metadata, importlib.resources, colours, shapes.deep.sub
            class rule(Rule):
                listens_to = ["go"]
                def action(self):
                    self.out = [shapes.deep.sub.also, colours.red, importlib.resources.files("shapes").joinpath("data", "names.txt").read_text(),
                                importlib.metadata.version("Round.Things"), shapes.__file__]
            """);
        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();
        (await tenant.OneRunAsync(1, ("go", "1"))).Error.ShouldBeNull();
        tenant.Kvp(1, "out").ShouldBe("""[3,"red","circle\n","2.1","packages/shapes/__init__.py"]""");
        _index.Asked.Any(path => path.Contains("3.0rc1", StringComparison.Ordinal)).ShouldBeFalse();
    }

    [Theory]
    [InlineData("good\n-r other.txt\n", 2, "Options (-r) can not be used here")]
    [InlineData("--index-url https://evil.example/\n", 1, "Options (--index-url)")]
    [InlineData("-e .\n", 1, "Options (-e)")]
    [InlineData("\n\ngood @ https://evil.example/x.whl\n", 3, "addresses and paths can not be used")]
    [InlineData("git+https://evil.example/x\n", 1, "addresses and paths can not be used")]
    [InlineData("file:///etc/passwd\n", 1, "addresses and paths can not be used")]
    [InlineData("./x.whl\n", 1, "addresses and paths can not be used")]
    [InlineData("good \\\n  ==9\n", 1, "No version satisfies good==9; the index has 1.0.")]
    [InlineData("# x\ngood=>1\n", 2, "This is no requirement")]
    [InlineData("nothing-there\n", 1, "The index has no project nothing-there.")]
    [InlineData("native\n", 1, "native 1.0 has native code, which no cell can load; the operator may preload it")]
    [InlineData("source\n", 1, "has no wheel, and nothing is executed to build one")]
    [InlineData("newer\n", 1, "newer 1.0 needs Python >=3.99")]
    [InlineData("good\nfar\n", 2, "which is not a host that the operator allows")]
    [InlineData("moved\n", 1, "which is not followed")]
    [InlineData("unhashed\n", 1, "declares no sha256")]
    [InlineData("changed\n", 1, "its sha256 differs")]
    [InlineData("good\nneedy\nneedier", 2, "These can not be had together: needier 1.0 needs good>=2; needy 1.0 needs good<2")]
    public async Task What_can_not_be_had_is_told_with_its_line(string text, int line, string message)
    {
        _index.HasMetadata = false;
        _index.Add("good", "1.0", "");
        _index.Add("native", "1.0", "cp311-cp311-manylinux_2_17_x86_64", "", []);
        _index.Add("source", "source-1.0.tar.gz", [1]);
        _index.Add("newer", "newer-1.0-py3-none-any.whl", TestIndex.Wheel("newer", "1.0", ""), requiresPython: ">=3.99");
        _index.Add("far", "far-1.0-py3-none-any.whl", TestIndex.Wheel("far", "1.0", ""), url: "http://127.0.0.2:1/far-1.0-py3-none-any.whl");
        _index.Add("unhashed", "unhashed-1.0-py3-none-any.whl", TestIndex.Wheel("unhashed", "1.0", ""), sha256: "");
        _index.Add("changed", "changed-1.0-py3-none-any.whl", TestIndex.Wheel("changed", "1.0", ""), sha256: new string('0', 64));
        if (text.Contains("needy", StringComparison.Ordinal))
        {
            _index.Add("good", "2.0", "");
            _index.Add("needy", "1.0", "Requires-Dist: good<2\n");
            _index.Add("needier", "1.0", "Requires-Dist: good>=2\n");
        }

        var complaint = (await Should.ThrowAsync<PackageFault>(() => ResolveAsync(text))).Complaints.ShouldHaveSingleItem();

        complaint.Message.ShouldContain(message);
        complaint.Line.ShouldBe(line);
    }

    [Fact]
    public async Task Each_line_that_nothing_satisfies_is_told()
    {
        var fault = await Should.ThrowAsync<PackageFault>(() => ResolveAsync("one\n\ntwo\n"));

        fault.Complaints.ShouldBe([new(1, "The index has no project one."), new(3, "The index has no project two.")]);
    }

    [Fact]
    public async Task What_the_platform_has_is_not_downloaded()
    {
        _index.Add("mine", "1.0", "Requires-Dist: requests>=2\nRequires-Dist: Jinja2\n", ("mine.py", "import requests\n"));

        var set = await ResolveAsync("mine\nmarkupsafe\n");

        set.Lock.Split('\n').Where(line => line.StartsWith("# ", StringComparison.Ordinal) && line.EndsWith(" is the platform's", StringComparison.Ordinal))
            .Select(line => line.Split("==")[0]).ShouldContain("# markupsafe");
        set.Files.Select(file => file.Path).ShouldBe(["mine.py", "mine-1.0.dist-info/METADATA"], ignoreOrder: true);
        _index.Asked.ShouldNotContain("/simple/requests/");
    }

    [Fact]
    public async Task A_version_that_is_locked_stays_until_the_requirement_forbids_it()
    {
        _index.Add("steady", "1.0", "", ("steady.py", "v = 1\n"));
        var first = await ResolveAsync("steady\n");
        _index.Add("steady", "1.1", "", ("steady.py", "v = 2\n"));

        (await ResolveAsync("steady>0.5\n", first.Lock)).Lock.ShouldBe(first.Lock);
        (await ResolveAsync("steady>1.0\n", first.Lock)).Lock.ShouldContain("steady==1.1 steady-1.1-py3-none-any.whl sha256:");
        (await ResolveAsync("steady\n")).Lock.ShouldContain("steady==1.1");
    }

    [Fact]
    public async Task A_version_whose_needs_can_not_be_met_gives_way_to_an_earlier_one()
    {
        _index.Add("good", "1.0", "");
        _index.Add("picky", "2.0", "Requires-Dist: good>=7\n");
        _index.Add("picky", "1.9", "Requires-Dist: good @ https://evil.example/good.whl\n");
        _index.Add("picky", "1.8", "Requires-Dist: this is nothing\n");
        _index.Add("picky", "1.0", "Requires-Dist: good\n");
        _index.Add("picky", "picky-3.0-py3-none-any.whl", TestIndex.Wheel("picky", "3.0", ""), yanked: true);

        (await ResolveAsync("picky\n")).Lock.ShouldContain("picky==1.0 ");
        (await ResolveAsync("picky==3.0\n")).Lock.ShouldContain("picky==3.0 ");
    }

    public static TheoryData<string, string> Spoiled => new()
    {
        { "../evil.py", "leads out of its folder" },
        { "/etc/evil.py", "leads out of its folder" },
        { "good/../../evil.py", "leads out of its folder" },
        { "good/./x.py", "leads out of its folder" },
        { "good//x.py", "leads out of its folder" },
        { "C:/evil.py", "has a name that no file may have" },
        { "good\\evil.py", "has a name that no file may have" },
        { "good/e\u0001.py", "has a name that no file may have" },
        { "good/native.so", "has native code" },
        { "symlink", "is no regular file" },
        { "twice", "has two entries" },
        { "stray", "which is not in its RECORD" },
        { "changed", "the hash differs" },
        { "lacks", "which is in its RECORD" },
        { "no record", "has no RECORD" },
        { "other name", "has not the one folder .dist-info" },
        { "bomb", "is more than it may be" },
        { "many", "files; 20 is the limit" },
        { "no zip", "can not be unpacked" },
        { "cut", "can not be unpacked" },
    };

    [Theory, MemberData(nameof(Spoiled))]
    public async Task A_wheel_that_is_not_what_it_should_be_is_refused(string how, string message)
    {
        var good = TestIndex.WithRecord("good", "1.0", "", ("good/__init__.py", "x = 1\n"u8.ToArray()));
        var record = good.Count - 1;
        var content = how switch
        {
            "symlink" => TestIndex.Zip(good, attributes: unchecked((int)(0xA1FFu << 16))),
            "twice" => TestIndex.Zip([good[0], .. good]),
            "stray" => TestIndex.Zip([.. good, ("good/stray.py", [])]),
            "changed" => TestIndex.Zip([(good[0].Path, "x = 2\n"u8.ToArray()), .. good[1..]]),
            "lacks" => TestIndex.Zip(good[1..]),
            "no record" => TestIndex.Zip(good[..record]),
            "other name" => TestIndex.Wheel("bad", "1.0", ""),
            "bomb" => TestIndex.Wheel("good", "1.0", "", ("good/big.txt", new byte[3 << 20])),
            "many" => TestIndex.Wheel("good", "1.0", "", [.. Enumerable.Range(0, 30).Select(i => ($"good/{i}.py", Array.Empty<byte>()))]),
            "no zip" => "not a zip at all"u8.ToArray(),
            "cut" => TestIndex.Zip(good)[..100],
            _ => TestIndex.Wheel("good", "1.0", "", (how, [])),
        };
        _index.HasMetadata = false;
        _index.Add("good", "good-1.0-py3-none-any.whl", content);
        var options = _index.Options();
        options.Files = 20;

        var fault = await Should.ThrowAsync<PackageFault>(() => ResolveAsync("good\n", null, options));

        fault.Message.ShouldContain(message);
    }

    [Fact]
    public async Task What_is_larger_than_the_limits_is_refused()
    {
        _index.Add("large", "1.0", "", ("large.py", new string(' ', 40) + string.Concat(Enumerable.Range(0, 3000))));
        var options = _index.Options();

        options.WheelBytes = 2000;
        (await Should.ThrowAsync<PackageFault>(() => ResolveAsync("large\n", null, options))).Message.ShouldContain("longer than 2000 bytes");
        (options.WheelBytes, options.UnpackedBytes) = (1 << 20, 2000);
        (await Should.ThrowAsync<PackageFault>(() => ResolveAsync("large\n", null, options))).Message.ShouldContain("is more than it may be");
        (options.UnpackedBytes, options.PageBytes) = (1 << 20, 50);
        (await Should.ThrowAsync<PackageFault>(() => ResolveAsync("large\n", null, options))).Message.ShouldContain("longer than 50 bytes");
    }

    [Fact]
    public async Task A_package_does_not_replace_the_standard_library_and_does_replace_the_platforms_packages()
    {
        _index.Add("idna", "99.0", "", ("idna/__init__.py", "mine = True\nfrom . import core\ndef encode(*a, **k): return b'x'\nclass IDNAError(Exception): pass\n"), ("idna/core.py", ""));
        _index.Add("enum34", "1.0", "", ("enum.py", "broken = 1 / 0\n"), ("sixth.py", "x = 6\n"));

        var tenant = WithPackages(await cells.Sandbox, await ResolveAsync("idna>=99\nenum34\n"), """
            import enum, idna, requests, sixth
            class rule(Rule):
                listens_to = ["go"]
                def action(self):
                    self.out = [idna.mine, requests.packages.idna is idna, enum.Enum.__name__, sixth.x]
            """);

        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();
        (await tenant.OneRunAsync(1, ("go", "1"))).Error.ShouldBeNull();
        tenant.Kvp(1, "out").ShouldBe("""[true,true,"Enum",6]""");
    }

    [Fact]
    public async Task Two_packages_that_bring_different_files_of_one_name_are_refused()
    {
        _index.Add("one", "1.0", "", ("same/__init__.py", ""), ("same/a.py", "1"));
        _index.Add("two", "1.0", "", ("same/__init__.py", ""), ("same/a.py", "2"));

        (await Should.ThrowAsync<PackageFault>(() => ResolveAsync("one\ntwo\n"))).Message.ShouldContain("both have same/a.py");
    }

    [Theory]
    [InlineData("Index", "ftp://x/")]
    [InlineData("Index", "https://user:secret@x/")]
    [InlineData("FileHosts", "a/b")]
    [InlineData("FileBytes", "1000000000")]
    public void Wrong_settings_are_told(string name, string value)
    {
        var options = new PackageOptions();
        var property = typeof(PackageOptions).GetProperty(name)!;
        property.SetValue(options, property.PropertyType == typeof(int) ? int.Parse(value, System.Globalization.CultureInfo.InvariantCulture) : value);

        options.Faults().ShouldHaveSingleItem().ShouldContain("Packages:" + name);
    }

    private async Task<PackageSet> ResolveAsync(string text, string? locked = null, PackageOptions? options = null)
    {
        options ??= _index.Options();
        using var index = new PackageIndex(options);
        return await new PackageResolver(await cells.Sandbox, index, options, TimeProvider.System).ResolveAsync(TenantId.New(), text, locked, Cancel);
    }

    private static Eddy.Tests.Sandbox.TestTenant WithPackages(RuleSandbox sandbox, PackageSet set, string rule)
    {
        var tenant = Eddy.Tests.Sandbox.TestTenant.WithRule(sandbox, rule);
        tenant.Tree = tenant.Tree with { Data = [.. set.Files.Select(file => new CellData("packages/" + file.Path, file.Content))] };
        return tenant;
    }

    private static string Pin(string project, string version) => $"{project}=={version} {project.Replace('-', '_')}-{version}-py3-none-any.whl sha256:";
}
