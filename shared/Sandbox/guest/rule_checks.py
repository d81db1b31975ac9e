"""What is odd in the classes of a file that are rules, or look like rules."""

import ast
import difflib
import re

import cron
from source import Finding
from values import check_key

# What a rule's class says to the platform.
SETTINGS = ("listens_to", "schedule", "schedule_where", "on_error", "required", "debounce", "throttle", "per", "retry")

_SLIPS = {
    "listen_to": "listens_to", "listens": "listens_to", "listen": "listens_to", "listensto": "listens_to", "listens_on": "listens_to", "listening_to": "listens_to",
    "listener": "listens_to", "listeners": "listens_to", "schedules": "schedule", "cron": "schedule", "onerror": "on_error", "retries": "retry"}

_NAMED = re.compile(r"(?:async[\s\\]+def|def|class)[\s\\]+(\w+)")

IN_PLACE = frozenset(("append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "popitem"))
_OTHERS = frozenset(("shared", "parent", "child", "children", "new_child"))
_EFFECTS = {"send_email": "sends mail", "load_card": "shows a card"}


class RuleClass:
    """A class of the module as it is written. `kind` is rule, plain, or unknown where a base comes from elsewhere."""

    def __init__(self, node, classes, bound):
        self.node = node
        self.name = node.name
        self.bases = [base.id if isinstance(base, ast.Name) else None for base in node.bases]
        self.above = [classes[base] for base in self.bases if base in classes]
        self.below = []
        for one in self.above:
            one.below.append(self)
        self.kind = self._kind(classes, bound)
        self.values, self.methods = {}, {}
        for line in node.body:
            if isinstance(line, ast.Assign):
                for target in line.targets:
                    if isinstance(target, ast.Name):
                        self.values[target.id] = (target, line.value)
            elif isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and line.value is not None:
                self.values[line.target.id] = (line.target, line.value)
            elif isinstance(line, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self.methods[line.name] = line

    def _kind(self, classes, bound):
        kinds = set()
        for base in self.bases:
            if base in classes:
                kinds.add(classes[base].kind)
            elif base in ("Rule", "NebriOS") and base not in bound:
                kinds.add("rule")
            else:
                kinds.add("plain" if base == "object" else "unknown")
        if "rule" in kinds:
            return "rule"
        return "unknown" if "unknown" in kinds or self.node.keywords else "plain"

    def line(self):
        """The class and those of the file that it is built on, nearest first."""
        found, waiting = [], [self]
        while waiting:
            one = waiting.pop(0)
            if one not in found:
                found.append(one)
                waiting.extend(one.above)
        return found

    def value(self, name):
        return next((one.values[name] for one in self.line() if name in one.values), None)

    def method(self, name):
        return next((one.methods[name] for one in self.line() if name in one.methods), None)

    @property
    def complete(self):
        """Whether all bases but Rule are in this file, so that what it has not, it has not."""
        return all(base is not None and (base in ("Rule", "NebriOS", "object") or any(base == above.name for above in one.above)) for one in self.line() for base in one.bases)


def classes(tree):
    """The classes at the module's level, by name; of two of one name the last."""
    bound = {target.id for line in tree.body if isinstance(line, ast.Assign) for target in line.targets if isinstance(target, ast.Name)}
    found, all_found = {}, []
    for line in _level(tree.body):
        if isinstance(line, ast.ClassDef):
            found[line.name] = RuleClass(line, found, bound)
            all_found.append(found[line.name])
    return found, all_found


def _level(body):
    """Statements that run when the module does, those under if, try and with too."""
    for line in body:
        yield line
        for name in ("body", "orelse", "finalbody"):
            if not isinstance(line, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
                yield from _level(getattr(line, name, None) or [])
        for handler in getattr(line, "handlers", ()):
            yield from _level(handler.body)


def look(path, source, tree):
    yield from _compared(source, tree)
    yield from _old_print(source, tree)
    by_name, every = classes(tree)
    twice = set()
    for one in every:
        if by_name[one.name] is not one and one.kind == "rule" and one.name not in twice and not one.below:
            twice.add(one.name)
            yield Finding("warning", "class-twice", _name_span(source, one.node), f"the file has another class {one.name} below, and only that one is in force; give one of them another name")
    script = path.startswith("scripts/")
    read = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    set_later = any(
        isinstance(node, ast.Name) and node.id in ("setattr", "type") or isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in SETTINGS for node in ast.walk(tree))
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    for one in by_name.values():
        if one.kind == "rule":
            certain = script and not set_later and one.name not in bound and one.node in tree.body
            yield from _rule(source, read, one) if certain else _base(source, read, one)
        elif one.kind == "plain" and script and not one.below:
            yield from _no_rule(source, one)


def _name_span(source, node):
    """The name of a class or method in its first line."""
    start, end = source.span(node)
    found = _NAMED.match(source.text, start)
    return found.span(1) if found else (start, end)


def _compared(source, tree):
    """A == B as a statement."""
    in_class = {id(line) for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for line in node.body}
    # A comparison alone may be there to raise something.
    tried = {id(line) for node in ast.walk(tree) if isinstance(node, (ast.With, ast.AsyncWith, ast.Try)) for line in node.body}
    answers = {id(node.body[-1]) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == "check"}
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Compare) and len(node.value.ops) == 1 and isinstance(node.value.ops[0], ast.Eq)):
            continue
        left = node.value.left
        at = source.text.find("==", source.span(left)[1], source.span(node.value.comparators[0])[0])
        fix = (at, at + 2, "=") if at >= 0 else None
        if id(node) in in_class and isinstance(left, ast.Name) and left.id == "listens_to":
            yield Finding("error", "listens-to-compared", source.span(node), "listens_to == [...] compares and sets nothing; write listens_to = [...]", fix)
        elif isinstance(left, (ast.Name, ast.Attribute, ast.Subscript)) and id(node) not in answers and id(node) not in tried:
            yield Finding("warning", "comparison-unused", source.span(node), f"{_short(source.of(left))} == … compares and sets nothing; write = to set it", fix)


def _old_print(source, tree):
    """print as a statement where Python 3 reads something else."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr):
            continue
        span, value = source.span(node), node.value
        first = value.elts[0] if isinstance(value, ast.Tuple) and value.elts else value
        if isinstance(value, ast.Name) and value.id == "print":
            yield Finding("warning", "python-2-print", span, "print is a function in Python 3, and its name alone does nothing; write print()", (*span, "print()"))
        elif isinstance(first, ast.BinOp) and isinstance(first.op, ast.RShift) and isinstance(first.left, ast.Name) and first.left.id == "print":
            what = [source.of(one) for one in value.elts[1:]] if first is not value else []
            new = f"print({', '.join([*what, 'file=' + source.of(first.right)])})"
            yield Finding("warning", "python-2-print", span, f"print is a function in Python 3; write {_short(new)}", (*span, new))


def _short(text):
    text = text.partition("\n")[0]
    return text if len(text) <= 60 else text[:60] + "…"


def _rule(source, read, rule, certain=True):
    yield from _wakes(source, certain, rule)
    yield from _schedule(source, rule)
    yield from _slips(source, read, certain, rule)
    for name in ("check", "action"):
        method = rule.methods.get(name)
        if method is not None and not method.decorator_list:
            yield from _signature(source, rule, method)
    check = rule.methods.get("check")
    if check is not None and not check.decorator_list and isinstance(check, ast.FunctionDef):
        yield from _answer(source, rule, check)
        yield from _changes_in_check(source, rule, check)
    for method in rule.methods.values():
        if not method.decorator_list:
            yield from _settings(source, rule, method)
            yield from _class_values(source, rule, method)
            yield from _copies(source, method)


def _base(source, read, rule):
    """A rule's class that is changed later, or that is in no script and so nothing but what rules are built on: it may have all that it lacks."""
    for found in _rule(source, read, rule, False):
        if found.code not in ("check-without-return", "listens-to-nothing"):
            found.severity = "warning"
            yield found


def _wakes(source, certain, rule):
    listens = rule.values.get("listens_to")
    if listens is None:
        if certain and _can_be_told(rule) and rule.value("listens_to") is None and rule.value("schedule") is None and (rule.method("check") or rule.method("action")) and not _misspelt(rule):
            yield Finding("error", "no-listens-to", _name_span(source, rule.node), f'{rule.name} has no listens_to, so nothing would ever wake it; write listens_to = ["key"] in the class')
        return
    target, value = listens
    span = source.span(value)
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        new = f"[{source.of(value)}]"
        yield Finding("error", "listens-to-text", span, f"listens_to of {rule.name} is text and must be a list; write listens_to = {_short(new)}", (*span, new))
    elif isinstance(value, (ast.Dict, ast.JoinedStr)) or isinstance(value, ast.Constant) and value.value is not None:
        yield Finding("error", "listens-to-entry", span, f"listens_to of {rule.name} must be a list of keys; write listens_to = [\"key\"]")
    elif isinstance(value, (ast.List, ast.Tuple, ast.Set)):
        if not value.elts and rule.value("schedule") is None:
            yield Finding("warning", "listens-to-nothing", span, f"listens_to of {rule.name} is empty, so nothing would ever wake it")
        for entry in value.elts:
            if isinstance(entry, ast.Constant) and (why := _entry_fault(entry.value)):
                yield Finding("error", "listens-to-entry", source.span(entry), f"listens_to of {rule.name}: {why}")


def _entry_fault(entry):
    if not isinstance(entry, str):
        return f"{entry!r} is no text"
    for prefix in ("shared.", "child.", "parent."):
        entry = entry.removeprefix(prefix)
    try:
        check_key(entry)
    except (ValueError, TypeError) as error:
        return str(error)
    return None


def _can_be_told(rule):
    """Whether the class has in the end what it has in its text."""
    if not rule.complete or rule.below or any(one.node.decorator_list or one.node.keywords for one in rule.line()):
        return False
    # listens_to == […] is told by itself; it may be set in an if, by an import, or in whatever other way.
    return not any(
        isinstance(node, ast.Name) and node.id in ("listens_to", "schedule") or isinstance(node, ast.alias)
        for one in rule.line() for line in one.node.body if not isinstance(line, (ast.FunctionDef, ast.AsyncFunctionDef)) for node in ast.walk(line))


def _schedule(source, rule):
    if "schedule" not in rule.values:
        return
    value = rule.values["schedule"][1]
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        if why := cron.fault(value.value):
            yield Finding("error", "schedule-cron", source.span(value), f"schedule of {rule.name}: {why}")
    elif isinstance(value, ast.Constant) and value.value is not None or isinstance(value, (ast.List, ast.Tuple, ast.Dict, ast.Set)):
        yield Finding("error", "schedule-cron", source.span(value), f'schedule of {rule.name} must be text with five fields; every day at seven is "0 7 * * *"')


def _misspelt(rule):
    """Values of the class whose names nearly are those of settings, with these."""
    found = []
    for name, (target, _) in rule.values.items():
        if name in SETTINGS:
            continue
        near = _SLIPS.get(name.lower()) or next(iter(difflib.get_close_matches(name.lower(), SETTINGS, 1, 0.84)), None)
        if near is not None and rule.value(near) is None:
            found.append((target, near))
    return found


def _slips(source, read, certain, rule):
    for target, near in _misspelt(rule):
        if target.id in read and near != "listens_to":
            continue
        dead = near == "listens_to" and rule.value("schedule") is None and certain and _can_be_told(rule) and bool(rule.method("check") or rule.method("action"))
        span = source.span(target)
        yield Finding(
            "error" if dead else "warning", "misspelt-setting", span,
            f"{target.id} means nothing to the platform" + (f", and nothing would ever wake {rule.name}" if dead else "") + f"; did you mean {near}?", (*span, near))
    for name, method in rule.methods.items():
        near = next((one for one in ("check", "action") if name not in ("check", "action") and rule.method(one) is None and name not in read
                     and (name.lower() in (one, one + "s") or difflib.SequenceMatcher(None, name.lower(), one).ratio() >= 0.8)), None)
        if near is not None and not method.decorator_list:
            span = _name_span(source, method)
            yield Finding("warning", "misspelt-method", span, f"nothing calls {name}; did you mean {near}?", (*span, near))


def _signature(source, rule, method):
    arguments = method.args
    taken = arguments.posonlyargs + arguments.args
    needed = len(taken) - len(arguments.defaults)
    span = _name_span(source, method)
    if not taken and arguments.vararg is None:
        at = source.text.index("(", span[1]) + 1
        more = arguments.kwonlyargs or arguments.kwarg
        yield Finding("warning", "method-without-self", span, f"{method.name} of {rule.name} has no self, so each run would fail; write {method.name}(self)", (at, at, "self, " if more else "self"))
    elif needed > 1 or any(one is None for one in arguments.kw_defaults):
        yield Finding("warning", "method-parameters", span, f"{method.name} of {rule.name} is called with self alone, so each run would fail; take the other parameters away (what woke the run is event)")
    if isinstance(method, ast.AsyncFunctionDef):
        at = source.offset(method.lineno, method.col_offset)
        end = source.text.index("def", at)
        yield Finding("warning", "method-async", span, f"nothing waits for {method.name} of {rule.name}, so it would never run; write def without async", (at, end, ""))


def _inside(method):
    """The nodes of a function, without those of functions and classes in it."""
    waiting = list(method.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            waiting.extend(ast.iter_child_nodes(node))


def _answer(source, rule, check):
    if rule.below:
        return
    for node in _inside(check):
        if isinstance(node, ast.Return) and node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None) or isinstance(node, (ast.Yield, ast.YieldFrom)):
            return
    last = check.body[-1]
    if isinstance(last, ast.Raise):
        return
    fix = None
    if isinstance(last, ast.Expr) and not isinstance(last.value, ast.Constant) and not (isinstance(last.value, ast.Call) and isinstance(last.value.func, ast.Name) and last.value.func.id == "print"):
        at = source.span(last)[0]
        fix = (at, at, "return ")
    yield Finding(
        "warning", "check-without-return", source.span(last) if fix else _name_span(source, check),
        f"check of {rule.name} never returns a value, so action would never run; " + ("write return before it" if fix else "write return True where it shall run"), fix)


def _me(method):
    first = (method.args.posonlyargs + method.args.args)[:1]
    return first[0].arg if first else None


def _root(node):
    """The name at the beginning of a.b[c].d, and how many steps lead from it."""
    steps = 0
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node, steps = node.value, steps + 1
    return (node.id, steps) if isinstance(node, ast.Name) else (None, steps)


def _changes_in_check(source, rule, check):
    me = _me(check)
    own = {node.id for node in _inside(check) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    owners = ({me} | _OTHERS) - own
    for node in _inside(check):
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)) and _root(node)[0] in owners:
            yield Finding(
                "warning", "check-assigns", source.span(node),
                f"check {'removes' if isinstance(node.ctx, ast.Del) else 'sets'} {_short(source.of(node))}, which is dropped where check says no; do that in action")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in IN_PLACE:
            name, steps = _root(node.func.value)
            if name in owners and steps > 0 and not (name == me and isinstance(node.func.value, ast.Attribute) and rule.value(node.func.value.attr)):
                yield Finding("warning", "check-assigns", source.span(node), f"check changes {_short(source.of(node.func.value))}, which is dropped where check says no; do that in action")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _EFFECTS and node.func.id not in own:
            yield Finding("warning", "check-assigns", source.span(node), f"check {_EFFECTS[node.func.id]}, which is dropped where check says no; do that in action")
        elif isinstance(node, ast.Call) and source.of(node.func) == "workspace.save" and "workspace" not in own:
            yield Finding("warning", "check-assigns", source.span(node), "check saves a file, which is dropped where check says no; do that in action")


def _settings(source, rule, method):
    """Assignments to what is no KVP."""
    me = _me(method)
    names = {name for one in rule.line() for name in one.methods}
    for node in _inside(method):
        if not (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and isinstance(node.value, ast.Name) and node.value.id == me):
            continue
        span = source.span(node)
        if node.attr in ("PROCESS_ID", "pid"):
            yield Finding("warning", "number-assigned", span, f"{me}.{node.attr} is the number of the process and can not be set, so the run would fail")
        elif node.attr in names | {"check", "action"}:
            yield Finding(
                "warning", "hidden-by-method", span, f"{me}.{node.attr} is read as the method {node.attr}, and not as this KVP; write {me}[\"{node.attr}\"], there too where it is read",
                (*span, f'{me}["{node.attr}"]'))


def _class_values(source, rule, method):
    """self.seen.append(…) where seen is a list in the class: of the class and not of the process."""
    me = _me(method)
    assigned = {node.attr for one in rule.line() for way in one.methods.values() for node in ast.walk(way) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    for node in _inside(method):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in IN_PLACE):
            continue
        what = node.func.value
        if isinstance(what, ast.Attribute) and isinstance(what.value, ast.Name) and what.value.id == me and what.attr not in assigned:
            value = rule.value(what.attr)
            if value is not None and isinstance(value[1], (ast.List, ast.Dict)):
                yield Finding(
                    "warning", "class-value-changed", source.span(node),
                    f"{me}.{what.attr} is a value of the class until the process has such a KVP, so this change is lost; write {me}.{what.attr} = … first")


def _copies(source, method):
    """self.names = names, and then names.append(…)."""
    me = _me(method)
    for block in (body for node in ast.walk(method) for name in ("body", "orelse", "finalbody") if isinstance(body := getattr(node, name, None), list)):
        copied = {}
        for line in block:
            if isinstance(line, ast.Expr) and isinstance(line.value, ast.Call) and isinstance(line.value.func, ast.Attribute) and line.value.func.attr in IN_PLACE:
                name = line.value.func.value.id if isinstance(line.value.func.value, ast.Name) else None
                if name in copied:
                    kvp = copied.pop(name)
                    if not _kept_later(method, line, name):
                        yield Finding("warning", "changed-after-assignment", source.span(line), f"{kvp} has a copy of {name}, so this does not change it; change it before, or write {kvp}.{line.value.func.attr}(…)")
                continue
            for node in ast.walk(line):
                if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
                    copied.pop(node.id, None)
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Name) and len(line.targets) == 1:
                target = line.targets[0]
                if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id in (me, "shared"):
                    copied[line.value.id] = source.of(target)


def _kept_later(method, line, name):
    """Whether the name is used after the line, where it may be assigned again."""
    return any(isinstance(node, ast.Name) and node.id == name and (node.lineno > line.end_lineno) for node in ast.walk(method))


def _no_rule(source, one):
    """A class without a base that has what rules have."""
    listens = "listens_to" in one.values
    if not listens and not ("schedule" in one.values and "action" in one.methods) and not ("check" in one.methods and "action" in one.methods):
        return
    start, end = _name_span(source, one.node)
    bases = one.node.bases
    if not listens and "schedule" not in one.values:
        fix = None
    elif not bases:
        after = source.text[end:end + 2]
        fix = (end, end + 2, "(Rule)") if after == "()" else (end, end, "(Rule)") if after[:1] == ":" else None
    else:
        fix = (*source.span(bases[0]), "Rule") if len(bases) == 1 and isinstance(bases[0], ast.Name) and bases[0].id == "object" else None
    yield Finding("warning", "not-a-rule", (start, end), f"{one.name} looks like a rule and is none, so nothing would ever wake it; write class {one.name}(Rule):", fix)
