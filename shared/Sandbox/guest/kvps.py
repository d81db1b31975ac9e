"""The KVPs that one run sees: reads through to what is committed, writes kept apart until the run has ended well."""

import limits
from values import check_key, decode, encode, known

_SCALARS = (str, int, float, bool, type(None))


class Bag:
    """One process's KVPs, or the shared ones, during one run.

    `committed` is canonical JSON by key and is never changed here. `values` has what was read or set. `written` has the new
    texts, None where a KVP was removed. `mutable` has the text that each list or dictionary in `values` had when it was last
    encoded: a difference at the run's end is a change in place. `actor` is who caused the run.
    """

    __slots__ = ("pid", "committed", "actor", "values", "written", "mutable", "fallback", "behind")

    def __init__(self, pid, committed):
        self.pid = pid
        self.committed = committed
        self.values = {}
        self.written = {}
        self.mutable = {}
        self.fallback = None
        self.behind = None

    def get(self, key):
        values = self.values
        if key in values:
            return values[key]
        if key in self.written:
            return None
        text = self.committed.get(key)
        if text is None:
            if self.fallback is not None and key in self.fallback:
                return self.behind.get(key)
            return None
        value = values[key] = decode(text)
        if type(value) in (list, dict):
            self.mutable[key] = text
        return value

    def has(self, key):
        if key in self.written:
            return self.written[key] is not None
        return key in self.committed

    def texts(self):
        """All KVPs as they are now. Not to be changed."""
        if not self.written and not self.mutable:
            return self.committed
        texts = dict(self.committed)
        for key, text in self.written.items():
            if text is None:
                texts.pop(key, None)
            else:
                texts[key] = text
        for key in self.mutable:
            texts[key] = encode(key, self.values[key])
        return texts

    def put(self, key, text):
        """Sets what is encoded already, or removes it."""
        self.written[key] = text
        self.values.pop(key, None)
        self.mutable.pop(key, None)

    def set(self, key, value):
        if key not in known:
            check_key(key)
        if value is None and not self.has(key):
            return
        text = encode(key, value)
        if len(text) * 4 > limits.VALUE and (size := limits.size(text)) > limits.VALUE:
            raise ValueError(f"{key}: the value has {size} bytes as JSON, and {limits.VALUE} is the limit")
        self.written[key] = text
        if type(value) in _SCALARS:
            self.values[key] = value
            self.mutable.pop(key, None)
        else:
            # Assignment copies: later changes of what was assigned are not changes of the KVP.
            value = self.values[key] = decode(text)
            if type(value) in (list, dict):
                self.mutable[key] = text
            else:
                self.mutable.pop(key, None)

    def remove(self, key):
        check_key(key)
        if self.has(key):
            self.written[key] = None
            self.values.pop(key, None)
            self.mutable.pop(key, None)

    def changes(self):
        """What the run changed, as a list of (key, text), None for a removed KVP. Raises where a limit or a type forbids it."""
        written = self.written
        for key, text in self.mutable.items():
            now = encode(key, self.values[key])
            if now != text:
                if limits.size(now) > limits.VALUE:
                    raise ValueError(f"{key}: the value has {limits.size(now)} bytes as JSON, and {limits.VALUE} is the limit")
                written[key] = now
        if not written:
            return ()
        committed = self.committed
        if len(written) == 1:
            (key, text), = written.items()
            return [(key, text)] if committed.get(key) != text else ()
        return [change for change in written.items() if committed.get(change[0]) != change[1]]


# What a run has read besides single KVPs: all of them that a process has; a key in whichever process (with ANYWHERE for its number); or it looked at what no key tells.
WHOLE = ""
ANYWHERE = -3
EVERYTHING = (-1, "")


class WatchedBag(Bag):
    """As Bag, for a run beside the line: notes what the run reads, so that it can be told whether that still holds when the run lands.

    `seen` has the (pid, key) pairs that were read. Whether a written text equals what is there is for the line to say then.
    """

    __slots__ = ("seen",)

    def __init__(self, pid, committed, seen):
        super().__init__(pid, committed)
        self.seen = seen

    def get(self, key):
        if key not in self.written:
            self.seen.add((self.pid, key))
        return super().get(key)

    def has(self, key):
        if key not in self.written:
            self.seen.add((self.pid, key))
        return super().has(key)

    def texts(self):
        self.seen.add((self.pid, WHOLE))
        return super().texts()

    def changes(self):
        super().changes()
        return list(self.written.items())


class Shared:
    """The tenant's shared KVPs, as `shared` in every tenant file."""

    __slots__ = ("__bag__", "__open__")

    def __init__(self):
        object.__setattr__(self, "__bag__", Bag(0, {}))
        object.__setattr__(self, "__open__", False)

    def __getattr__(self, name):
        if name[:2] == "__" and name[-2:] == "__":
            raise AttributeError(name)
        return self.__bag__.get(name)

    def __setattr__(self, name, value):
        self[name] = value

    def __delattr__(self, name):
        del self[name]

    def __getitem__(self, key):
        check_key(key)
        return self.__bag__.get(key)

    def __setitem__(self, key, value):
        if not self.__open__:
            raise RuntimeError(f"shared.{key} can not be set while files load, only in a run")
        self.__bag__.set(key, value)

    def __delitem__(self, key):
        if not self.__open__:
            raise RuntimeError(f"shared.{key} can not be removed while files load, only in a run")
        self.__bag__.remove(key)

    def __contains__(self, key):
        return self.__bag__.has(key)

    def __repr__(self):
        return "shared"


_set_bag = Shared.__dict__["__bag__"].__set__
_set_open = Shared.__dict__["__open__"].__set__


def begin(shared, bag, open):
    """Gives `shared` a fresh bag for a run (or, closed, for the loading of files)."""
    _set_bag(shared, bag)
    _set_open(shared, open)


def weigh(kvps, weight, key, text):
    """The size of a process's values after `key` has become `text`, which was `weight` before."""
    before = kvps.get(key)
    if before is not None:
        weight -= limits.size(before)
    return weight if text is None else weight + limits.size(text)


def total(bag, changes, weights):
    """The size of the process's values after the changes; None where it can not be too much. Raises if it is.

    `weights` has such sizes by pid.
    """
    committed = bag.committed
    kvps = len(committed)
    if kvps + len(changes) <= limits.FEW:
        return None
    pid = bag.pid
    weight = weights.get(pid)
    if weight is None:
        weight = sum(map(limits.size, committed.values()))
    for key, text in changes:
        kvps += (text is not None) - (key in committed)
        weight = weigh(committed, weight, key, text)
    name = f"process {pid}" if pid else "the shared bag"
    if pid and kvps > limits.PROCESS_KVPS:
        raise ValueError(f"{name} would have {kvps} KVPs, and {limits.PROCESS_KVPS} is the limit")
    if weight > limits.PROCESS:
        raise ValueError(f"{name} would have {weight} bytes of values, and {limits.PROCESS} is the limit")
    return weight
