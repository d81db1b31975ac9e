"""The modules that every cell has though it can open no file: those with native code imported now, the others kept as code.

They are the standard library, Debian's packages of the table below, and what the operator preloads. Nothing here is a tenant's.
"""

import datetime
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import marshal
import mmap
import os
import platform
import posixpath
import sys
import sysconfig
import zoneinfo

import memory

DEBIAN = "/usr/lib/python3/dist-packages"

# Imported once in the zygote, because most tenants use them or because they are needed to start.
_COMMON = """
abc argparse array ast base64 binascii bisect calendar cmath codecs collections collections.abc colorsys configparser contextlib contextvars copy
csv dataclasses datetime decimal difflib dis email email.charset email.header email.message email.mime.multipart email.mime.text
email.parser email.policy email.utils enum fnmatch fractions functools gettext glob graphlib gzip hashlib heapq hmac html html.parser
http http.client http.cookies importlib.metadata importlib.resources inspect io ipaddress itertools json keyword linecache locale logging math mimetypes
numbers operator pathlib pickle pprint queue quopri random re reprlib secrets select shlex shutil signal socket ssl statistics string
stringprep struct tempfile textwrap threading time timeit token tokenize traceback types typing unicodedata urllib.parse urllib.request uuid
warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo _strptime concurrent.futures asyncio
encodings.ascii encodings.base64_codec encodings.cp1250 encodings.cp1252 encodings.cp437 encodings.hex_codec encodings.idna
encodings.iso8859_1 encodings.iso8859_15 encodings.latin_1 encodings.punycode encodings.raw_unicode_escape encodings.rot_13
encodings.unicode_escape encodings.utf_16 encodings.utf_16_be encodings.utf_16_le encodings.utf_32 encodings.utf_8_sig encodings.zlib_codec
""".split()

# Debian's packages that rules can import without asking, with what those need, and their modules.
PACKAGES = {
    "python3-requests": "requests", "python3-urllib3": "urllib3", "python3-idna": "idna", "python3-certifi": "certifi",
    "python3-chardet": "chardet", "python3-charset-normalizer": "charset_normalizer", "python3-httplib2": "httplib2",
    "python3-pyparsing": "pyparsing", "python3-dateutil": "dateutil", "python3-six": "six", "python3-tz": "pytz",
    "python3-yaml": "yaml _yaml", "python3-jinja2": "jinja2", "python3-markupsafe": "markupsafe", "python3-markdown": "markdown",
    "python3-bs4": "bs4", "python3-soupsieve": "soupsieve", "python3-passlib": "passlib", "python3-croniter": "croniter",
    # These resolve requirements.txt.
    "python3-packaging": "packaging", "python3-resolvelib": "resolvelib",
}

# Those of them that are imported, and not only kept: they have native code or read files while they are imported, or take long.
_READY = "requests yaml markupsafe charset_normalizer pytz dateutil.tz".split()

# What is left out, and why: one reason for a family.
_SENSELESS = {
    "there is no screen in a cell": "antigravity idlelib tkinter _tkinter turtle turtledemo",
    "there is no terminal in a cell": "curses _curses _curses_panel readline",
    "there is no sound in a cell": "ossaudiodev",
    "there are no files of other programs in a cell": "_dbm _gdbm",
    "a cell asks no directory of users": "nis",
    "packages come from requirements.txt": "distutils ensurepip lib2to3 venv",
    "it belongs to Windows": "_msi _overlapped _winapi msilib msvcrt nt winreg winsound asyncio.windows_events asyncio.windows_utils "
                             "encodings.mbcs encodings.oem multiprocessing.popen_spawn_win32",
    "it belongs to macOS": "_scproxy",
}
_WHY = {name: why for why, names in _SENSELESS.items() for name in names.split()}

# Other people's tests, and folders that are no modules.
_SKIPPED = {"__pycache__", "dist-packages", "site-packages", "test", "tests", "lib-dynload"}


class _Shelf:
    """
    Bytes that all cells read. They lie in a file without a name, mapped privately: a fork does not copy their page tables, as it does those of the heap, and
    what a cell might write there is its own copy.
    """

    def __init__(self):
        self.new = bytearray()
        self.kept = None

    def add(self, content):
        at = len(self.new)
        self.new += content
        return at, at + len(content)

    def take(self, place):
        at, end = place
        return memoryview(self.new if self.kept is None else self.kept)[at:end]

    def close(self):
        if not hasattr(os, "memfd_create"):
            return
        file = os.memfd_create("modules", os.MFD_CLOEXEC)
        with open(file, "wb", buffering=0) as out:
            out.write(self.new)
            self.kept = mmap.mmap(file, len(self.new), mmap.MAP_PRIVATE, mmap.PROT_READ)
        self.new = None


