"""What a check read, for those who ask later why a rule ran or did not: the value of each expression with its place in the text. Only in cells of hindsight, where the host says so
before any file is there: files are compiled with a witness around what they read, and the clock stands still at the moment of the run. What a file does is the same as without."""

import ast
import datetime as clocks
import time as machine
import types

import rules
from kvps import Shared
from processes import Process
from values import encode

# So many places of the files are watched, and of those as many are told, with so long a text or value.
WATCHED = 20_000
TOLD = 400
TEXT = 200
VALUE = 2000

# Whether files are compiled with witnesses; whether a check is under way; the moment at which the clock stands.
is_on = False
is_open = False
moment = None

# (path, line, column, end line, end column, function) of each place, and how many functions there are.
places = []
_functions = 0

# What was seen at a place: [text, canonical JSON or None, (pid, key) or None, how often].
seen = {}

# What it is no use to be told of: it is what the text says.
_PLAIN = (types.ModuleType, type(encode), types.BuiltinFunctionType, types.MethodType, type, Shared)

# As they are before the clock stands.
_MOMENTS = (clocks.datetime, clocks.date, clocks.time)

_RULE_NAMES = frozenset(("self", "cls", "shared", "secrets", "log", "http", "workspace", "children", "new_child"))


def begin(at):
    """The run under way is that of this moment, and nothing of it was seen yet."""
    global moment
    moment = _MOMENTS[0].fromisoformat(at)
    if seen:
        seen.clear()


def watch(cls, acts):
    """The rule of this class, with a check that is witnessed, and, where it is not to act, without its action."""
    def check(self):
        global is_open
        is_open = True
        try:
            answer = super(watched, self).check()
        finally:
            is_open = False
        seen[-1] = [*_told(answer), None, 1]
        return answer

    body = {"check": check, "__module__": cls.__module__, "__qualname__": cls.__qualname__}
    if not acts:
        body["action"] = lambda self: None
    watched = rules.RuleType(cls.__name__, (cls,), body)
    return watched


def account():
    """What was seen: the answer of check as [text, JSON] or None, and of each place [path, line, column, end line, end column, text, JSON, pid, key, how often], 0 for what was not come to."""
    answer = seen.pop(-1, None)
    entered = {places[place][5] for place in seen}
    told = []
    for index, (path, line, column, end_line, end_column, function) in enumerate(places):
        if function not in entered or len(told) == TOLD:
            continue
        text, value, kvp, often = seen.get(index, (None, None, None, 0))
        told.append([path, line, column, end_line, end_column, text, value, *(kvp or (None, None)), often])
    return None if answer is None else answer[:2], told


def _look(place, value):
    if is_open:
        _note(place, value, None)
    return value


def _look_at(place, base, name):
    value = getattr(base, name)
    if is_open:
        _note(place, value, _kvp(base, name))
    return value


def _look_in(place, base, key):
    value = base[key]
    if is_open:
        _note(place, value, _kvp(base, key) if type(key) is str else None)
    return value


NAMES = {"__look__": _look, "__look_at__": _look_at, "__look_in__": _look_in}


def _note(place, value, kvp):
    if isinstance(value, _PLAIN):
        return
    known = seen.get(place)
    if known is None:
        seen[place] = [*_told(value), kvp, 1]
    else:
        # Of what is read again and again the last counts: after it, the check came to its end.
        known[0], known[1] = _told(value)
        known[2] = kvp
        known[3] += 1


def _kvp(base, name):
    if len(name) > TEXT:
        return None
    if isinstance(base, Process):
        bag = base.__bag__
        if bag.fallback is not None and name in bag.fallback and not bag.has(name):
            return 0, name
        return (bag.pid, name) if bag.has(name) or not hasattr(type(base), name) else None
    return (0, name) if type(base) is Shared else None


def _told(value):
    """A short text of a value, and its canonical JSON where it is a value that a KVP may have. A tenant's own code is not asked how it looks."""
    try:
        json = encode("", value)
        if len(json) > VALUE:
            json = None
    except MemoryError:
        raise
    except Exception:
        json = None
    kind = type(value)
    try:
        if kind in (str, bytes):
            text = repr(value[:TEXT])
        elif kind in (int, float, bool, type(None)):
            text = repr(value)
        elif kind in _MOMENTS or kind.__module__ == "decimal":
            text = str(value)
        elif isinstance(value, Process):
            text = f"process {value.__bag__.pid}"
        elif kind.__module__ == "eddy" or json is not None and kind in (list, tuple, dict):
            text = repr(value)
        elif kind in (list, tuple, dict, set, frozenset):
            text = f"{kind.__name__} with {len(value)}"
        else:
            text = kind.__name__
    except MemoryError:
        raise
    except Exception:
        text = kind.__name__
    text = text.encode("utf-8", "replace").decode()
    return (text if len(text) <= TEXT else text[:TEXT] + "…"), json


def tree_of(path, text):
    """The file's tree with witnesses in it; None where it is to be compiled as it is."""
    if len(places) > WATCHED:
        return None
    try:
        tree = _Witnesses(path, text).visit(ast.parse(text, path))
        return ast.fix_missing_locations(tree)
    except RecursionError:
        return None


