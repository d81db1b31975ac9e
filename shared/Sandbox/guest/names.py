"""Names in a file that nothing has, and those that only the Python of before had."""

import ast
import difflib
import symtable

from source import Finding

# What a tenant's files may name beside their builtins, whether it is there yet or not.
PLANNED = frozenset((
    "parent", "child", "children", "new_child", "Process", "verify_webhook",
    "Model", "Field", "Reference", "ReferenceList", "NebriOSModel", "NebriOSField", "NebriOSReference", "NebriOSReferenceList",
    "HttpResponse", "HttpResponseForbidden", "HttpResponseBadRequest", "HttpResponseNotFound", "HttpResponseRedirect", "JsonResponse"))

_MODULE = frozenset((
    "__name__", "__file__", "__builtins__", "__doc__", "__spec__", "__loader__", "__package__", "__path__", "__annotations__", "__dict__", "__debug__",
    "__module__", "__qualname__", "__class__", "__cached__", "__warningregistry__", "__getattr__", "__dir__", "__all__", "__conditional_annotations__", "__classdict__",
    # As listens_to == […], of which there is a finding of its own.
    "listens_to"))

# What makes names in ways that can not be seen.
_MAKERS = frozenset(("globals", "locals", "vars", "exec", "__builtins__", "setattr"))
_MAKING = frozenset(("modules", "global_enum", "_convert_", "__dict__"))

MOST = 100

_VERSIONS = frozenset(("version_info", "hexversion", "PY2", "PY3", "PYTHON2", "PYTHON3", "python_version"))

_OLD = {
    "unicode": ("str", "all text is Unicode"), "basestring": ("str", "all text is str"), "xrange": ("range", "range is as lazy"), "unichr": ("chr", "chr takes every character"),
    "long": ("int", "whole numbers have no bounds"), "StandardError": ("Exception", "it went"), "raw_input": (None, "and there is nobody to ask in a cell"),
    "reduce": (None, "write from functools import reduce"), "reload": (None, "write importlib.reload"), "cmp": (None, "compare with < and =="),
    "execfile": (None, "import the file"), "file": (None, "write open"), "apply": (None, "write function(*arguments)"), "unicode_literals": (None, "text is Unicode"),
    "coerce": (None, "convert by hand"), "buffer": ("memoryview", "memoryview is what it was"), "intern": (None, "write sys.intern")}

_OLD_METHODS = {
    "iteritems": "items", "iterkeys": "keys", "itervalues": "values", "viewitems": "items", "viewkeys": "keys", "viewvalues": "values"}

_OLD_MODULES = {
    "urllib2": "urllib.request", "urlparse": "urllib.parse", "ConfigParser": "configparser", "Queue": "queue", "StringIO": "io", "cStringIO": "io", "cPickle": "pickle",
    "HTMLParser": "html.parser", "httplib": "http.client", "Cookie": "http.cookies", "cookielib": "http.cookiejar", "__builtin__": "builtins", "htmlentitydefs": "html.entities",
    "SimpleHTTPServer": "http.server", "xmlrpclib": "xmlrpc.client", "thread": "threading", "commands": "subprocess", "md5": "hashlib", "sha": "hashlib", "sets": "set, which is built in"}

_OF_THE_MODULE = frozenset(("time", "sleep", "time_ns", "monotonic", "perf_counter", "gmtime", "localtime", "mktime", "ctime"))


def look(path, source, tree, known):
    """Findings about names; `known` are those that every file has."""
    try:
        table = symtable.symtable(source.text, path, "exec")
    except (SyntaxError, ValueError):
        return
    bound, tables = _tables(table)
    old = _for_old(tree)
    yield from _modules(source, tree, old)
    yield from _methods(source, tree, old)
    if any(map(_makes_names, ast.walk(tree))):
        return
    known = known | PLANNED | _MODULE | bound
    spelled = sorted(known - _MODULE)
    kvps = _kvps(tree)
    told = 0
    attributes = {id(node.value): node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)}
    for node, scope, me, caught in _names(tree):
        if node.id not in tables.get(scope, ()) or caught or id(node) in old:
            continue
        if node.id in ("datetime", "time") and node.id not in bound and id(node) in attributes:
            if found := _class_finding(source, attributes[id(node)]):
                yield found
        elif node.id not in known:
            # A search for what was meant takes its time.
            if (told := told + 1) > MOST:
                return
            yield _finding(source, node, me, kvps, spelled, tables.get((scope, "own"), ()))