class _Kept(memory.Store):
    """Modules whose code is kept as marshal makes it, and those with native code as they were imported."""

    def __init__(self):
        super().__init__()
        self.code = {}
        self.native = {}

    def find_spec(self, name, path=None, target=None):
        if name in self.native:
            return importlib.machinery.ModuleSpec(name, _Native(self.native[name]), origin=getattr(self.native[name], "__file__", None))
        return super().find_spec(name, path, target)

    def get_code(self, name):
        return marshal.loads(SHELF.take(self.code[self._path(name)]))

    def get_source(self, name):
        return None  # which lies on the disk

    def get_data(self, path):
        place = self.files.get(posixpath.normpath(path))
        if place is None:
            raise FileNotFoundError(2, "There is no such file in memory", path)
        return bytes(SHELF.take(place))


class _Native(importlib.abc.Loader):
    """Gives a module with native code again, which can be loaded but once."""

    def __init__(self, module):
        self.module = module

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        pass


class Absent(importlib.abc.MetaPathFinder):
    """Says of a module that could have been expected why it is not there. The last of the finders."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        top = name.partition(".")[0]
        if name in _WHY or top in _WHY:
            why = _WHY.get(name) or _WHY[top]
            raise ModuleNotFoundError(f"{name} is not part of Eddy: {why}", name=name)
        for package, modules in PACKAGES.items():
            if top in modules.split() and top not in LIBRARY.modules and top not in OTHERS.modules:
                raise ModuleNotFoundError(f"{name} is not installed here: the operator lacks the Debian package {package}", name=name)
        if name in sys.stdlib_module_names:
            raise ModuleNotFoundError(f"{name} is not part of Eddy: the Python of this machine was built without it", name=name)
        return None


SHELF = _Shelf()
LIBRARY = _Kept()
OTHERS = _Kept()  # everything that is not of the standard library
ZONES = {}  # the files of time zones by name


def _keep(store, root, top=None):
    """Keeps the modules below a folder; those of one package or module of it where `top` names it."""
    start = root if top is None else os.path.join(root, top)
    if top is not None and os.path.isfile(start + ".py"):
        _keep_module(store, root, top + ".py")
        return True
    if not os.path.isdir(start):
        return False
    for folder, folders, files in os.walk(start):
        folders[:] = [one for one in folders if one not in _SKIPPED and "-" not in one and not (store is LIBRARY and one in _WHY and folder == root)]
        for file in files:
            path = os.path.relpath(os.path.join(folder, file), root)
            if file.endswith(".py"):
                _keep_module(store, root, path)
            elif store is OTHERS and not file.endswith((".so", ".pyc", ".pyi")):
                try:
                    with open(os.path.join(root, path), "rb") as data:
                        store.add_file(os.path.join(root, path), SHELF.add(data.read()))
                except OSError:
                    continue
    return True


def _keep_module(store, root, relative):
    name = relative[:-len(".py")].replace(os.sep, ".")
    package = name.endswith(".__init__")
    if package:
        name = name[:-len(".__init__")]
    if name in _WHY and store is LIBRARY:
        return
    path = os.path.join(root, relative)
    try:
        with open(importlib.util.cache_from_source(path), "rb") as cached:
            code = cached.read()
        if code[:4] != importlib.util.MAGIC_NUMBER:
            raise OSError
        code = code[16:]
    except OSError:
        try:
            with open(path, "rb") as source:
                code = marshal.dumps(compile(source.read(), path, "exec", dont_inherit=True))
        except (OSError, SyntaxError, ValueError):
            return
    store.code[path] = SHELF.add(code)
    store.add_module(name, path, os.path.dirname(path) if package else None)


def _keep_native(store, root, top):
    """Imports all native code of a package."""
    for folder, folders, files in os.walk(os.path.join(root, top)):
        folders[:] = [one for one in folders if one not in _SKIPPED]
        for file in files:
            stem = file.partition(".")[0]
            if file.endswith(".so") and not stem.startswith("_test"):
                _import(os.path.relpath(os.path.join(folder, stem), root).replace(os.sep, "."))


def _import(name):
    try:
        importlib.import_module(name)
        return True
    except ImportError:
        return False


def _keep_distributions(root, tops):
    """Keeps what importlib.metadata tells of the packages with these modules."""
    for folder in sorted(os.listdir(root) if os.path.isdir(root) else ()):
        if not folder.endswith((".dist-info", ".egg-info")) or not os.path.isdir(os.path.join(root, folder)):
            continue
        texts = {}
        for name in ("METADATA", "PKG-INFO", "requires.txt", "entry_points.txt", "top_level.txt", "RECORD"):
            try:
                with open(os.path.join(root, folder, name), "rb") as file:
                    texts[name] = file.read()
            except OSError:
                continue
        names = set(texts.get("top_level.txt", b"").decode().split())
        names = names or {line.partition("/")[0].partition(".")[0] for line in texts.pop("RECORD", b"").decode().splitlines()}
        if names & tops or memory.normal(folder.partition("-")[0]).replace("-", "_") in tops:
            texts.pop("RECORD", None)
            for name, text in texts.items():
                OTHERS.add_file(posixpath.join(root, folder, name), SHELF.add(text))
            OTHERS.distributions.append(posixpath.join(root, folder))


def _load_library():
    library = sysconfig.get_path("stdlib")
    for name in _COMMON:
        _import(name)
    extensions = os.path.join(library, "lib-dynload")
    for file in sorted(os.listdir(extensions) if os.path.isdir(extensions) else ()):
        name = file.partition(".")[0]
        if name not in _WHY and not name.startswith(("_test", "_xx", "xx")) and name != "_ctypes_test":
            _import(name)
    _keep(LIBRARY, library)


def _load_packages(preload):
    """Debian's packages and the operator's modules; gives a sentence for each that is not there."""
    missing = []
    tops = set()
    sys.path.append(DEBIAN)
    for package, modules in PACKAGES.items():
        found = [_keep(OTHERS, DEBIAN, module) for module in modules.split()]
        if found[0]:
            tops.update(modules.split())
        else:
            missing.append(f"Rules can not import {modules.partition(' ')[0]}: the Debian package {package} is not installed.")
    for name in _READY:
        if name.partition(".")[0] in tops:
            _import(name)
    for name in preload:
        try:
            module = importlib.import_module(name)
        except Exception as error:
            missing.append(f"Sandbox:Preload names {name}, which can not be imported: {type(error).__name__}: {error}.")
            continue
        file = getattr(sys.modules[name.partition(".")[0]], "__file__", None)
        top = name.partition(".")[0]
        if file is None or top in sys.stdlib_module_names:
            continue
        root = os.path.dirname(os.path.dirname(file) if hasattr(sys.modules[top], "__path__") else file)
        _keep(OTHERS, root, top)
        _keep_native(OTHERS, root, top)
        _keep_distributions(root, {top} - tops)
        tops.add(top)
    _keep_distributions(DEBIAN, tops)
    return missing


def _load_zones():
    zones = {}
    for name in sorted(zoneinfo.available_timezones()):
        try:
            zones[name] = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
    zones.setdefault("UTC", datetime.timezone.utc)
    same = {}
    for folder in zoneinfo.TZPATH:
        for name in (*zones, "zone.tab", "zone1970.tab", "iso3166.tab", "tzdata.zi"):
            try:
                with open(os.path.join(folder, name), "rb") as file:
                    text = file.read()
                if text not in same:
                    same[text] = SHELF.add(text)
                ZONES.setdefault(name, same[text])
            except OSError:
                continue
    zoneinfo.available_timezones = lambda: set(zones)
    return zones


def zone_file(name):
    """The file of a time zone, or a table of them, from memory; None where there is none of this name."""
    return io.BytesIO(SHELF.take(ZONES[name])) if name in ZONES else None


def _mend():
    """Gives time zones from memory to the packages that would read them from a disk."""
    if (pytz := sys.modules.get("pytz")) is not None:
        def open_resource(name):
            if (file := zone_file(name)) is None:
                raise FileNotFoundError(2, "There is no such time zone", name)
            return file

        pytz.open_resource = open_resource
        pytz.resource_exists = ZONES.__contains__
    if (tz := sys.modules.get("dateutil.tz")) is not None:
        look = tz.gettz.nocache

        def nocache(name=None):
            wanted = name or os.environ.get("TZ")
            file = zone_file(wanted.lstrip(":")) if isinstance(wanted, str) and not wanted.endswith((".tab", ".zi")) else None
            return look(name) if file is None else tz.tzfile(file, filename=wanted.lstrip(":"))

        tz.gettz.nocache = nocache
    # A cell may not ask the system what it is; its name and version are nobody's business.
    platform._uname_cache = platform.uname_result("Linux", "cell", "", "", os.uname().machine)


def load(preload=()):
    """Imports and keeps all modules; gives the time zones by name, and what is missing as sentences for the operator."""
    _load_library()
    zones = _load_zones()
    # Libraries for numbers start threads by default, which no fork would survive.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    missing = _load_packages(preload)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        del os.environ[name]
    _mend()
    return zones, missing


def close():
    """From now on nothing is imported from a disk."""
    for name, module in sys.modules.items():
        if isinstance(getattr(module, "__loader__", None), importlib.machinery.ExtensionFileLoader):
            (LIBRARY if name.partition(".")[0] in sys.stdlib_module_names else OTHERS).native[name] = module
    for name, module in sys.modules.items():
        if name in LIBRARY.modules or name in OTHERS.modules:
            # What is imported already is found again as what is not.
            store = LIBRARY if name in LIBRARY.modules else OTHERS
            module.__loader__ = store
            if getattr(module, "__spec__", None) is not None:
                module.__spec__.loader = store
    sys.meta_path[:] = [LIBRARY, importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter, OTHERS, Absent]
    sys.path[:] = []
    SHELF.close()
    memory.walk()
