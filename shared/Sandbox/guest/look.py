"""Which KVPs a rule reads and writes, as far as its text says. A key is told with whose it is: `x` of the process itself, `shared.x`, `parent.x`, `child.x`, `new_child.x`, and
`process.x` of any other. What can not be seen, such as a key that is computed, is told as unknown."""

import ast
import re
import sys

from rule_checks import IN_PLACE, RuleClass, classes

# Characters of a name; no key and no schedule that works has as many.
LONGEST = 900
_TEMPLATE = re.compile(r"\{\{\s*(shared\.)?(\w+)\s*\}\}")
_LOOKUPS = ("lt", "lte", "gt", "gte", "ne", "in", "contains", "startswith", "isnull")
_ASKED = frozenset(("get", "filter", "exclude", "all", "count", "create", "get_or_create"))
_KEPT = {"Reference": "_id", "NebriOSReference": "_id", "ReferenceList": "_ids", "NebriOSReferenceList": "_ids"}
_NO_KEYS = frozenset(("PROCESS_ID", "pid", "last_actor", "PARENT", "CHILDREN", "save", "delete", "as_dict", "process", "objects", "DoesNotExist", "MultipleObjectsReturned"))
_PREFIX = {"self": "", "shared": "shared.", "parent": "parent.", "child": "child.", "new_child": "new_child.", "process": "process."}
_NAMED = {"shared": "shared", "parent": "parent", "child": "child", "new_child": "new_child", "children": ("many", "child"), "Process": "Process"}
_SAME = frozenset(("sorted", "list", "reversed", "tuple", "iter", "next", "enumerate", "set"))
# What takes a process and reads or writes nothing that could not be seen.
_HARMLESS = frozenset(("print", "isinstance", "type", "id", "bool", "len", "repr", "str", "hash", "super", "getattr", "setattr", "hasattr", "delattr", *_SAME))


def rules(tree):
    """The rules of a file as [class, line, end line, keys that it listens to or None where these are computed, schedule or None, reads, reads in check, writes, unknown reads, unknown writes]."""
    by_name, _ = classes(tree)
    functions = _functions(tree)
    values = {target.id: line.value for line in tree.body if isinstance(line, ast.Assign) for target in line.targets if isinstance(target, ast.Name)}
    models, references = _models(tree, by_name)
    found = []
    for rule in by_name.values():
        listens, schedule = rule.value("listens_to"), rule.value("schedule")
        if not _can_be_told(rule.name) or rule.kind == "plain" or listens is None and schedule is None or rule.kind == "unknown" and not (rule.methods.keys() & {"check", "action"}):
            continue
        check, action = Reading(rule, models, references, functions), Reading(rule, models, references, functions)
        check.method("check")
        action.method("action")
        _settings(rule, action.reads)
        unseen = not rule.complete
        found.append([
            rule.name, rule.node.lineno, rule.node.end_lineno, [] if listens is None else _keys(listens[1], values), None if schedule is None else _text(schedule[1]) or "",
            sorted(check.reads | action.reads), sorted(check.reads), sorted(check.writes | action.writes), unseen or check.unknown_reads or action.unknown_reads,
            unseen or check.unknown_writes or action.unknown_writes])
    return found


def _settings(rule, reads):
    """What the platform reads of a process for the rule."""
    for name in ("required", "per"):
        if (value := rule.value(name)) is not None:
            reads.update(one.value for one in ast.walk(value[1]) if _text(one) is not None)
    where = rule.value("schedule_where")
    if where is not None and isinstance(where[1], ast.Dict):
        reads.update(_text(key) for key in where[1].keys if key is not None and _text(key) is not None)


def module(tree):
    """What all functions of a library or an API script read and write together, in the form of a rule without a name that listens to nothing."""
    by_name, every = classes(tree)
    models, references = _models(tree, by_name)
    functions = _functions(tree)
    whole = Reading(RuleClass(ast.ClassDef("", [], [], [], []), {}, ()), models, references, functions)
    for node in functions.values():
        whole.function(node, [_handed(node, one.arg) for one in node.args.args], {})
    for one in every:
        mine = "process" if one.name in models else "self" if one.kind == "rule" or one.methods.keys() & {"check", "action"} else None
        for node in one.methods.values():
            others = [_handed(node, each.arg) for each in node.args.args[1:]]
            first = "model" if one.name in models and any(isinstance(each, ast.Name) and each.id == "classmethod" for each in node.decorator_list) else mine
            whole.function(node, [first, *others], {})
    if not (whole.reads or whole.writes or whole.unknown_reads or whole.unknown_writes):
        return []
    return [["", 1, max((node.end_lineno for node in tree.body), default=1), [], None, sorted(whole.reads), [], sorted(whole.writes), whole.unknown_reads, whole.unknown_writes]]