def _makes_names(node):
    return (
        isinstance(node, ast.ImportFrom) and node.names[0].name == "*"
        or isinstance(node, ast.Name) and node.id in _MAKERS
        or isinstance(node, ast.Attribute) and node.attr in _MAKING)


def _for_old(tree):
    """What stands under a question about Python's version."""
    return {
        id(inside) for node in ast.walk(tree) if isinstance(node, (ast.If, ast.IfExp)) and any(
            isinstance(one, ast.Attribute) and one.attr in _VERSIONS or isinstance(one, ast.Name) and one.id in _VERSIONS for one in ast.walk(node.test))
        for inside in ast.walk(node)}


def _finding(source, node, me, kvps, spelled, own):
    name, span = node.id, source.span(node)
    if name in _OLD:
        now, why = _OLD[name]
        if now is None:
            return Finding("warning", "python-2-name", span, f"Python 3 has no {name}: {why}")
        return Finding("warning", "python-2-name", span, f"Python 3 has no {name}: {why}; write {now}", (*span, now))
    if name == "self":
        return Finding("warning", "unknown-name", span, "self is not known here; a method has it where it is its first parameter")
    if me and name in kvps:
        return Finding("warning", "unknown-name", span, f"{name} is a KVP of the process; write {me}.{name}", (*span, f"{me}.{name}"))
    near = next((one for one in spelled if one.lower() == name.lower()), None) or next(iter(difflib.get_close_matches(name, [*own, *spelled], 1, 0.8)), None)
    if near is not None:
        return Finding("warning", "unknown-name", span, f"nothing is called {name} here, so this would raise a NameError; did you mean {near}?", (*span, near))
    return Finding("warning", "unknown-name", span, f"nothing is called {name} here, so this would raise a NameError; a KVP is written self.{name}")


def _tables(top):
    """The names that the module binds, and by (kind, line) of a scope those that it looks for in the module; by ((kind, line), "own") its own."""
    bound = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()}
    tables = {}
    waiting = [top]
    while waiting:
        table = waiting.pop()
        waiting.extend(table.get_children())
        scope = ("module", 0) if table is top else (table.get_name(), table.get_lineno())
        wanted = set()
        for symbol in table.get_symbols():
            # The module symtable takes a function called top for the module.
            if symbol.is_global() and symbol.is_referenced() and (table is top or not symbol.is_local()):
                wanted.add(symbol.get_name())
            if symbol.is_declared_global() and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
                bound.add(symbol.get_name())
        # Two scopes that can not be told apart: only what both look for in the module.
        tables[scope] = tables[scope] & wanted if scope in tables else wanted
        tables[scope, "own"] = tables.get((scope, "own"), set()) | {symbol.get_name() for symbol in table.get_symbols() if symbol.is_local()}
    return bound, tables


_COMPREHENSIONS = {ast.ListComp: "listcomp", ast.SetComp: "setcomp", ast.DictComp: "dictcomp", ast.GeneratorExp: "genexpr"}


