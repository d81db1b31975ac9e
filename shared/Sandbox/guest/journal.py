"""What a run prints and logs, up to its limit. Nothing is written anywhere else."""

import io
import logging
import sys

import limits


class Journal(io.TextIOBase):
    """The standard output of a cell."""

    def __init__(self):
        self.parts = []
        self.room = limits.LOG

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"print takes text, not {type(text).__name__}")
        if self.room > 0:
            size = len(text) if text.isascii() else len(text.encode("utf-8", "replace"))
            if size > self.room:
                text = text.encode("utf-8", "replace")[:self.room].decode("utf-8", "ignore")
                text += f"\n… cut here: a run may print {limits.LOG} bytes\n"
                size = self.room + 1
            self.parts.append(text)
            self.room -= size
        return len(text)

    def take(self):
        text = "".join(self.parts)
        self.parts = []
        self.room = limits.LOG
        return text


JOURNAL = Journal()


class _Handler(logging.Handler):
    def emit(self, record):
        try:
            JOURNAL.write(self.format(record) + "\n")
        except Exception as error:
            JOURNAL.write(f"a log line could not be formatted: {error!r}\n")


def _basic_config(**settings):
    # Whatever file or stream is named, there is one place that a log can go to.
    root = logging.getLogger()
    if settings.get("level") is not None:
        root.setLevel(settings["level"])
    if settings.get("format") or settings.get("datefmt"):
        _HANDLER.setFormatter(logging.Formatter(
            settings.get("format") or "%(levelname)s %(message)s", settings.get("datefmt"), settings.get("style", "%")))


class _NoFile(_Handler):
    def __init__(self, *_, **__):
        super().__init__()


_HANDLER = _Handler()


def open_journal():
    """Makes the journal the only output of this process."""
    sys.stdout = sys.stderr = sys.__stdout__ = sys.__stderr__ = JOURNAL
    sys.stdin = sys.__stdin__ = None


def open_log():
    """Makes the journal the only place that a log can go to; gives the tenant's `log`."""
    _HANDLER.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    root = logging.getLogger()
    root.addHandler(_HANDLER)
    root.setLevel(logging.INFO)
    logging.basicConfig = _basic_config
    logging.FileHandler = _NoFile
    logging.raiseExceptions = False
    return logging.getLogger("rule")