def _functions(tree):
    return {line.name: line for line in tree.body if isinstance(line, (ast.FunctionDef, ast.AsyncFunctionDef))}


def _handed(function, name):
    """A parameter whose attributes are set is a process."""
    return "process" if any(
        isinstance(node, ast.Attribute) and isinstance(node.ctx, (ast.Store, ast.Del)) and isinstance(node.value, ast.Name) and node.value.id == name for node in ast.walk(function)) else None


def _models(tree, by_name):
    """The names of the file's models, with those that are imported and used as such; and what the names of fields that are references end with where they are kept."""
    models = {one.name for one in by_name.values() if any(base in ("Model", "NebriOSModel") for above in one.line() for base in above.bases)}
    used = {node.value.id for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _ASKED}
    made = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)} if any(
        isinstance(node, ast.Attribute) and node.attr == "save" for node in ast.walk(tree)) else set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level and node.module.partition(".")[0] not in sys.stdlib_module_names:
            models.update(name for one in node.names if (name := one.asname or one.name)[:1].isupper() and name in used | made)
    return models, {
        name: _KEPT[value.func.id] for one in by_name.values() for name, (_, value) in one.values.items()
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in _KEPT}


def _text(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) and _can_be_told(node.value) else None


def _can_be_told(text):
    """False for what no key, schedule or class may be called, and what the host would not take as text."""
    return len(text) <= LONGEST and "\0" not in text and not any("\ud800" <= one <= "\udfff" for one in text)


def _keys(node, values):
    if isinstance(node, ast.Name) and node.id in values:
        node = values[node.id]
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)) and all(_text(one) is not None for one in node.elts):
        return list(dict.fromkeys(one.value for one in node.elts))
    return None


