"""`Rule`, `event` and what else a rule has at hand."""

from datetime import datetime, timezone

import effects
from processes import Process
from values import decode

ZONE = timezone.utc


class ClassValue:
    """A value in a rule's class body. A KVP of the same name hides it; methods stay plain and are never hidden."""

    __slots__ = ("name", "value")

    def __init__(self, name, value):
        self.name = name
        self.value = value

    def __get__(self, instance, owner):
        if instance is not None:
            bag = instance.__bag__
            if bag.has(self.name):
                return bag.get(self.name)
        return self.value


def _is_value(name, value):
    return not (name[:2] == "__" or callable(value) or hasattr(type(value), "__get__"))


class RuleType(type):
    """Makes class values hideable."""

    def __new__(kind, name, bases, body, **more):
        for key, value in body.items():
            if bases and _is_value(key, value):
                body[key] = ClassValue(key, value)
        return super().__new__(kind, name, bases, body, **more)

    def __setattr__(cls, name, value):
        super().__setattr__(name, ClassValue(name, value) if _is_value(name, value) else value)


class Rule(Process, metaclass=RuleType):
    """The base of every rule. An instance is one run in one process: its attributes and items are the process's KVPs."""

    __slots__ = ()

    def check(self):
        return True

    def action(self):
        pass

    @property
    def last_actor(self):
        return self.__bag__.actor

    def __act_for__(self, actor):
        effects.act_for(actor)
        self.__bag__.actor = actor

    def __repr__(self):
        return f"<{type(self).__name__} in process {self.__bag__.pid}>"


class Retry(Exception):
    """Raised by a rule that is to run again later."""


Rule.__module__ = Retry.__module__ = "eddy"
NebriOS = Rule
_new = Rule.__new__
_set_bag = Process.__dict__["__bag__"].__set__


def begin(cls, bag):
    """An instance of the rule for one run."""
    run = _new(cls)
    _set_bag(run, bag)
    return run


def lacking(required, bag):
    """What a process lacks of what a rule requires, in words; empty where it lacks nothing."""
    without = []
    for one in required:
        if isinstance(one, str):
            if bag.get(one) is None:
                without.append(f"{one} has no value")
        else:
            missing = [key for key in one if bag.get(key) is None]
            if missing and len(missing) < len(one):
                without.append(f"{' and '.join(missing)} {'has' if len(missing) == 1 else 'have'} no value, and {' and '.join(key for key in one if key not in missing)} {'has' if len(one) - len(missing) == 1 else 'have'}")
    return "; ".join(without)


class Event:
    """One KVP's change as it woke a run: what was true then. Lists and dictionaries are new at each reading."""

    __slots__ = ("id", "_set", "_change")

    def __init__(self, changes, change, position):
        self.id = position
        self._set = changes
        self._change = change

    @property
    def pid(self):
        return self._change[0]

    @property
    def key(self):
        return self._change[1]

    @property
    def value(self):
        text = self._change[2]
        return None if text is None else decode(text)

    @property
    def previous(self):
        text = self._change[3]
        return None if text is None else decode(text)

    @property
    def source(self):
        return self._set.source

    @property
    def actor(self):
        return self._set.actor

    @property
    def at(self):
        return datetime.fromisoformat(self._set.at).astimezone(ZONE)

    def __repr__(self):
        return f"<event {self.id}: {self.key} = {self._change[2]}>"


def parse_datetime(text):
    """A datetime from ISO 8601 or `mm/dd/yyyy hh:mm:ss AM/PM`; None if the text is neither."""
    text = text.strip()
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None
