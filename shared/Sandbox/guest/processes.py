"""`Process`, `Process.objects` and what else reaches beyond a run's own process."""

from datetime import date
from decimal import Decimal

import values
from kvps import Bag
from values import check_key, encode

# Names that are no KVPs as attributes.
_FIXED = frozenset(("PROCESS_ID", "pid", "CHILDREN", "PARENT", "last_actor"))
_OPERATIONS = ("lt", "lte", "gt", "gte", "ne", "in", "contains", "startswith", "isnull")

# The run under way, which the line sets: run.bag(pid), run.find(question), run.make(parent), run.pid.
run = None


class Drafts(Bag):
    """What was set on a process that was found, until it is saved."""

    __slots__ = ("over",)

    def __init__(self, over):
        super().__init__(over.pid, over.texts())
        self.over = over

    def save(self):
        for key, text in self.changes():
            self.over.put(key, text)


class OfClass:
    """What is had from the class, `Process.objects`, and hides no KVP of an instance."""

    __slots__ = ("name", "make")

    def __init__(self, name, make):
        self.name = name
        self.make = make

    def __get__(self, instance, owner):
        return self.make() if instance is None else instance.__bag__.get(self.name)


class Process:
    """A process of the tenant. Its attributes and items are its KVPs. What is set on one that was found waits for save()."""

    __slots__ = ("__bag__",)

    @property
    def PROCESS_ID(self):
        return self.__bag__.pid

    @property
    def pid(self):
        return self.__bag__.pid

    @property
    def PARENT(self):
        above = self.__bag__.get("PARENT")
        return above if isinstance(above, Process) else None

    @property
    def CHILDREN(self):
        return Query().filter(PARENT=self.__bag__.pid)

    def __reference__(self):
        return self.__bag__.pid

    def __getattr__(self, name):
        if name[:2] == "__" and name[-2:] == "__":
            raise AttributeError(f"{type(self).__name__} has no {name}")
        value = self.__bag__.get(name)
        if value is None:
            value = _named(self.__bag__, name)
        return value

    def __setattr__(self, name, value):
        if name in _FIXED or name[:2] == "__" and name[-2:] == "__":
            if name == "last_actor":
                self.__act_for__(value)
                return
            if name != "PARENT":
                raise AttributeError(f"{name} can not be set")
            value = _parent(value)
        self.__bag__.set(name, value)

    def __act_for__(self, actor):
        raise AttributeError("last_actor can be set on self alone")

    def __delattr__(self, name):
        if name in _FIXED and name != "PARENT":
            raise AttributeError(f"{name} can not be removed")
        self.__bag__.remove(name)

    def __getitem__(self, key):
        check_key(key)
        return self.__bag__.get(key)

    def __setitem__(self, key, value):
        if key in _FIXED and key != "last_actor":
            if key != "PARENT":
                raise KeyError(f"{key} can not be set")
            value = _parent(value)
        self.__bag__.set(key, value)

    def __delitem__(self, key):
        self.__bag__.remove(key)

    def __contains__(self, key):
        return self.__bag__.has(key)

    def __iter__(self):
        return iter(self.as_dict().items())

    def __eq__(self, other):
        return other.__reference__() == self.__bag__.pid if isinstance(other, Process) else NotImplemented

    def __hash__(self):
        return hash(self.__bag__.pid)

    def __repr__(self):
        return f"Process({self.__bag__.pid})"

    def as_dict(self):
        """All its KVPs as a dictionary of their own."""
        bag = self.__bag__
        return {key: values.decode(text) for key, text in sorted(bag.texts().items()) if key != "PARENT"}

    def save(self):
        """What was set takes effect with the run. Nothing to do where it belongs to the run already."""

    def delete(self):
        """Removes all its KVPs, and the process with them."""
        bag = self.__bag__
        for key in list(bag.texts()):
            bag.remove(key)
        self.save()


class Found(Process):
    """A process other than the run's own. Its KVPs are fetched when they are first asked for."""

    __slots__ = ("__pid__",)

    def __getattr__(self, name):
        if name == "__bag__":
            bag = Drafts(run.bag(_pid_of(self)))
            _set_bag(self, bag)
            return bag
        return Process.__getattr__(self, name)

    @property
    def PROCESS_ID(self):
        return _pid_of(self)

    @property
    def pid(self):
        return _pid_of(self)

    def __reference__(self):
        return _pid_of(self)

    def __eq__(self, other):
        return other.__reference__() == _pid_of(self) if isinstance(other, Process) else NotImplemented

    def __hash__(self):
        return hash(_pid_of(self))

    def __repr__(self):
        return f"Process({_pid_of(self)})"

    def save(self):
        self.__bag__.save()
        _set_bag(self, Drafts(run.bag(_pid_of(self))))


class Live(Found):
    """`parent`, `child` and what `children` gives: what is set on them belongs to the run at once."""

    __slots__ = ()

    def __getattr__(self, name):
        if name == "__bag__":
            bag = run.bag(_pid_of(self))
            _set_bag(self, bag)
            return bag
        return Process.__getattr__(self, name)

    def save(self):
        """Nothing is waiting."""


