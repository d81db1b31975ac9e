"""Syntax errors, all that can be found in one go, and what in them is the Python of before."""

import ast
import io
import re
import tokenize

from source import Finding, Source

# Each round parses the text anew.
_ROUNDS = 50
_CHARACTERS = 2_000_000

_EXCEPT = re.compile(r"except\s+(\([^()]*\)|[\w.]+)\s*,\s*([A-Za-z_]\w*)\s*:")
_RAISE = re.compile(r"raise\s+([\w.]+)\s*,\s*")
_EXEC = re.compile(r"exec\s+(?!in\b)")
_PRINT = re.compile(r"print(?=[\s\"'`])")
_BACKTICKS = re.compile(r"`([^`]*)`")
_OCTAL = re.compile(r"(?<![\w.])0+([1-7][0-7]*)(?![\w.])")
_LONG = re.compile(r"(?<![\w.])(0[xX][0-9a-fA-F]+|\d+)[lL]\b")
_TEXT = re.compile(r"""(?<!\w)[uU][rR](?=["'])""")


def parse(path, text):
    """(tree, repaired text, edits, findings): the edits (start, end, text, length) follow one another and take away all that could be mended; the tree is None where something could not."""
    findings, edits = [], []
    error = _error(path, text)
    for _ in range(min(_ROUNDS, 1 + _CHARACTERS // (len(text) + 1))):
        if not isinstance(error, Exception):
            return error, text, edits, findings
        mended = _mend(path, text, error)
        if mended is None:
            break
        finding, text, error = mended
        start, end, new = finding.fix
        findings.append(_back(finding, edits))
        edits.append((start, end, new))
    if isinstance(error, Exception):
        findings.append(_back(plain(text, error), edits))
        error = None
    return error, text, edits, findings


def back(offset, edits, after):
    """Where an offset was before the edits. One inside what was put in is where that begins, or, `after`, where it ends."""
    for start, end, new in reversed(edits):
        if offset > start or after and offset == start and not new:
            offset = offset - len(new) + end - start if offset >= start + len(new) else end if after else start
    return offset


def _back(finding, edits):
    if edits:
        finding.start, finding.end = back(finding.start, edits, False), back(finding.end, edits, True)
        if finding.fix is not None:
            start, end, new = finding.fix
            clear = all(end <= at or start >= at + len(put) for at, _, put in _now(edits))
            finding.fix = (back(start, edits, False), back(end, edits, False), new) if clear else None
    return finding


def _now(edits):
    """The edits with the places that they have in the text after all of them."""
    for number, (start, end, new) in enumerate(edits):
        for at, to, put in edits[number + 1:]:
            if at < start:
                start += len(put) - (to - at)
        yield start, end, new


def moved(finding, edits):
    """A finding in the repaired text, as one in the text that was given."""
    return _back(finding, edits)


def _error(path, text):
    """The tree, or why there is none."""
    try:
        return ast.parse(text, path)
    except (SyntaxError, ValueError, RecursionError) as error:
        return error


def _position(error):
    return error.lineno, error.offset, error.msg


def plain(text, error):
    source = Source(text)
    if "\0" in text:
        at = text.index("\0")
        return Finding("error", "syntax-error", (at, at + 1), "the file has a null character, which Python can not read; remove it")
    if not isinstance(error, SyntaxError) or not error.lineno:
        return Finding("error", "syntax-error", (0, 0), str(error))
    line = min(error.lineno, len(source.starts))
    start = source.starts[line - 1] + min(max((error.offset or 1) - 1, 0), len(source.line(line)))
    end = start
    if error.end_lineno and error.end_offset and (error.end_lineno, error.end_offset) > (error.lineno, error.offset or 0):
        last = min(error.end_lineno, len(source.starts))
        end = source.starts[last - 1] + min(error.end_offset - 1, len(source.line(last)))
    if end <= start:
        end = min(start + 1, source.starts[line - 1] + len(source.line(line)))
    return Finding("error", "syntax-error", (start, max(start, end)), _sentence(error.msg))


def _sentence(message):
    return re.sub(r" \(<[^>]*>, line (\d+)\)", r" (line \1)", message)


def _mend(path, text, error):
    """(finding, mended text, what parsing that gives); None where nothing that is known takes the error away."""
    if not isinstance(error, SyntaxError) or not error.lineno:
        return None
    source = Source(text)
    for finding in _guesses(source, error):
        start, end, new = finding.fix
        mended = text[:start] + new + text[end:]
        then = _error(path, mended)
        if not isinstance(then, Exception) or isinstance(then, SyntaxError) and _position(then) != _position(error):
            return finding, mended, then
    return None


def _guesses(source, error):
    """What may be wrong in the line of the error, as findings with a fix."""
    number = min(error.lineno, len(source.starts))
    line, begin = source.line(number), source.starts[number - 1]

    def found(code, match, new, message, end=None):
        start, end = begin + match.start(), begin + match.end() if end is None else end
        return Finding("error", code, (start, end), message, (start, end, new))

    for match in _PRINT.finditer(line):
        end = _statement_end(source.text, begin + match.start())
        what = source.text[begin + match.end():end].strip()
        if what:
            new = f"print({what[:-1].rstrip()}, end=\" \")" if what.endswith(",") else f"print({what})"
            yield found("python-2-print", match, new, f"print is a function in Python 3; write {_shown(new)}", end)
    for match in _EXCEPT.finditer(line):
        new = f"except {match[1]} as {match[2]}:"
        yield found("python-2-except", match, new, f"Python 3 names a caught exception with as; write {_shown(new)}")
    for match in _RAISE.finditer(line):
        end = _statement_end(source.text, begin + match.start())
        values = _split(source.text[begin + match.end():end])
        if values:
            new = f"raise {match[1]}({values[0]})" + (f".with_traceback({values[1]})" if len(values) > 1 else "")
            yield found("python-2-raise", match, new, f"Python 3 makes the exception that it raises; write {_shown(new)}", end)
    for match in _EXEC.finditer(line):
        end = _statement_end(source.text, begin + match.start())
        code, inside, names = source.text[begin + match.end():end].partition(" in ")
        new = f"exec({code.strip()}, {names.strip()})" if inside else f"exec({code.strip()})"
        yield found("python-2-exec", match, new, f"exec is a function in Python 3; write {_shown(new)}", end)
    for match in _BACKTICKS.finditer(line):
        yield found("python-2-backticks", match, f"repr({match[1].strip()})", f"Python 3 has no backticks; write repr({_shown(match[1].strip())})")
    for match in re.finditer("<>", line):
        yield found("python-2-not-equal", match, "!=", "Python 3 has no <>; write !=")
    for match in _OCTAL.finditer(line):
        yield found("python-2-number", match, "0o" + match[1], f"Python 3 writes octal numbers with 0o; write 0o{match[1]}, or {match[1]} if it is no octal number")
    for match in _LONG.finditer(line):
        yield found("python-2-number", match, match[1], f"whole numbers have no L in Python 3; write {match[1]}")
    for match in _TEXT.finditer(line):
        yield found("python-2-text", match, "r", 'text is Unicode in Python 3; write r"…" without the u')
    if error.msg == "expected ':'":
        at = begin + min(max((error.offset or 1) - 1, 0), len(line))
        while at > begin and source.text[at - 1] in " \t":
            at -= 1
        yield Finding("error", "missing-colon", (at, at), "a colon is missing here; write :", (at, at, ":"))


def _shown(text):
    return text if len(text) <= 60 and "\n" not in text else text.partition("\n")[0][:60] + "…"


def _statement_end(text, start):
    """Where the statement ends that begins there: before a comment, a semicolon or the line's end outside brackets."""
    rest = text[start:]
    rows = [0, *(match.end() for match in re.finditer("\n", rest))]
    depth, last = 0, 0
    try:
        for token in tokenize.generate_tokens(io.StringIO(rest).readline):
            depth += (token.string in ("(", "[", "{")) - (token.string in (")", "]", "}"))
            if depth < 0 or depth == 0 and (token.type in (tokenize.NEWLINE, tokenize.COMMENT, tokenize.ENDMARKER) or token.string == ";"):
                break
            if token.type not in (tokenize.NL, tokenize.COMMENT):
                last = rows[token.end[0] - 1] + token.end[1]
    except (tokenize.TokenError, SyntaxError):
        last = last or len(rest.partition("\n")[0])
    return start + len(rest[:last].rstrip())


def _split(text):
    """What commas outside brackets and quotes part."""
    try:
        node = ast.parse(f"_({text})", mode="eval").body
    except (SyntaxError, ValueError):
        return None
    if node.keywords or any(isinstance(value, ast.Starred) for value in node.args):
        return None
    source = Source(f"_({text})")
    return [source.of(value) for value in node.args]
