using System.Text.Json;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>What a real cell can import, though it can open no file.</summary>
public sealed class ModuleTests(CellFixture cells) : IAsyncDisposable
{
    private RuleSandbox? _roomy;

    public ValueTask DisposeAsync() => _roomy?.DisposeAsync() ?? ValueTask.CompletedTask;

    [Fact]
    public async Task Every_module_of_the_standard_library_is_imported_or_says_why_it_is_not_there()
    {
        var (code, names) = await ZygoteService.PythonAsync("""
            import json, os, sys, sysconfig
            root = sysconfig.get_path("stdlib")
            names = set(sys.stdlib_module_names)
            for folder, folders, files in os.walk(root):
                folders[:] = [one for one in folders if one.isidentifier() and one not in ("test", "tests", "__pycache__")]
                for file in files:
                    name = os.path.relpath(os.path.join(folder, file), root)[:-3].replace("/", ".").removesuffix(".__init__")
                    # What has __main__ in its name is a program and runs when it is imported.
                    if file.endswith(".py") and "__main__" not in name and all(part.isidentifier() for part in name.split(".")):
                        names.add(name)
            print(json.dumps(sorted(names)))
            """);
        code.ShouldBe(0);
        names.ShouldContain("\"xml.dom.minidom\"");

        var missing = await OutAsync($$"""
            import importlib
            missing = {}
            for name in {{names.Trim()}}:
                try:
                    importlib.import_module(name)
                except BaseException as error:
                    missing[name] = f"{type(error).__name__}: {error}"
            out = missing
            """, await RoomyAsync());

        var told = missing.EnumerateObject().ToDictionary(one => one.Name, one => one.Value.GetString()!);
        told.Where(one => !one.Value.Contains(" is not part of Eddy: ", StringComparison.Ordinal)).ShouldBeEmpty();
        told["tkinter"].ShouldBe("ModuleNotFoundError: tkinter is not part of Eddy: there is no screen in a cell");
        told.ShouldContainKey("curses");
        told.ShouldNotContainKey("multiprocessing.pool");
        told.Count.ShouldBeLessThan(300);
    }

    [Fact]
    public async Task Every_codec_works()
    {
        var without = await OutAsync("""
            import codecs, encodings, pkgutil
            out = []
            for module in pkgutil.iter_modules(encodings.__path__):
                if module.name in ("aliases", "mbcs", "oem", "undefined"):
                    continue
                codec = codecs.lookup(module.name)
                text = "aZ09" if codec._is_text_encoding else ("aZ" if module.name == "rot_13" else b"aZ09")
                if codec.decode(codec.encode(text)[0])[0] != text:
                    out.append(module.name)
            out.append(len(encodings._cache) > 100)
            """, await RoomyAsync());

        without.GetRawText().ShouldBe("[true]");
    }

    [Theory]
    [InlineData("import requests; out = requests.Request('GET', 'http://a/', params={'b': 1}).prepare().url", "http://a/?b=1")]
    [InlineData("from httplib2.iri2uri import iri2uri; out = iri2uri('http://ü.de/')", "http://xn--tda.de/")]
    [InlineData("from dateutil import parser, tz; out = parser.parse('1 Jul 2026 10:00').replace(tzinfo=tz.gettz('Europe/Berlin')).isoformat()", "2026-07-01T10:00:00+02:00")]
    [InlineData("from dateutil import tz; import datetime; out = datetime.datetime(2026, 1, 1, tzinfo=tz.gettz()).isoformat()", "2026-01-01T00:00:00+01:00")]
    [InlineData("import pytz, datetime; out = pytz.timezone('Europe/Berlin').localize(datetime.datetime(2026, 7, 1)).isoformat()", "2026-07-01T00:00:00+02:00")]
    [InlineData("import pytz; out = pytz.country_timezones('nz')[0]", "Pacific/Auckland")]
    [InlineData("import zoneinfo; out = str('Europe/Berlin' in zoneinfo.available_timezones())", "True")]
    [InlineData("import yaml; out = yaml.load('a: [1, 2]', Loader=yaml.CSafeLoader)['a'].__repr__()", "[1, 2]")]
    [InlineData("import jinja2; out = jinja2.Template('{{ a|upper }}').render(a='x<')", "X<")]
    [InlineData("import markdown; out = markdown.markdown('|a|\\n|-|\\n|b|', extensions=['tables'])[:7]", "<table>")]
    [InlineData("import bs4; out = bs4.BeautifulSoup('<p class=x>a<b>c', 'html.parser').select_one('p.x b').text", "c")]
    [InlineData("from passlib.hash import sha512_crypt; out = str(sha512_crypt.verify('a', sha512_crypt.using(rounds=1000).hash('a')))", "True")]
    [InlineData("import croniter, datetime; out = croniter.croniter('0 9 * * 1', datetime.datetime(2026, 11, 23, 10)).get_next(datetime.datetime).isoformat()", "2026-11-30T09:00:00")]
    [InlineData("import certifi, charset_normalizer, idna, six, urllib3; out = idna.encode('ü.de').decode()", "xn--tda.de")]
    [InlineData("import importlib.metadata as m; out = m.metadata('requests')['Name']", "requests")]
    [InlineData("import importlib.resources as r; out = (r.files('passlib') / '_data' / 'wordsets' / 'eff_short.txt').read_text().split()[0]", "acid")]
    [InlineData("import pkgutil; out = pkgutil.get_data('passlib', '_data/wordsets/eff_short.txt').decode().split()[0]", "acid")]
    [InlineData("import pkgutil, email; out = str([m.name for m in pkgutil.walk_packages(email.__path__, 'email.') if m.ispkg])", "['email.mime']")]
    [InlineData("import importlib, json, yaml, sys; del sys.modules['_json']; importlib.reload(json); out = importlib.reload(yaml).dump(1)", "1\n...\n")]
    [InlineData("import sysconfig, platform; out = platform.system() + str(sysconfig.get_config_var('Py_DEBUG')) + platform.node()", "Linux0cell")]
    public async Task What_is_there_without_asking_works(string text, string expected) => (await OutAsync(text)).GetString().ShouldBe(expected);