for _kind in (Process, Found, Live):
    _kind.__module__ = "eddy"
    _kind.__name__ = _kind.__qualname__ = "Process"
_set_bag = Process.__dict__["__bag__"].__set__
_pid_of = Found.__dict__["__pid__"].__get__
_set_pid = Found.__dict__["__pid__"].__set__


def found(pid):
    process = Found.__new__(Found)
    _set_pid(process, pid)
    return process


def live(pid):
    process = Live.__new__(Live)
    _set_pid(process, pid)
    return process


values.process = found


def _named(bag, name):
    """Where x_id holds a reference, x is the process that it names."""
    value = bag.get(name + "_id")
    return value if isinstance(value, Process) else None


def _parent(process):
    if process is None or isinstance(process, Process):
        return process
    if type(process) is int and process > 0:
        return found(process)
    reference = getattr(type(process), "__reference__", None)
    if reference is not None:
        return found(reference(process))
    raise TypeError(f"PARENT is a process or None, not {type(process).__name__}")


def pid_of(value):
    """The number that a process, a reference, a number or its digits name."""
    if isinstance(value, Process):
        return value.__reference__()
    if isinstance(value, str) and value.strip().isdecimal():
        return int(value)
    if type(value) is int:
        return value
    raise TypeError(f"a process is named by its number, not by {value!r}")


class DoesNotExist(Exception):
    """No process matches."""


class MultipleObjectsReturned(Exception):
    """More processes match than the one that was asked for."""


for _kind in (DoesNotExist, MultipleObjectsReturned):
    _kind.__module__ = "eddy"
    _kind.__qualname__ = f"Process.{_kind.__name__}"


def _condition(name, value):
    """(key, operation, what the host compares with)."""
    key, _, operation = name.rpartition("__")
    if not key or operation not in _OPERATIONS:
        key, operation = name, "eq"
    if operation == "in":
        value = list(value)
        if len(value) > 1000:
            raise ValueError(f"{name} takes 1000 values at the most, and these are {len(value)}")
    if key in ("PROCESS_ID", "pid"):
        many = operation == "in"
        if operation not in ("eq", "ne", "in", "lt", "lte", "gt", "gte"):
            raise TypeError(f"{name}: a process's number is compared by lt, lte, gt, gte, ne or in")
        return "PROCESS_ID", operation, [pid_of(one) for one in value] if many else pid_of(value)
    check_key(key)
    if key == "PARENT":
        value = [_parent(one) for one in value] if operation == "in" else _parent(value)
    if operation == "isnull":
        return key, operation, bool(value)
    if operation == "in":
        return key, operation, [_text(key, one) for one in value]
    if operation in ("contains", "startswith"):
        if operation == "startswith" and not isinstance(value, str):
            raise TypeError(f"{name} takes text, not {type(value).__name__}")
        return key, operation, _text(key, value)
    if operation in ("lt", "lte", "gt", "gte") and (isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str, date))):
        raise TypeError(f"{name} compares numbers, text, dates and date-times, not {type(value).__name__}")
    return key, operation, _text(key, value)


def _text(key, value):
    return encode(key, value)


def operand(value):
    """What the host compares with: canonical JSON, a list of such, or a truth."""
    if isinstance(value, list):
        return "[" + ",".join(map(str, value)) + "]"
    return str(value).lower() if isinstance(value, bool) else str(value)


