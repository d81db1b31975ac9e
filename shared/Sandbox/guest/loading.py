"""A tenant's files: how they are imported from memory, and what is found in them."""

import ast
import builtins
import importlib
import importlib.abc
import importlib.machinery
import json
import linecache
import math
import random
import re
import sys
import types
from datetime import date, datetime, time, timedelta, timezone

import failures
from rules import NebriOS, Rule, parse_datetime
from values import check_key

# The builtins of every tenant file; those of a run are set in it before each.
NAMES = dict(
    builtins.__dict__, datetime=datetime, date=date, time=time, timedelta=timedelta, timezone=timezone,
    parse_datetime=parse_datetime, json=json, re=re, math=math, random=random, Rule=Rule, NebriOS=NebriOS)

_SLIP = re.compile(r"listens_to\s*==")


def remember(path, text):
    failures.FILES[path] = text
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)


def forget(path):
    del failures.FILES[path], linecache.cache[path]


def compile_file(path, text):
    """The code of a tenant's file. Raises what Python raises, and a SyntaxError for `listens_to == …`."""
    remember(path, text)
    if _SLIP.search(text):
        for node in ast.walk(ast.parse(text, path)):
            if isinstance(node, ast.ClassDef):
                for line in node.body:
                    if (isinstance(line, ast.Expr) and isinstance(line.value, ast.Compare)
                            and isinstance(line.value.left, ast.Name) and line.value.left.id == "listens_to"):
                        raise SyntaxError(
                            "listens_to == [...] compares and sets nothing; write listens_to = [...]",
                            (path, line.lineno, line.col_offset + 1, text.splitlines()[line.lineno - 1]))
    return compile(text, path, "exec", dont_inherit=True)


class Libraries(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the files under libraries/ by their own name and as libraries.name, one module either way."""

    def __init__(self):
        self.modules = {}

    def add(self, path, text):
        parts = path[len("libraries/"):-len(".py")].split("/")
        package = parts[-1] == "__init__"
        if package:
            parts = parts[:-1]
        if parts:
            self.modules[".".join(parts)] = (path, text, package)
            # A folder without __init__.py is a package too.
            for count in range(1, len(parts)):
                self.modules.setdefault(".".join(parts[:count]), (None, "", True))
        remember(path, text)

    def hide_platform(self):
        """What the tenant brings goes before the platform's own modules of that name."""
        if not self.modules:
            return  # to look at every name would copy the pages in which they lie
        for name in list(sys.modules):
            if name.partition(".")[0] in self.modules and name.partition(".")[0] not in ("builtins", "sys", "__main__"):
                del sys.modules[name]

    def find_spec(self, name, path=None, target=None):
        if name == "libraries":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        if name.startswith("libraries."):
            real = name[len("libraries."):]
            return importlib.machinery.ModuleSpec(name, _Alias(real)) if real in self.modules else None
        found = self.modules.get(name)
        if found is None:
            return None
        return importlib.machinery.ModuleSpec(name, self, origin=found[0], is_package=found[2])

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        path, text, _ = self.modules.get(module.__name__, (None, "", True))
        if path is None:
            return
        module.__file__ = path
        module.__builtins__ = NAMES
        exec(compile_file(path, text), module.__dict__)

    def get_source(self, name):
        return self.modules[name][1]


class _Alias(importlib.abc.Loader):
    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        module = importlib.import_module(self.real)
        self.spec = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = self.spec


class RuleError(Exception):
    """A rule class that can not be in force."""


def listened(name, cls):
    """The keys that a rule listens to; None if the class is no rule. Raises a RuleError that explains."""
    entries = getattr(cls, "listens_to", None)
    if entries is None:
        if getattr(cls, "schedule", None) is not None:
            return []
        if cls.__subclasses__() or cls.check is Rule.check and cls.action is Rule.action:
            return None
        raise RuleError(f'{name} has no listens_to, so nothing would ever wake it; write listens_to = ["key"] in the class')
    if isinstance(entries, str):
        raise RuleError(f"listens_to of {name} is text and must be a list; write listens_to = [{entries!r}]")
    if not isinstance(entries, (list, tuple, set, frozenset)):
        raise RuleError(f"listens_to of {name} must be a list of keys, and it is a {type(entries).__name__}")
    keys = []
    for entry in sorted(entries) if isinstance(entries, (set, frozenset)) else entries:
        if not isinstance(entry, str):
            raise RuleError(f"listens_to of {name} has {entry!r}, which is no text")
        entry = str(entry)
        if entry.startswith(("child.", "parent.")):
            raise RuleError(f"listens_to of {name} has {entry!r}: waking by the processes above or below is not yet available")
        try:
            check_key(entry[len("shared."):] if entry.startswith("shared.") else entry)
        except ValueError as error:
            raise RuleError(f"listens_to of {name}: {error}") from None
        if entry not in keys:
            keys.append(entry)
    return keys


def load_script(path, text):
    """Runs a script's body; gives its rules as a list of (id, class, keys), in the order of the file."""
    name = "scripts." + path[len("scripts/"):-len(".py")].replace("/", ".")
    code = compile_file(path, text)
    module = types.ModuleType(name)
    module.__file__ = path
    module.__builtins__ = NAMES
    sys.modules[name] = module
    exec(code, module.__dict__)
    found = []
    seen = set()
    for key, value in list(module.__dict__.items()):
        if isinstance(value, type) and issubclass(value, Rule) and value.__module__ == name and value not in seen:
            seen.add(value)
            keys = listened(key, value)
            if keys is not None:
                found.append((f"{path}:{key}", value, keys))
    return found


def explain(path, error):
    """A load error as (file, line, column, message, traceback)."""
    kind, text, file, line, column, told = failures.describe(error)
    if isinstance(error, RuleError):
        return path, None, None, text, None
    if isinstance(error, SyntaxError) and file == path:
        return path, line, column, text, None
    if isinstance(error, NameError) and getattr(error, "name", None) == "listens_to":
        text += "; write listens_to = [...] with one equals sign"
    inside = [at for at in _lines(error) if at[0] == path]
    return path, inside[-1][1] if inside else None, None, f"{kind}: {text}", told


def _lines(error):
    at = error.__traceback__
    while at is not None:
        yield at.tb_frame.f_code.co_filename, at.tb_lineno
        at = at.tb_next
