"""The standard library for cells, which can open no file: extension modules imported now, the others kept as code."""

import datetime
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import marshal
import os
import sys
import sysconfig
import zoneinfo

# Imported once in the zygote, because most tenants use them or because they are needed to start.
_COMMON = """
abc argparse array ast base64 binascii bisect calendar cmath codecs collections collections.abc colorsys configparser contextlib contextvars copy
csv dataclasses datetime decimal difflib dis email email.charset email.header email.message email.mime.multipart email.mime.text
email.parser email.policy email.utils enum fnmatch fractions functools gettext glob graphlib gzip hashlib heapq hmac html html.parser
http http.client http.cookies importlib.resources inspect io ipaddress itertools json keyword linecache locale logging math mimetypes
numbers operator pathlib pickle pprint queue quopri random re reprlib secrets select shlex shutil signal socket ssl statistics string
stringprep struct tempfile textwrap threading time timeit token tokenize traceback types typing unicodedata urllib.parse urllib.request uuid
warnings weakref xml.etree.ElementTree zipfile zlib zoneinfo _strptime concurrent.futures asyncio
encodings.ascii encodings.base64_codec encodings.cp1250 encodings.cp1252 encodings.cp437 encodings.hex_codec encodings.idna
encodings.iso8859_1 encodings.iso8859_15 encodings.latin_1 encodings.punycode encodings.raw_unicode_escape encodings.rot_13
encodings.unicode_escape encodings.utf_16 encodings.utf_16_be encodings.utf_16_le encodings.utf_32 encodings.utf_8_sig encodings.zlib_codec
""".split()

# Windows of a desktop, other people's tests, installers: nothing that a rule could use.
_SENSELESS = {
    "antigravity", "ensurepip", "idlelib", "lib2to3", "test", "this", "tkinter", "turtle", "turtledemo", "venv", "pydoc_data",
    "_tkinter", "readline", "nis", "ossaudiodev", "_dbm", "_gdbm", "_curses", "_curses_panel", "curses", "distutils", "site-packages", "dist-packages"}

_CODE = {}


class StandardLibrary(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports pure modules of the standard library from memory."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        kept = _CODE.get(name)
        return None if kept is None else importlib.machinery.ModuleSpec(
            name, StandardLibrary, origin=kept[1], is_package=kept[2])

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        code, origin, _ = _CODE[module.__name__]
        module.__file__ = origin
        exec(marshal.loads(code), module.__dict__)


def _keep(root):
    for folder, folders, files in os.walk(root):
        folders[:] = [one for one in folders if one not in _SENSELESS and one != "__pycache__" and one.isidentifier()]
        prefix = os.path.relpath(folder, root).replace(os.sep, ".") + "."
        prefix = "" if prefix == ".." else prefix
        for file in files:
            stem, dot, kind = file.partition(".")
            if kind != "py" or stem in _SENSELESS or not stem.isidentifier():
                continue
            package = stem == "__init__"
            name = prefix[:-1] if package else prefix + stem
            if not name or name in sys.modules:
                continue
            path = os.path.join(folder, file)
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
                    continue
            _CODE[name] = (code, path, package)


def load():
    """Imports and keeps the standard library; gives the time zones by name."""
    library = sysconfig.get_path("stdlib")
    for name in _COMMON:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    extensions = os.path.join(library, "lib-dynload")
    for file in sorted(os.listdir(extensions) if os.path.isdir(extensions) else ()):
        name = file.partition(".")[0]
        if name in _SENSELESS or name.startswith(("_test", "_xx", "xx")) or name == "_ctypes_test":
            continue
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    _keep(library)
    zones = {}
    for name in sorted(zoneinfo.available_timezones()):
        try:
            zones[name] = zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            continue
    zones.setdefault("UTC", datetime.timezone.utc)
    return zones


def close():
    """From now on nothing is imported from a disk."""
    sys.meta_path[:] = [StandardLibrary, importlib.machinery.BuiltinImporter, importlib.machinery.FrozenImporter]
    sys.path[:] = []
    sys.path_hooks[:] = []
    sys.path_importer_cache.clear()