    [Fact]
    public async Task A_package_in_the_libraries_has_relative_imports_data_and_reloads()
    {
        var tenant = new TestTenant(
            await cells.Sandbox,
            ("libraries/mypkg/__init__.py", "from .sub import deep\nfrom . import sub\n"),
            ("libraries/mypkg/sub/__init__.py", "from ..other import value as deep\n"),
            ("libraries/mypkg/other.py", "count = globals().get('count', 0) + 1\nvalue = 'deep'\n"),
            ("scripts/rule.py", """
                import importlib, importlib.resources, pkgutil
                import mypkg, libraries.mypkg.sub
                from libraries.mypkg import other
                class rule(Rule):
                    listens_to = ["go"]
                    def action(self):
                        self.same = mypkg.sub is libraries.mypkg.sub
                        self.deep = mypkg.deep
                        self.read = json.loads(importlib.resources.files("mypkg").joinpath("data/a.json").read_text())
                        self.bytes = list(pkgutil.get_data("mypkg", "data/b.bin"))
                        self.names = sorted(one.name for one in importlib.resources.files("libraries.mypkg").iterdir())
                        self.modules = [one.name for one in pkgutil.iter_modules(mypkg.__path__)]
                        self.count = importlib.reload(other).count
                """));
        tenant.Tree = tenant.Tree with { Data = [new("libraries/mypkg/data/a.json", "{\"a\": 1}"u8.ToArray()), new("libraries/mypkg/data/b.bin", [0, 255, 10])] };

        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();
        (await tenant.OneRunAsync(1, ("go", "1"))).Error.ShouldBeNull();

        string?[] found = [.. new[] { "same", "deep", "read", "bytes", "names", "modules", "count" }.Select(key => tenant.Kvp(1, key))];
        found.ShouldBe(["true", "\"deep\"", "{\"a\":1}", "[0,255,10]", "[\"__init__.py\",\"data\",\"other.py\",\"sub\"]", "[\"other\",\"sub\"]", "2"]);
    }

    [Fact]
    public async Task What_the_tenant_brings_goes_before_what_is_there_for_all()
    {
        var tenant = new TestTenant(
            await cells.Sandbox,
            ("libraries/markupsafe.py", "from html import escape as _escape\nclass Markup(str): pass\ndef escape(x): return Markup(_escape(str(x)))\nsoft_str = str\nmine = True\n"),
            ("scripts/rule.py", """
                import jinja2, markupsafe, requests, yaml
                class rule(Rule):
                    listens_to = ["go"]
                    def action(self):
                        self.mine = markupsafe.mine
                        self.used = jinja2.utils.markupsafe is markupsafe
                        self.native = yaml.dump([1], Dumper=yaml.CDumper)
                """));

        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();
        (await tenant.OneRunAsync(1, ("go", "1"))).Error.ShouldBeNull();

        (tenant.Kvp(1, "mine"), tenant.Kvp(1, "used"), tenant.Kvp(1, "native")).ShouldBe(("true", "true", "\"- 1\\n\""));
    }

    [Fact]
    public async Task What_a_file_prints_while_it_loads_is_in_the_log_of_the_load()
    {
        var tenant = new TestTenant(
            await cells.Sandbox, ("scripts/a.py", "print('loading a')\n1 / 0\n"), ("scripts/b.py", "x = 1\n"), ("scripts/c.py", "import talks\n"), ("libraries/talks.py", "log.info('hello')\n"));

        (await tenant.LoadAsync()).Logs.ShouldBe([new LoadLog("scripts/a.py", "loading a\n"), new LoadLog("scripts/c.py", "INFO hello\n")]);
    }

