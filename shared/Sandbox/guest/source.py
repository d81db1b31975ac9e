"""A file's text and the places in it. Inside they are offsets of characters; outside lines and columns from 1, in the UTF-16 units of editors."""

import re
from bisect import bisect_right

_LINE_END = re.compile(r"\r\n|\r|\n")


class Source:
    def __init__(self, text):
        self.text = text
        self.starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self.ascii = text.isascii()

    def line(self, number):
        """The text of a line, without its end."""
        start = self.starts[number - 1]
        end = self.starts[number] if number < len(self.starts) else len(self.text)
        return self.text[start:end].rstrip("\r\n")

    def offset(self, line, byte):
        """The offset of what the syntax tree says: a line, and bytes of UTF-8 in it."""
        start = self.starts[min(line, len(self.starts)) - 1]
        if self.ascii:
            return start + byte
        return start + len(self.line(line).encode()[:byte].decode(errors="ignore"))

    def span(self, node):
        """Where a node begins and ends."""
        return self.offset(node.lineno, node.col_offset), self.offset(node.end_lineno, node.end_col_offset)

    def of(self, node):
        """The text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def place(self, offset):
        """Line and column from 1."""
        offset = min(max(offset, 0), len(self.text))
        line = bisect_right(self.starts, offset)
        before = self.text[self.starts[line - 1]:offset]
        return line, 1 + (len(before) if self.ascii else len(before.encode("utf-16-le")) // 2)


class Finding:
    """What is wrong at a place. An `error` keeps the file out of force. `fix` is (start, end, text) or None."""

    __slots__ = ("severity", "code", "start", "end", "message", "fix")

    def __init__(self, severity, code, span, message, fix=None):
        self.severity = severity
        self.code = code
        self.start, self.end = span
        self.message = message
        self.fix = fix