class _Witnesses(ast.NodeTransformer):
    """Puts a call around what functions read. What stands where no value is read (targets, decorators, patterns, hints) stays as it is."""

    def __init__(self, path, text):
        self.path = path
        self.lines = text.splitlines()
        self.function = None

    def visit_ClassDef(self, node):
        outer, self.function = self.function, None
        node.body = [self.visit(one) for one in node.body]
        self.function = outer
        return node

    def visit_FunctionDef(self, node):
        self._enter()
        node.body = [self.visit(one) for one in node.body]
        self._leave()
        return node

    def visit_Lambda(self, node):
        self._enter()
        node.body = self.visit(node.body)
        self._leave()
        return node

    def visit_AsyncFunctionDef(self, node):
        return node

    # Python 3.11 does not know where in a text its expressions stand.
    visit_JoinedStr = visit_Delete = visit_AsyncFunctionDef

    def visit_AnnAssign(self, node):
        if node.value is not None:
            node.value = self.visit(node.value)
        return node

    def visit_AugAssign(self, node):
        node.value = self.visit(node.value)
        return node

    def visit_Match(self, node):
        node.subject = self.visit(node.subject)
        for case in node.cases:
            if case.guard is not None:
                case.guard = self.visit(case.guard)
            case.body = [self.visit(one) for one in case.body]
        return node

    def visit_ExceptHandler(self, node):
        node.body = [self.visit(one) for one in node.body]
        return node

    def visit_Name(self, node):
        return self._watched(node) if isinstance(node.ctx, ast.Load) and node.id not in _RULE_NAMES else node

    def visit_Attribute(self, node):
        if not isinstance(node.ctx, ast.Load):
            return node
        self._base(node)
        if node.attr.startswith("__"):
            return node
        return self._watched(node, "__look_at__", node.value, ast.Constant(node.attr))

    def visit_Subscript(self, node):
        if not isinstance(node.ctx, ast.Load):
            return node
        self._base(node)
        node.slice = self.visit(node.slice)
        if isinstance(node.slice, (ast.Slice, ast.Tuple)):
            return self._watched(node)
        return self._watched(node, "__look_in__", node.value, node.slice)

    def visit_Call(self, node):
        if isinstance(node.func, ast.Attribute):
            self._base(node.func)
        elif not isinstance(node.func, ast.Name):
            node.func = self.visit(node.func)
        node.args = [self.visit(one) for one in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return node if isinstance(node.func, ast.Name) and node.func.id in ("super", "print") else self._watched(node)

    def visit_UnaryOp(self, node):
        if isinstance(node.operand, ast.Constant):
            return node
        return self._around(node)

    def visit_Compare(self, node):
        return self._around(node)

    visit_BoolOp = visit_BinOp = visit_IfExp = visit_Compare

    def _around(self, node):
        self.generic_visit(node)
        return self._watched(node)

    def _base(self, node):
        # What a name stands for is told by what is read of it.
        if not isinstance(node.value, ast.Name):
            node.value = self.visit(node.value)

    def _enter(self):
        global _functions
        if self.function is None:
            _functions += 1
            self.function = [_functions, 0]
        self.function[1] += 1

    def _leave(self):
        self.function[1] -= 1
        if self.function[1] == 0:
            self.function = None

    def _watched(self, node, name="__look__", *given):
        if self.function is None:
            return node
        places.append((self.path, node.lineno, self._column(node.lineno, node.col_offset), node.end_lineno, self._column(node.end_lineno, node.end_col_offset), self.function[0]))
        call = ast.Call(ast.Name(name, ast.Load()), [ast.Constant(len(places) - 1), *(given or (node,))], [])
        return ast.copy_location(call, node)

    def _column(self, line, at):
        """From 1, as editors count: Python counts bytes of UTF-8."""
        if line > len(self.lines):
            return at + 1
        before = self.lines[line - 1].encode()[:at].decode("utf-8", "replace")
        return len(before.encode("utf-16-le", "surrogatepass")) // 2 + 1


def stop_clocks():
    """From here on the clock stands at the moment of the run under way, for what files ask of it."""
    real_datetime, real_date, _ = _MOMENTS
    real_time = machine.time

    class Kind(type):
        def __instancecheck__(cls, value):
            return isinstance(value, cls.__mro__[1])

        def __subclasscheck__(cls, other):
            return issubclass(other, cls.__mro__[1])

    class Datetime(real_datetime, metaclass=Kind):
        def __new__(cls, *given, **named):
            return real_datetime(*given, **named)

        @classmethod
        def now(cls, tz=None):
            return real_datetime.fromtimestamp(now(), tz)

        @classmethod
        def today(cls):
            return real_datetime.fromtimestamp(now())

        @classmethod
        def utcnow(cls):
            return real_datetime.fromtimestamp(now(), clocks.timezone.utc).replace(tzinfo=None)

    class Date(real_date, metaclass=Kind):
        def __new__(cls, *given, **named):
            return real_date(*given, **named)

        @classmethod
        def today(cls):
            return real_date.fromtimestamp(now())

    def now():
        return real_time() if moment is None else moment.timestamp()

    for kind, name in ((Datetime, "datetime"), (Date, "date")):
        kind.__name__ = kind.__qualname__ = name
        kind.__module__ = "datetime"
    clocks.datetime, clocks.date = Datetime, Date
    machine.time = now
    machine.time_ns = lambda: int(now() * 1e9)
    for name in ("localtime", "gmtime", "ctime"):
        setattr(machine, name, _of_now(getattr(machine, name), now))
    machine.strftime = _written_now(machine.strftime, now)
    return {"datetime": Datetime, "date": Date}


def _of_now(function, now):
    return lambda seconds=None: function(now() if seconds is None else seconds)


def _written_now(function, now):
    return lambda form, when=None: function(form, machine.localtime(now()) if when is None else when)
