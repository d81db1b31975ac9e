"""What is wrong with a tenant's file, as an editor shows it. Nothing of it is executed."""

import ast
import warnings

import failures
import loading
import look
import names
import old_meanings
import old_python
import rule_checks
import testing
from source import Finding, Source

MOST = 100
# A longer text is compiled and no more: its tree would be larger than a cell may be.
LONGEST = 100_000
LONGEST_FIX = 2000


def check(path, text, is_old=False):
    """(findings, rules), `is_old` where it comes from Python 2: findings as [severity, code, line, column, end line, end column, message, fix], and what the file's rules read and write, both for the host."""
    found, rules = _findings(path, text, is_old)
    source = Source(text)
    found.sort(key=lambda one: (one.start, one.end, one.severity))
    return [_told(source, one) for one in found[:MOST]], rules


def _told(source, found):
    fix = None if found.fix is None or len(found.fix[2]) > LONGEST_FIX else [*source.place(found.fix[0]), *source.place(found.fix[1]), found.fix[2]]
    return [found.severity, found.code, *source.place(found.start), *source.place(found.end), failures.cut(failures.clean(found.message), failures.MESSAGE), fix]


def _findings(path, text, is_old):
    if len(text) > LONGEST:
        found = [] if (error := _compiles(loading.compile_file, path, text)[0]) is None else [error]
        return found + [Finding("warning", "long-file", (0, 0), f"the file has more than {LONGEST} characters, so that nothing but its syntax was looked at")], []
    tree, repaired, edits, found = old_python.parse(path, text)
    if tree is None:
        return found, []
    source = Source(repaired)
    more, rules = [], []
    error, doubts = _compiles(loading.code_of, path, repaired)
    if error is not None:
        more.append(error)
    try:
        more.extend(_doubts(source, doubts))
        more.extend(rule_checks.look(path, source, tree))
        more.extend(names.look(path, source, tree, frozenset((*loading.NAMES, *(testing.NAMES if path.startswith("tests/") else ())))))
        if is_old:
            more.extend(old_meanings.look(source, tree))
        rules = [] if path.startswith("tests/") else look.rules(tree) if path.startswith("scripts/") else look.module(tree)
    except MemoryError:
        raise
    except Exception as error:
        # What is nested too deep for us, or a slip of ours, keeps nobody's file out of force.
        more.append(Finding("warning", "not-looked-at", (0, 0), f"nothing but the syntax of the file was looked at ({type(error).__name__})"))
    return found + [old_python.moved(one, edits) for one in more], rules


def _compiles(compiler, path, text):
    """Why a text that could be parsed does not compile, or None; and what Python has doubts about."""
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        try:
            compiler(path, text)
        except MemoryError:
            raise
        except Exception as error:
            return old_python.plain(text, error), []
    return None, doubts


def _doubts(source, doubts):
    for doubt in doubts[:MOST]:
        if issubclass(doubt.category, (SyntaxWarning, DeprecationWarning)) and doubt.lineno:
            line = min(doubt.lineno, len(source.starts))
            start = source.starts[line - 1]
            end = start + len(source.line(line))
            yield Finding("warning", "python-warning", (start + len(source.line(line)) - len(source.line(line).lstrip()), end), str(doubt.message))
