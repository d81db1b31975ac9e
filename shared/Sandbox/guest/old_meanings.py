"""What Python 3 reads without complaint and takes otherwise than Python 2 did. Asked for where a file comes from there; in others it would be noise."""

import ast

from source import Finding

_LISTS = frozenset(("keys", "values", "items"))
_LAZY = frozenset(("map", "filter", "zip"))
_METHODS = {
    "__nonzero__": "__bool__", "__unicode__": "__str__", "__div__": "__truediv__", "__idiv__": "__itruediv__", "__rdiv__": "__rtruediv__", "__cmp__": None, "__getslice__": None, "__setslice__": None,
    "__delslice__": None, "__coerce__": None, "__metaclass__": None}
_STRINGS = {
    "letters": "ascii_letters", "lowercase": "ascii_lowercase", "uppercase": "ascii_uppercase", "maketrans": None, "join": None, "replace": None, "split": None, "upper": None, "lower": None, "strip": None,
    "atoi": None, "atof": None, "find": None}


def look(source, tree):
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for node in ast.walk(tree):
        yield from _LOOKS.get(type(node), _nothing)(source, node, own)


def _nothing(source, node, own):
    return ()


def _found(span, message, fix=None):
    return Finding("warning", "python-2-meaning", span, message, fix)


def _division(source, node, own):
    if isinstance(node.op, ast.Div) and not _is_broken(node.left) and not _is_broken(node.right):
        yield _found(source.span(node), f"/ of whole numbers gives a fraction in Python 3, and gave a whole number before; if both are whole, write {_short(source.of(node.left))} // {_short(source.of(node.right))}")


def _is_broken(node):
    """Whether it surely is no whole number."""
    return any(
        isinstance(one, ast.Constant) and isinstance(one.value, float) or isinstance(one, ast.Call) and isinstance(one.func, ast.Name) and one.func.id in ("float", "Decimal") for one in ast.walk(node))


def _is_lazy(node):
    """Whether it was a list and is none now."""
    if not isinstance(node, ast.Call):
        return False
    return isinstance(node.func, ast.Attribute) and node.func.attr in _LISTS and not node.args or isinstance(node.func, ast.Name) and node.func.id in _LAZY


def _subscript(source, node, own):
    if _is_lazy(node.value):
        span = source.span(node.value)
        new = f"list({source.of(node.value)})"
        yield _found(span, f"this is no list in Python 3 and has no places; write {_short(new)}", (*span, new))


def _call(source, node, own):
    function = node.func
    if isinstance(function, ast.Name):
        if function.id == "len" and len(node.args) == 1 and _is_lazy(node.args[0]) and isinstance(node.args[0].func, ast.Name):
            span = source.span(node.args[0])
            new = f"list({source.of(node.args[0])})"
            yield _found(span, f"this is no list in Python 3 and has no length; write {_short(new)}", (*span, new))
        elif function.id == "sorted" and (len(node.args) > 1 or any(one.arg == "cmp" for one in node.keywords)):
            yield _found(source.span(node), "sorted takes no comparing function in Python 3; write key=, or key=functools.cmp_to_key(…)")
        elif function.id == "round" and "round" not in own and len(node.args) == 1:
            yield _found(source.span(node), "round gives a whole number in Python 3, and takes a half to the even neighbour: round(2.5) is 2")
    elif isinstance(function, ast.Attribute):
        if function.attr == "sort" and (node.args or any(one.arg == "cmp" for one in node.keywords)):
            yield _found(source.span(node), "sort takes no comparing function in Python 3; write key=, or key=functools.cmp_to_key(…)")
        elif function.attr == "next" and not node.args and not node.keywords and "next" not in own:
            span = source.span(node)
            new = f"next({source.of(function.value)})"
            yield _found(span, f"iterators have no next() of their own in Python 3; write {_short(new)}", (*span, new))
        elif function.attr in ("sort", "append", "reverse") and _is_lazy(function.value):
            yield _found(source.span(function.value), "this is no list in Python 3 and can not be changed in place; keep list(…) of it in a name first")
        elif function.attr in ("encode", "decode") and node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value in ("hex", "base64", "zlib", "rot13"):
            yield _found(source.span(node), f"text has no {function.attr}({node.args[0].value!r}) in Python 3; use binascii, base64, zlib or codecs")


def _attribute(source, node, own):
    if isinstance(node.value, ast.Name) and node.value.id == "sys" and node.attr == "maxint":
        span = source.span(node)
        yield _found(span, "whole numbers have no end in Python 3; write sys.maxsize", (*span, "sys.maxsize"))
    elif isinstance(node.value, ast.Name) and node.value.id == "string" and node.attr in _STRINGS:
        span, now = source.span(node), _STRINGS[node.attr]
        if now is None:
            yield _found(span, f"the module string has no {node.attr} in Python 3; texts have it as a method")
        else:
            yield _found(span, f"the module string has no {node.attr} in Python 3; write string.{now}", (*span, f"string.{now}"))


def _function(source, node, own):
    if node.name in _METHODS:
        now = _METHODS[node.name]
        start = source.span(node)[0]
        at = source.text.index(node.name, start)
        if now is None:
            yield _found((at, at + len(node.name)), f"Python 3 does not call {node.name}")
        else:
            yield _found((at, at + len(node.name)), f"Python 3 calls {now} instead of {node.name}", (at, at + len(node.name), now))


def _short(text):
    return text if len(text) <= 60 and "\n" not in text else text.partition("\n")[0][:60] + "…"


_LOOKS = {ast.BinOp: _division, ast.Subscript: _subscript, ast.Call: _call, ast.Attribute: _attribute, ast.FunctionDef: _function}