    [Fact]
    public async Task A_module_with_native_code_is_there_if_the_operator_preloads_it_and_a_wrong_name_is_told()
    {
        var options = CellFixture.Limits();
        options.Preload = "msgpack, nothing_of_this_name";
        await using var sandbox = await CellFixture.StartAsync(options);

        sandbox.Health.Ready.ShouldBeTrue(sandbox.Health.Reason);
        sandbox.Health.Warnings.ShouldHaveSingleItem().ShouldContain("Sandbox:Preload names nothing_of_this_name, which can not be imported: ModuleNotFoundError");
        (await OutAsync("import msgpack, msgpack._cmsgpack; out = [msgpack.unpackb(msgpack.packb([1])), msgpack.Packer is msgpack._cmsgpack.Packer]", sandbox)).GetRawText().ShouldBe("[[1],true]");
        (await OutAsync("""
            try:
                import msgpack
            except ImportError as error:
                out = str(error)
            """)).GetString().ShouldBe("No module named 'msgpack'");
    }

    [Theory]
    [InlineData("numpy;")]
    [InlineData("../x")]
    [InlineData("-c")]
    public void A_name_that_no_module_has_is_no_setting(string names) => new SandboxOptions { Preload = names }.Faults().ShouldHaveSingleItem().ShouldContain("Preload has");

    [Fact]
    public async Task Where_the_system_lacks_a_package_the_rest_is_there_and_its_import_names_the_package()
    {
        var (code, output) = await ZygoteService.PythonAsync("""
            import platform_modules
            platform_modules.DEBIAN = "/nowhere"
            _, missing = platform_modules.load()
            platform_modules.close()
            print([one for one in missing if "yaml" in one])
            try:
                import yaml
            except ImportError as error:
                print(error)
            import xml.dom.minidom
            """);

        (code, output).ShouldBe((0, "['Rules can not import yaml: the Debian package python3-yaml is not installed.']\nyaml is not installed here: the operator lacks the Debian package python3-yaml\n"));
    }

    [Fact]
    public async Task No_cell_can_change_what_the_others_import()
    {
        var sandbox = await cells.Sandbox;
        await OutAsync("""
            import ctypes, sys
            kept = next(one for one in sys.meta_path if hasattr(one, "code"))
            shelf = type(kept).get_code.__globals__["SHELF"]
            class Buffer(ctypes.Structure):
                _fields_ = [("buf", ctypes.c_void_p), ("obj", ctypes.py_object), ("len", ctypes.c_ssize_t), ("itemsize", ctypes.c_ssize_t), ("readonly", ctypes.c_int),
                            ("ndim", ctypes.c_int), ("format", ctypes.c_char_p), ("shape", ctypes.c_void_p), ("strides", ctypes.c_void_p), ("suboffsets", ctypes.c_void_p), ("internal", ctypes.c_void_p)]
            buffer = Buffer()
            ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(shelf.kept), ctypes.byref(buffer), 0)
            page = buffer.buf & ~4095
            out = ctypes.CDLL(None).mprotect(ctypes.c_void_p(page), ctypes.c_size_t(buffer.len), 3)
            ctypes.memset(page, 65, buffer.len)
            out = [out, bytes(shelf.take((0, 4))).decode()]
            """, expect: """[0,"AAAA"]""");

        (await OutAsync("import colorsys, wave, bs4; out = bs4.__name__", sandbox)).GetString().ShouldBe("bs4");
    }

    /// <summary>Importing everything takes longer than the small limits of the other tests.</summary>
    private async Task<RuleSandbox> RoomyAsync()
    {
        var options = CellFixture.Limits();
        (options.CpuTime, options.MemoryMiB) = (TimeSpan.FromSeconds(20), 128);
        return _roomy = await CellFixture.StartAsync(options);
    }

    /// <summary>What `out` is after these lines, in a fresh tenant's rule.</summary>
    private async Task<JsonElement> OutAsync(string text, RuleSandbox? sandbox = null, string? expect = null)
    {
        var rule = $"class rule(Rule):\n    listens_to = ['go']\n    def action(self):\n        text = {JsonSerializer.Serialize(text)}\n        names = {{}}\n        exec(text, names)\n        self.out = names['out']\n";
        var tenant = TestTenant.WithRule(sandbox ?? await cells.Sandbox, rule);
        (await tenant.LoadAsync()).Errors.ShouldBeEmpty();
        var run = await tenant.OneRunAsync(1, ("go", "1"));
        run.Error.ShouldBeNull();
        if (expect is not null)
        {
            tenant.Kvp(1, "out").ShouldBe(expect);
        }

        return JsonDocument.Parse(tenant.Kvp(1, "out")!).RootElement;
    }
}
