"""An exception in words for the tenant: only its own files and lines are told."""

import traceback

# The tenant's files by path, as they were loaded.
FILES = {}

MESSAGE, TRACEBACK = 2000, 16_000


def clean(text):
    """Text that can be stored: without NUL and half characters."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def cut(text, most):
    return text if len(text) <= most else text[:most] + " …"


def message(error):
    if isinstance(error, SyntaxError) and isinstance(error.msg, str):
        return cut(clean(error.msg), MESSAGE)
    try:
        text = str(error)
    except MemoryError:
        raise
    except BaseException:
        text = "(its text can not be read)"
    return cut(clean(text), MESSAGE) or type(error).__name__


def _own(summary, seen):
    if summary is None or id(summary) in seen:
        return
    seen.add(id(summary))
    summary.stack = traceback.StackSummary.from_list([frame for frame in summary.stack if frame.filename in FILES])
    _own(summary.__cause__, seen)
    _own(summary.__context__, seen)
    for one in getattr(summary, "exceptions", None) or ():
        _own(one, seen)


def describe(error):
    """(kind, message, file, line, column, traceback) of an exception."""
    kind = cut(clean(type(error).__name__), 100)
    file = line = column = None
    at = error.__traceback__
    while at is not None:
        name = at.tb_frame.f_code.co_filename
        if name in FILES:
            file, line = name, at.tb_lineno
        at = at.tb_next
    if isinstance(error, SyntaxError) and error.filename in FILES:
        file, line, column = error.filename, error.lineno, error.offset
    text = message(error)
    try:
        summary = traceback.TracebackException.from_exception(error)
        _own(summary, set())
        told = cut(clean("".join(summary.format())), TRACEBACK)
    except MemoryError:
        raise
    except BaseException:
        told = None
    return kind, text, file, line, column if column and column > 0 else None, told
