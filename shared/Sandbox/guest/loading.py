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
import memory
import platform_modules
import settings
import witness
from rules import NebriOS, Retry, Rule, parse_datetime
from settings import RuleError
from values import check_key

# The builtins of every tenant file; those of a run are set in it before each.
NAMES = dict(
    builtins.__dict__, datetime=datetime, date=date, time=time, timedelta=timedelta, timezone=timezone,
    parse_datetime=parse_datetime, json=json, re=re, math=math, random=random, Rule=Rule, NebriOS=NebriOS, Retry=Retry)

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
    return code_of(path, text)


def code_of(path, text):
    """As Python itself reads the file."""
    remember(path, text)
    tree = witness.tree_of(path, text) if witness.is_on else None
    return compile(text if tree is None else tree, path, "exec", dont_inherit=True)


class Libraries(memory.Store):
    """Imports the files under libraries/ by their own name and as libraries.name, and those under api/ as api.name and by their own name where nothing else has it: one module either way."""

    def add(self, path, text):
        parts = path[:-len(".py")].split("/")
        package = parts[-1] == "__init__"
        if package:
            parts = parts[:-1]
        if parts[0] == "libraries":
            parts = parts[1:]
        if parts:
            self.add_module(".".join(parts), path, path.rpartition("/")[0] if package else None)
        self.add_file(path, text.encode())
        remember(path, text)

    def find_spec(self, name, path=None, target=None):
        if name == "libraries":
            spec = importlib.machinery.ModuleSpec(name, self, is_package=True)
            spec.submodule_search_locations.append(name)
            return spec
        if name.startswith("libraries."):
            real = name[len("libraries."):]
            return importlib.machinery.ModuleSpec(name, _Alias(real)) if real in self.modules else None
        if name not in self.modules and "api." + name in self.modules and name.partition(".")[0] not in sys.stdlib_module_names:
            return importlib.machinery.ModuleSpec(name, _Alias("api." + name))
        return super().find_spec(name, path, target)

    def exec_module(self, module):
        path = self.modules.get(module.__name__, (None,))[0]
        if path is not None:
            module.__builtins__ = NAMES
            exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name):
        path = self._path(name)
        return compile_file(path, failures.FILES[path])


class Packages(memory.Store):
    """The packages of the tenant's requirements.txt. As anywhere, they do not replace the standard library; they do replace the platform's packages."""

    def add(self, path, content):
        self.add_file(path, content)
        _, top, *rest = path.split("/")
        if path.endswith(".py"):
            parts = [top, *rest]
            if parts[0].removesuffix(".py") in sys.stdlib_module_names:
                return
            package = parts[-1] == "__init__.py"
            name = ".".join(parts[:-1] if package else [*parts[:-1], parts[-1][:-len(".py")]])
            if name:
                self.add_module(name, path, path.rpartition("/")[0] if package else None)
        elif top.endswith(".dist-info") and rest == ["METADATA"]:
            self.distributions.append(f"packages/{top}")


def hide_platform(*stores):
    """What the tenant brings goes before the platform's own modules of that name, and is what those find that are imported again."""
    if not any(store.modules for store in stores):
        return
    brought = {name.partition(".")[0] for store in stores for name in store.modules} - {"builtins", "sys", "__main__"}
    if not brought:
        return
    others = platform_modules.OTHERS
    if any(name in others.modules for name in brought):
        # Native code can be loaded but once, and goes on with the modules that it knows.
        brought.update({name.partition(".")[0] for name in others.modules} - {name.partition(".")[0] for name in others.native})
    for name in list(sys.modules):
        if name.partition(".")[0] in brought:
            del sys.modules[name]


class _Alias(importlib.abc.Loader):
    def __init__(self, real):
        self.real = real

    def create_module(self, spec):
        module = importlib.import_module(self.real)
        self.spec = module.__spec__
        return module

    def exec_module(self, module):
        module.__spec__ = self.spec


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
        prefix = next((prefix for prefix in ("shared.", "child.", "parent.") if entry.startswith(prefix)), "")
        try:
            check_key(entry[len(prefix):])
        except ValueError as error:
            raise RuleError(f"listens_to of {name}: {error}") from None
        if entry not in keys:
            keys.append(entry)
    return keys


def load_script(path, text):
    """Runs a script's body; gives its rules as a list of (id, class, keys, settings for the host), in the order of the file."""
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
                settings.required(key, value)
                found.append((f"{path}:{key}", value, keys, [settings.holds(key, value), settings.flow(key, value), settings.schedule(key, value)]))
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