class Query:
    """Processes that match, asked for when they are needed. Each method gives a new query."""

    __slots__ = ("_where", "_order", "_offset", "_limit", "_all", "_of", "_live")

    def __init__(self, where=(), order=(), offset=0, limit=None, of=None, live=False):
        self._where = where
        self._order = order
        self._offset = offset
        self._limit = limit
        self._of = of
        self._live = live
        self._all = None

    def _with(self, **more):
        given = dict(where=self._where, order=self._order, offset=self._offset, limit=self._limit, of=self._of, live=self._live)
        given.update(more)
        return Query(**given)

    def _narrow(self, negated, conditions):
        if self._offset or self._limit is not None:
            raise TypeError("a slice can not be narrowed; filter first")
        return self._with(where=(*self._where, (negated, tuple(_condition(name, value) for name, value in conditions.items()))) if conditions else self._where)

    def all(self):
        return self._with()

    def filter(self, **conditions):
        return self._narrow(False, conditions)

    def exclude(self, **conditions):
        return self._narrow(True, conditions)

    def order_by(self, *keys):
        for key in keys:
            if key[:1] != "-" or len(key) > 1:
                check_key(key.removeprefix("-"))
        return self._with(order=tuple((key.removeprefix("-"), key.startswith("-")) for key in keys))

    def get(self, **conditions):
        matching = self.filter(**conditions)[:2]
        some = list(matching)
        if not some:
            raise Process.DoesNotExist(f"no process has {_words(conditions)}")
        if len(some) > 1:
            raise Process.MultipleObjectsReturned(f"more than one process has {_words(conditions)}")
        return some[0]

    def create(self, **given):
        made = run.make()
        process = live(made)
        for key, value in given.items():
            process[key] = value
        return found(made)

    def get_or_create(self, defaults=None, **conditions):
        """The process, and whether it was made."""
        try:
            return self.get(**conditions), False
        except Process.DoesNotExist:
            return self.create(**{**conditions, **(defaults or {})}), True

    def count(self, **conditions):
        if conditions:
            return self.filter(**conditions).count()
        if self._all is not None:
            return len(self._all)
        return run.find(self._question(count=True))

    def exists(self):
        return bool(self._first())

    def first(self):
        some = self._first()
        return some[0] if some else None

    def last(self):
        some = self._reversed()[:1]._fetch() if self._all is None else self._all[-1:]
        return some[0] if some else None

    def _first(self):
        return self[:1]._fetch() if self._all is None else self._all[:1]

    def sort(self, key=None, reverse=False):
        """The processes as a sorted list."""
        return sorted(self, key=key or (lambda process: process.PROCESS_ID), reverse=reverse)

    @property
    def length(self):
        return len(self)

    def delete(self):
        for process in self:
            process.delete()
        # What it has found is not there any more.
        self._all = None

    def __len__(self):
        return len(self._fetch())

    def __bool__(self):
        return self.exists() if self._all is None else bool(self._all)

    def __iter__(self):
        return iter(self._fetch())

    def __contains__(self, process):
        return any(one == process for one in self._fetch())

    def __getitem__(self, at):
        if isinstance(at, slice):
            if at.step is not None or any(bound is not None and bound < 0 for bound in (at.start, at.stop)) or self._all is not None:
                return self._fetch()[at]
            start = at.start or 0
            left = None if self._limit is None else max(0, self._limit - start)
            most = None if at.stop is None else max(0, at.stop - start)
            limit = left if most is None else most if left is None else min(left, most)
            return self._with(offset=self._offset + start, limit=limit)
        if self._all is None and at == -1 and self._limit is None and not self._offset:
            process = self.last()
            if process is None:
                raise IndexError("no process matches")
            return process
        if self._all is None and at >= 0:
            some = self[at:at + 1]._fetch()
            if not some:
                raise IndexError(f"there is no process at {at}: fewer match")
            return some[0]
        return self._fetch()[at]

    def __repr__(self):
        return f"<{len(self)} processes>" if self._all is not None else "<processes, not fetched yet>"

    def _reversed(self):
        order = self._order or (("PROCESS_ID", False),)
        return self._with(order=tuple((key, not down) for key, down in order))

    def _question(self, **more):
        where = [
            [negated, [[key, operation, operand] for key, operation, operand in conditions]]
            for negated, conditions in (self._where if self._of is None else (*self._where, (False, (("PARENT", "eq", encode("PARENT", found(self._of())),),))))]
        # The host ends a cell that asks for more.
        _few(sum(len(conditions) for _, conditions in where), 100, "a query has {} conditions at the most, and this one {}")
        _few(len(self._order), 10, "a query is ordered by {} keys at the most, and this one by {}")
        _few(more.get("offset", 0), 100_000_000, "a query goes to the process at {} at the most, and this one to {}")
        question = {"where": where, "order": [list(one) for one in self._order]}
        question.update(more)
        return question

    def _fetch(self):
        every = self._all
        if every is None:
            pids = []
            while self._limit is None or len(pids) < self._limit:
                most = CHUNK if self._limit is None else min(CHUNK, self._limit - len(pids))
                if not most:
                    break
                some = run.find(self._question(offset=self._offset + len(pids), limit=most))
                pids.extend(some)
                if len(some) < most:
                    break
            every = self._all = [self._make(pid) for pid in pids]
        return every

    def _make(self, pid):
        return live(pid) if self._live else found(pid)


# As many processes are asked for at once.
CHUNK = 1000


def _few(number, most, words):
    if number > most:
        raise ValueError(words.format(most, number))


def _words(conditions):
    return ", ".join(f"{name}={value!r}" for name, value in conditions.items()) or "what was asked for"


class Children(Query):
    """`children`: those of the run's own process. What is set on one of them belongs to the run."""

    __slots__ = ()

    def __init__(self):
        super().__init__(of=lambda: run.pid, live=True)

    def _fetch(self):
        # One object for all runs.
        return self._with()._fetch()


class NewChild:
    """`new_child`: one process more below the run's own, made when the first KVP is set."""

    __slots__ = ()

    def __getattr__(self, name):
        if name[:2] == "__" and name[-2:] == "__":
            raise AttributeError(name)
        return getattr(run.new_child(), name)

    def __setattr__(self, name, value):
        setattr(run.new_child(), name, value)

    def __getitem__(self, key):
        return run.new_child()[key]

    def __setitem__(self, key, value):
        run.new_child()[key] = value

    def __repr__(self):
        return "new_child"


Process.objects = OfClass("objects", Query)
Process.DoesNotExist = OfClass("DoesNotExist", lambda: DoesNotExist)
Process.MultipleObjectsReturned = OfClass("MultipleObjectsReturned", lambda: MultipleObjectsReturned)
