"""`open` and `workspace`: the tenant's files under workspace/. They come through the host, since a cell opens none. What a run writes stays in the cell's memory, and is gone with the run unless it was saved."""

import io
import os

import effects
import processes
from values import quote

FOLDER = "workspace/"
SAVES = 20
# One file, and all that one run saves.
FILE = 1 << 20
SAVED = 4 << 20

_open = io.open


class Workspace:
    """`save(name)` keeps what this run has written: with the run, if it ends well."""

    def __init__(self):
        self.begin()

    def begin(self):
        """Another run begins: nothing of the one before is here."""
        self._written = {}
        self._met = {}
        self._saved = {}
        self.is_used = False

    def save(self, name):
        effects.running("no file can be saved while files load, only in a run")
        name = _name(name)
        self.is_used = True
        files = self._written.get(name)
        if files is None:
            raise FileNotFoundError(2, 'workspace.save keeps what this run has written, and it has written no such file; begin with open(name, "w")', name)
        content = files.content()
        if len(content) > FILE:
            raise ValueError(f"{name} has {len(content)} bytes, and a file of workspace/ has at most {FILE}")
        saved = {**self._saved, name: len(content)}
        if len(saved) > SAVES or sum(saved.values()) > SAVED:
            raise ValueError(f"a run saves at most {SAVES} files with {SAVED} bytes together, and this one goes beyond")
        processes.run.save(FOLDER + name, content)
        if name not in self._saved:
            effects.gathered.append(f'["file",{quote(FOLDER + name)}]')
        self._saved = saved

    def tell(self):
        """Says in the log of a run that ended well what it saved."""
        for name, size in self._saved.items():
            print(f"saved {FOLDER}{name}, {size} bytes")

    def __repr__(self):
        return "<workspace>"

    def _read(self, name):
        """What is in a file, as this run sees it; None where there is none."""
        if name in self._written:
            return self._written[name].content()
        if name not in self._met:
            self._met[name] = processes.run.file(FOLDER + name)
        return self._met[name]

    def open(self, name, mode, encoding, errors, newline):
        effects.running("files of workspace/ can not be opened while files load, only in a run")
        kind = mode.replace("b", "").replace("t", "")
        if kind not in ("r", "w", "a", "x", "r+", "w+", "a+", "x+") or len(mode) - len(kind) > 1:
            raise ValueError(f"invalid mode: {mode!r}")
        is_text = "b" not in mode
        if not is_text and not encoding is errors is newline is None:
            raise ValueError("a file that is opened for bytes takes no encoding, errors and newline")
        self.is_used = True
        content = b"" if kind[0] == "w" else self._read(name)
        if kind[0] == "x" and content is not None:
            raise FileExistsError(17, "There is a file of that name in workspace/", name)
        if kind[0] == "r" and content is None:
            raise FileNotFoundError(2, "There is no such file in workspace/", name)
        if kind == "r":
            file = _Reading(content)
        else:
            scratch = self._written.get(name)
            if scratch is None:
                scratch = self._written[name] = _Scratch(content or b"")
            elif kind[0] == "w":
                scratch.kept = b""
            file = _Writing(scratch, kind)
        file.name = name
        if is_text:
            file = io.TextIOWrapper(file, encoding or "utf-8", errors, newline)
            if kind != "r":
                file.buffer.scratch.files.append(file)
        elif kind != "r":
            file.scratch.files.append(file)
        file.mode = mode
        return file


class _Scratch:
    """A file that a run writes: what was flushed, and who may have more."""

    def __init__(self, content):
        self.kept = content
        self.files = []

    def content(self):
        for file in self.files:
            if not file.closed:
                file.flush()
        self.files = [file for file in self.files if not file.closed]
        return self.kept


class _Reading(io.BytesIO):
    def writable(self):
        return False

    def write(self, data):
        raise io.UnsupportedOperation("not writable")

    def writelines(self, lines):
        raise io.UnsupportedOperation("not writable")

    def truncate(self, size=None):
        raise io.UnsupportedOperation("not writable")


class _Writing(io.BytesIO):
    def __init__(self, scratch, kind):
        super().__init__(scratch.kept)
        self.scratch = scratch
        self._kind = kind
        self._is_changed = kind[0] != "r"
        if kind[0] == "a":
            self.seek(0, 2)

    def readable(self):
        return "+" in self._kind or self._kind[0] == "r"

    def write(self, data):
        if self._kind[0] == "a":
            self.seek(0, 2)
        self._is_changed = True
        return super().write(data)

    def truncate(self, size=None):
        self._is_changed = True
        return super().truncate(size)

    def flush(self):
        super().flush()
        if self._is_changed:
            self.scratch.kept = self.getvalue()
            self._is_changed = False

    def close(self):
        if not self.closed:
            self.flush()
        super().close()


workspace = Workspace()


def open(file, mode="r", buffering=-1, encoding=None, errors=None, newline=None, closefd=True, opener=None):
    """A file of workspace/, by its name there. What has another place is asked of Python's own open, and there is none for a cell."""
    path = os.fspath(file) if not isinstance(file, int) else file
    if not isinstance(path, str) or path.startswith("/") or ".." in path.split("/"):
        return _open(file, mode, buffering, encoding, errors, newline, closefd, opener)
    if not isinstance(mode, str):
        raise TypeError(f"the mode of open is text, not {type(mode).__name__}")
    return workspace.open(_name(path), mode, encoding, errors, newline)


def _name(name):
    name = os.fspath(name)
    if not isinstance(name, str):
        raise TypeError(f"the name of a file is text, not {type(name).__name__}")
    # Half a character is the name of no file.
    name.encode()
    return name.removeprefix("./").removeprefix(FOLDER)