class Reading:
    """What one method and all that it calls in the file reads and writes."""

    def __init__(self, rule, models, references, functions):
        self.rule = rule
        self.models = models
        self.references = references
        self.functions = functions
        self.methods = {name for one in rule.line() for name in one.methods} | {"check", "action"}
        self.reads, self.writes = set(), set()
        self.unknown_reads = self.unknown_writes = False
        self.done = set()

    def method(self, name, above=()):
        """Follows the rule's method, or the one that super() means in a class of those given."""
        line = [one for one in self.rule.line() if one not in above]
        owner = next((one for one in line if name in one.methods), None)
        if owner is not None:
            self.function(owner.methods[name], ["self"], {}, owner)

    def function(self, node, given, named, owner=None):
        """Follows a function that is called with values of these kinds."""
        parameters = [one.arg for one in node.args.posonlyargs + node.args.args]
        kinds = {name: kind for name, kind in zip(parameters, given) if kind is not None}
        kinds.update({name: kind for name, kind in named.items() if kind is not None})
        mark = (node.name, node.lineno, tuple(sorted(map(str, kinds.items()))))
        if mark in self.done:
            return
        self.done.add(mark)
        nodes = [one for line in node.body for one in ast.walk(line)]
        own = {one.id for one in nodes if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)} | set(parameters)
        names = {name: kind for name, kind in _NAMED.items() if name not in own} | kinds
        # What a name is may be said below where it is used, as in loops.
        for _ in range(2):
            for one in nodes:
                self._bind(one, names)
        for one in nodes:
            self._visit(one, names, owner)

    def _bind(self, node, names):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._give(target, self.kind(node.value, names), names)
        elif isinstance(node, (ast.NamedExpr, ast.AnnAssign)) and node.value is not None:
            self._give(node.target, self.kind(node.value, names), names)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            kind = self.kind(node.iter, names)
            if isinstance(kind, tuple):
                target = node.target
                if isinstance(target, ast.Tuple) and isinstance(node.iter, ast.Call) and isinstance(node.iter.func, ast.Name) and node.iter.func.id == "enumerate" and len(target.elts) == 2:
                    target = target.elts[1]
                self._give(target, kind[1], names)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            self._give(node.optional_vars, self.kind(node.context_expr, names), names)

    @staticmethod
    def _give(target, kind, names):
        # get_or_create gives a process and whether it is new.
        if isinstance(target, ast.Tuple) and target.elts and isinstance(kind, str):
            target = target.elts[0]
        if isinstance(target, ast.Name) and kind is not None:
            names[target.id] = kind

    def kind(self, node, names):
        """Whose KVPs an expression has: a name of _PREFIX, ("many", name), "Process", "objects", or None."""
        if isinstance(node, ast.Name):
            return names.get(node.id) or ("model" if node.id in self.models else None)
        if isinstance(node, ast.Attribute):
            owner = self.kind(node.value, names)
            if owner == "Process":
                return "objects" if node.attr == "objects" else None
            if node.attr == "PROCESS" and isinstance(node.value, ast.Name) and node.value.id == "request":
                return "process"
            if owner in _PREFIX and owner != "shared":
                return {"PARENT": "parent" if owner == "self" else "process", "CHILDREN": ("many", "child" if owner == "self" else "process")}.get(node.attr)
            return None
        if isinstance(node, ast.Subscript):
            owner = self.kind(node.value, names)
            if isinstance(owner, tuple):
                return owner if isinstance(node.slice, ast.Slice) else owner[1]
            return None
        if isinstance(node, ast.Call):
            return self._called(node, names)
        if isinstance(node, ast.IfExp):
            return self.kind(node.body, names) or self.kind(node.orelse, names)
        if isinstance(node, ast.BoolOp):
            return next((kind for one in node.values if (kind := self.kind(one, names)) is not None), None)
        if isinstance(node, (ast.List, ast.Tuple)):
            return next((("many", kind) for one in node.elts if isinstance(kind := self.kind(one, names), str) and kind in _PREFIX), None)
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            kind = self.kind(node.elt, names)
            return ("many", kind) if isinstance(kind, str) and kind in _PREFIX else None
        return None

    def _called(self, node, names):
        if isinstance(node.func, ast.Name):
            if node.func.id in self.models or names.get(node.func.id) == "model":
                return "process"
            if node.func.id in _SAME and node.args:
                kind = self.kind(node.args[0], names)
                return kind[1] if node.func.id == "next" and isinstance(kind, tuple) else kind
            return None
        if not isinstance(node.func, ast.Attribute):
            return None
        owner, name = self.kind(node.func.value, names), node.func.attr
        if owner in ("objects", "model"):
            return "process" if name in ("get", "create", "get_or_create", "first") else ("many", "process") if name in ("filter", "exclude", "all", "order_by") else None
        if isinstance(owner, tuple):
            return owner[1] if name in ("get", "first", "last") else owner if name in ("filter", "exclude", "order_by", "all", "sort") else None
        return "process" if owner == "process" and name == "process" else None

    def _visit(self, node, names, owner):
        if isinstance(node, ast.Attribute):
            self._attribute(node, names)
        elif isinstance(node, ast.Subscript):
            self._item(node, names)
        elif isinstance(node, ast.Compare):
            for left, act, right in zip([node.left, *node.comparators], node.ops, node.comparators):
                if isinstance(act, (ast.In, ast.NotIn)) and self.kind(right, names) in _PREFIX:
                    self._key(self.reads, self.kind(right, names), _text(left))
        elif isinstance(node, ast.Call):
            self._call(node, names, owner)
        elif isinstance(node, (ast.For, ast.comprehension)) and self.kind(node.iter, names) in _PREFIX:
            self.unknown_reads = True
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, (ast.Attribute, ast.Subscript)) and (kind := self.kind(node.target.value, names)) in _PREFIX:
            self._key(self.reads, kind, node.target.attr if isinstance(node.target, ast.Attribute) else _text(node.target.slice))
        if isinstance(node, (ast.Attribute, ast.Subscript)) and isinstance(node.ctx, (ast.Store, ast.Del)):
            self._inside(node.value, names)

    def _attribute(self, node, names):
        kind = self.kind(node.value, names)
        if kind in _PREFIX and node.attr == "PARENT" and not isinstance(node.ctx, ast.Load):
            self.writes.add(_PREFIX[kind] + "PARENT")
        if kind not in _PREFIX or node.attr in _NO_KEYS or node.attr[:2] == "__" or kind == "self" and node.attr in self.methods and isinstance(node.ctx, ast.Load):
            return
        self._key(self.reads if isinstance(node.ctx, ast.Load) else self.writes, kind, self._stored(node.attr))

    def _stored(self, name):
        return name + self.references.get(name, "")

    def _item(self, node, names):
        kind = self.kind(node.value, names)
        if kind in _PREFIX:
            self._key(self.reads if isinstance(node.ctx, ast.Load) else self.writes, kind, _text(node.slice))

    def _inside(self, node, names):
        """A list or dictionary is changed in place: that of the KVP at the beginning of a.b[c].d."""
        while isinstance(node, (ast.Attribute, ast.Subscript)):
            kind = self.kind(node.value, names)
            if kind in _PREFIX:
                self._key(self.writes, kind, node.attr if isinstance(node, ast.Attribute) else _text(node.slice))
                return
            node = node.value

    def _key(self, keys, kind, key):
        if key is not None:
            if key not in _NO_KEYS and _can_be_told(key):
                keys.add(_PREFIX[kind] + key)
        elif keys is self.reads:
            self.unknown_reads = True
        else:
            self.unknown_writes = True

    def _keywords(self, node, keys, kind):
        for one in node.keywords:
            if one.arg is None:
                self._key(keys, kind, None)
                continue
            name, _, lookup = one.arg.rpartition("__")
            self._key(keys, kind, self._stored(name if name and lookup in _LOOKUPS else one.arg))

    def _call(self, node, names, owner):
        function = node.func
        if isinstance(function, ast.Name):
            self._call_by_name(node, function.id, names)
        elif isinstance(function, ast.Attribute):
            self._call_by_attribute(node, function, names, owner)
        else:
            self._handed_on(node, names)

    def _call_by_name(self, node, name, names):
        if name in ("getattr", "setattr", "delattr", "hasattr") and node.args and (kind := self.kind(node.args[0], names)) in _PREFIX:
            key = _text(node.args[1]) if len(node.args) > 1 else None
            self._key(self.writes if name in ("setattr", "delattr") else self.reads, kind, key)
        elif name in self.models or names.get(name) == "model":
            self._keywords(node, self.writes, "process")
            self.writes.add("process.kind")
        elif name == "send_email":
            self._mail(node)
        elif name in self.functions:
            self.function(self.functions[name], [self.kind(one, names) for one in node.args], {one.arg: self.kind(one.value, names) for one in node.keywords if one.arg})
        elif name not in _HARMLESS and name != "load_card":
            self._handed_on(node, names)

    def _mail(self, node):
        for one in [*node.args[1:3], *(one.value for one in node.keywords if one.arg in ("message", "subject"))]:
            parts = one.values if isinstance(one, ast.JoinedStr) else [one]
            if not isinstance(one, (ast.JoinedStr, ast.Constant)):
                self.unknown_reads = True
            for part in parts:
                for match in _TEMPLATE.finditer(part.value if isinstance(part, ast.Constant) and isinstance(part.value, str) else ""):
                    if match[2] != "last_actor" and _can_be_told(match[2]):
                        self.reads.add((match[1] or "") + match[2])

    def _call_by_attribute(self, node, function, names, owner):
        kind, name = self.kind(function.value, names), function.attr
        if kind in ("objects", "model"):
            self._keywords(node, self.writes if name == "create" else self.reads, "process")
            if name == "get_or_create":
                self._keywords(node, self.writes, "process")
        elif isinstance(kind, tuple) and kind[1] in _PREFIX:
            if name == "order_by":
                for one in node.args:
                    self._key(self.reads, kind[1], None if (key := _text(one)) is None else key.removeprefix("-"))
            elif name != "sort":
                self._keywords(node, self.reads, kind[1])
        elif name in ("__setattr__", "__setitem__", "__delitem__", "__delattr__") and kind in _PREFIX:
            self._key(self.writes, kind, _text(node.args[0]) if node.args else None)
        elif name in ("__getattr__", "__getitem__") and kind in _PREFIX:
            self._key(self.reads, kind, _text(node.args[0]) if node.args else None)
        elif name == "as_dict" and kind in _PREFIX:
            self.unknown_reads = True
        elif isinstance(function.value, ast.Call) and isinstance(function.value.func, ast.Name) and function.value.func.id == "super":
            self.method(name, self._up_to(owner))
        elif kind == "self" and name in self.methods:
            method = next((one.methods[name] for one in self.rule.line() if name in one.methods), None)
            if method is not None:
                static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in method.decorator_list)
                self.function(method, ([] if static else ["self"]) + [self.kind(one, names) for one in node.args], {one.arg: self.kind(one.value, names) for one in node.keywords if one.arg})
        else:
            if name in IN_PLACE:
                self._inside(function.value, names)
            self._handed_on(node, names)

    def _up_to(self, owner):
        line = self.rule.line()
        return line[:line.index(owner) + 1] if owner in line else line

    def _handed_on(self, node, names):
        """Whoever is given a process or the shared KVPs may read and write them all."""
        if any(isinstance(kind, tuple) or kind in _PREFIX for kind in (self.kind(one.value if isinstance(one, (ast.keyword, ast.Starred)) else one, names) for one in [*node.args, *node.keywords])):
            self.unknown_reads = self.unknown_writes = True