def _names(tree):
    """(name, scope, first parameter of the method around it or None, whether a NameError is caught around it) for each that is read. Annotations are left out."""
    waiting = [(tree, ("module", 0), None, False)]
    while waiting:
        node, scope, me, caught = waiting.pop()
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                yield node, scope, me, caught
            continue
        inner = scope
        within, outside = list(ast.iter_child_nodes(node)), []
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            inner = (getattr(node, "name", "lambda"), node.lineno)
            arguments = node.args
            outside = [*arguments.defaults, *(one for one in arguments.kw_defaults if one is not None), *getattr(node, "decorator_list", ())]
            within = node.body if isinstance(node.body, list) else [node.body]
            first = (arguments.posonlyargs + arguments.args)[:1]
            if first and first[0].arg == "self":
                me = "self"
        elif isinstance(node, ast.ClassDef):
            inner = (node.name, node.lineno)
            outside = [*node.bases, *node.keywords, *node.decorator_list]
            within = node.body
        elif type(node) in _COMPREHENSIONS:
            inner = (_COMPREHENSIONS[type(node)], node.lineno)
            outside = [node.generators[0].iter]
            within = [one for one in within if not isinstance(one, ast.comprehension)]
            for number, part in enumerate(node.generators):
                within += [part.target, *part.ifs] + ([part.iter] if number else [])
        elif isinstance(node, ast.AnnAssign):
            within = [node.target] + ([node.value] if node.value is not None else [])
        elif isinstance(node, (ast.Try, getattr(ast, "TryStar", ast.Try))) and any(_catches_names(handler) for handler in node.handlers):
            waiting.extend((one, scope, me, True) for one in node.body)
            within = [*node.handlers, *node.orelse, *node.finalbody]
        # What comes last is looked at last.
        waiting.extend((one, inner, me, caught) for one in reversed(within))
        waiting.extend((one, scope, me, caught) for one in reversed(outside))


def _catches_names(handler):
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or isinstance(kind, ast.Name) and kind.id in ("NameError", "Exception", "BaseException") for kind in kinds)


def _kvps(tree):
    """The keys that the file has as attributes of self, or listens to."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            found.add(node.attr)
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "listens_to" and isinstance(node.value, (ast.List, ast.Tuple)):
            found.update(one.value for one in node.value.elts if isinstance(one, ast.Constant) and isinstance(one.value, str))
    return found


def _modules(source, tree, old):
    """Imports of modules that are called otherwise now. One that may fail is nobody's mistake."""
    tried = {one for node in ast.walk(tree) if isinstance(node, ast.Try) for inside in node.body + [line for handler in node.handlers for line in handler.body] for one in ast.walk(inside)}
    for node in ast.walk(tree):
        if node in tried or id(node) in old:
            continue
        if isinstance(node, ast.Import):
            named = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            named = [node.module]
        else:
            continue
        for name in named:
            if name in _OLD_MODULES:
                yield Finding("warning", "python-2-module", source.span(node), f"Python 3 has no module {name}, unless it is a library of yours; what it had is in {_OLD_MODULES[name]}")


def _methods(source, tree, old):
    """Methods that dictionaries no longer have, unless the file has such ones of its own."""
    own = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)) or node.func.attr in own or node.keywords or id(node) in old:
            continue
        name = node.func.attr
        if name in _OLD_METHODS and not node.args:
            start, end = source.span(node.func)
            yield Finding("warning", "python-2-method", (end - len(name), end), f"dictionaries have no {name} in Python 3; write {_OLD_METHODS[name]}", (end - len(name), end, _OLD_METHODS[name]))
        elif name == "has_key" and len(node.args) == 1:
            span = source.span(node)
            new = f"({source.of(node.args[0])} in {source.of(node.func.value)})"
            yield Finding("warning", "python-2-method", span, f"dictionaries have no has_key in Python 3; write {new[1:-1]}", (*span, new))


def _class_finding(source, node):
    """datetime and time are the classes where nobody has imported the modules."""
    name, attribute = node.value.id, node.attr
    span = source.span(node)
    if name == "datetime" and attribute in ("datetime", "timedelta", "timezone"):
        return Finding("warning", "class-not-module", span, f"datetime is the class here, as after from datetime import datetime; write {attribute}", (*span, attribute))
    if name == "time" and attribute in _OF_THE_MODULE:
        return Finding("warning", "class-not-module", span, f"time is the class datetime.time here and has no {attribute}; write import time at the top of the file")
    return None
