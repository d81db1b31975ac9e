"""Modules, data and distributions that lie in memory: they are imported, read and found as if they were installed."""

import importlib.abc
import importlib.machinery
import importlib.metadata
import importlib.util
import io
import posixpath
import sys

try:
    from importlib.resources.abc import Traversable, TraversableResources
except ImportError:
    from importlib.abc import Traversable, TraversableResources


class Place(Traversable):
    """A file or folder in memory, as importlib.resources gives it."""

    def __init__(self, store, path):
        self._store = store
        self._path = path

    @property
    def name(self):
        return posixpath.basename(self._path)

    def is_dir(self):
        return self._path in self._store.folders

    def is_file(self):
        return self._path in self._store.files

    def iterdir(self):
        return (Place(self._store, f"{self._path}/{name}") for name in sorted(self._store.folders.get(self._path, ())))

    def joinpath(self, *names):
        path = posixpath.normpath(posixpath.join(self._path, *map(str, names)))
        return Place(self._store, path)

    def __truediv__(self, name):
        return self.joinpath(name)

    def open(self, mode="r", *arguments, **settings):
        if mode not in ("r", "rt", "rb"):
            raise PermissionError(f"{self._path} can be read and not written")
        content = io.BytesIO(self._store.get_data(self._path))
        return content if mode == "rb" else io.TextIOWrapper(content, *arguments, **settings)

    def __str__(self):
        return self._path

    def __repr__(self):
        return f"Place({self._path!r})"


class _Resources(TraversableResources):
    def __init__(self, place):
        self._place = place

    def files(self):
        return self._place


class _Distribution(importlib.metadata.Distribution):
    def __init__(self, store, folder):
        self._place = Place(store, folder)

    def read_text(self, filename):
        for name in (filename, "PKG-INFO") if filename == "METADATA" else (filename,):
            if (found := self._place / name).is_file():
                return found.read_text(encoding="utf-8")
        return None

    def locate_file(self, path):
        return self._place / ".." / str(path)


class Store(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Modules by name and files by path; finder, loader and, for pkgutil, importer of them all."""

    def __init__(self):
        self.modules = {}  # name: (path or None for a folder without __init__.py, folder of a package or None)
        self.files = {}
        self.folders = {}  # path: names of what is in it
        self.distributions = []  # folders

    def add_file(self, path, content):
        self.files[path] = content
        while "/" in path:
            folder, name = posixpath.split(path)
            inside = self.folders.setdefault(folder, set())
            if name in inside or folder == "/":
                return
            inside.add(name)
            path = folder

    def add_module(self, name, path, folder):
        self.modules[name] = (path, folder)
        # A folder without __init__.py is a package too.
        while "." in name:
            name = name.rpartition(".")[0]
            path = posixpath.dirname(path if folder is None else folder)
            folder = path
            if name in self.modules:
                return
            self.modules[name] = (None, folder)

    def find_spec(self, name, path=None, target=None):
        found = self.modules.get(name)
        if found is None:
            return None
        path, folder = found
        spec = importlib.machinery.ModuleSpec(name, self, origin=path, is_package=folder is not None)
        if folder is not None:
            spec.submodule_search_locations.append(folder)
        spec.has_location = path is not None
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        if self.modules[module.__name__][0] is not None:
            exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name):
        path = self._path(name)
        return compile(self.files[path], path, "exec", dont_inherit=True)

    def get_source(self, name):
        return importlib.util.decode_source(self.files[self._path(name)])

    def get_filename(self, name):
        return self._path(name)

    def is_package(self, name):
        if name not in self.modules:
            raise ImportError(f"{name} is not here", name=name)
        return self.modules[name][1] is not None

    def get_data(self, path):
        content = self.files.get(posixpath.normpath(path))
        if content is None:
            raise FileNotFoundError(2, "There is no such file in memory", path)
        return content

    def get_resource_reader(self, name):
        folder = self.modules[name][1]
        return None if folder is None else _Resources(Place(self, folder))

    def find_distributions(self, context=None):
        wanted = normal(context.name) if context is not None and context.name else None
        for folder in self.distributions:
            if wanted is None or normal(posixpath.basename(folder).partition("-")[0]) == wanted:
                yield _Distribution(self, folder)

    def _path(self, name):
        path = self.modules.get(name, (None,))[0]
        if path is None:
            raise ImportError(f"{name} has no code", name=name)
        return path


class Walker:
    """What pkgutil asks which modules a folder has."""

    def __init__(self, stores, folder):
        self.stores = stores
        self.folder = folder

    def iter_modules(self, prefix=""):
        for name in sorted(self._names()):
            yield prefix + name.rpartition(".")[2], any(store.modules.get(name, (None, None))[1] is not None for store in self.stores)

    def _names(self):
        for store in self.stores:
            for name, (path, folder) in store.modules.items():
                if posixpath.dirname(folder or path) == self.folder:
                    yield name


def walk():
    """From now on pkgutil finds the modules of all stores that are asked for modules."""
    def hook(folder):
        stores = [one for one in sys.meta_path if isinstance(one, Store)]
        if any(posixpath.dirname(found[1] or found[0]) == folder or found[1] == folder for store in stores for found in store.modules.values()):
            return Walker(stores, folder)
        raise ImportError(f"{folder} is no folder in memory", path=folder)

    sys.path_hooks[:] = [hook]
    sys.path_importer_cache.clear()


def normal(name):
    """The name of a distribution as it is compared: PEP 503."""
    return name.lower().replace("_", "-").replace(".", "-")
