"""A tenant's line: matches change sets with rules and runs them, in the order that docs/rules.md promises.

What happens is told in steps, which the host reads as a JSON array per frame:

    0                  the next arrival was applied
    [2,r,p]            a run of rule r in process p begins; the last of its frame
    [3,r,p,o,us,us,…]  a run ended: outcome, wall and CPU microseconds, then own changes, shared changes, log, error, where any
    4                  the next run was not begun, because the cascade is too long
    5                  the slice is done
    [6,r,p]            the next run leaves the line: it called out, or one of its rule in its process has left before it
    [7,p,k,p,k,…]      what a run beside the line has read: process and key

Changes are `"key",value` for each KVP that was set and `["key"]` for each that was removed, one after the other.

The host keeps the same order of its own; what does not fit is the end of the cell.

In between a run may ask the host something: `["part",base64]` as often as the bytes need, then `["call",method,url,[name,value,…],seconds]` or
`["sign",secret,algorithm]`. The host answers likewise: parts, then `["answered",…]` or `["refused",kind,message]`.
"""

import json
import os
from base64 import b64decode, b64encode
from collections import deque
from time import perf_counter_ns as clock
from time import process_time_ns as cpu_clock

import failures
import kvps
import limits
import outgoing
import rules
from journal import JOURNAL
from kvps import Bag, WatchedBag
from loading import NAMES
from rules import Event
from values import quote

FLUSH = 1_000_000
LONG = 100_000
MEMORY_GONE = 86

PART = 384 << 10

# Given up when memory runs out, so that there is some to tell it with.
BALLAST = [bytearray(1 << 20)]


class LeaveLine(BaseException):
    """Ends a run in the line at its first call: it is done again beside the line, where waiting holds up nobody."""


class Listener:
    """A rule in force. `wary`: the host hears of its next run before it begins, since it is new or was slow."""

    __slots__ = ("index", "cls", "keys", "shared", "star", "wary", "made")

    def __init__(self, index, cls, entries):
        self.index = index
        self.cls = cls
        self.star = "*" in entries
        self.keys = frozenset(key for key in entries if key != "*" and not key.startswith("shared."))
        self.shared = frozenset(key[len("shared."):] for key in entries if key.startswith("shared."))
        self.wary = True
        self.made = cls.__init__ is not object.__init__


class ChangeSet:
    """Changes that became visible together: (pid, key, text, previous) each, from `position` on."""

    __slots__ = ("position", "at", "source", "actor", "changes", "_events")

    def __init__(self, position, at, source, actor, changes):
        self.position = position
        self.at = at
        self.source = source
        self.actor = actor
        self.changes = changes
        self._events = None

    def events(self, listener):
        """Those that the listener listens to."""
        changes = self.changes
        if len(changes) == 1:
            # Else it would not have been woken.
            return [Event(self, changes[0], self.position)]
        every = self._events
        if every is None:
            every = self._events = [Event(self, change, at) for at, change in enumerate(changes, self.position)]
        return [
            event for event in every
            if (listener.star or event.key in listener.keys if event.pid else event.key in listener.shared)]


class Line:
    def __init__(self, shared, send, receive):
        self.shared = shared
        self.send = send
        self.receive = receive
        self.listeners = []
        self.state = {}
        self.weights = {}
        self.told = 0
        self.by_key = {}
        self.by_shared = {}
        self.star = ()
        self.steps = []
        self.flushed = 0
        self.cpu = 0
        self.ended = 0
        self.shared_bag = None
        self.number = 0
        self.announced = False
        self.sets = []
        self.away = set()
        self.running = False
        self.beside_line = False
        self.leaving = False

    def set(self, position, at, source, flat):
        """A change set that woke owed runs: pid, key, text, previous, and so on. A long one comes in pieces."""
        changes = [tuple(flat[i:i + 4]) for i in range(0, len(flat), 4)]
        if self.sets and self.sets[-1].position == position:
            self.sets[-1].changes.extend(changes)
        else:
            self.sets.append(ChangeSet(position, at, source, None, changes))

    def listen(self, found):
        """Puts rules in force: (id, class, entries) each, in their order."""
        self.listeners = [Listener(index, cls, entries) for index, (_, cls, entries) in enumerate(found)]
        self.star = tuple(one.index for one in self.listeners if one.star)
        own = {key for one in self.listeners for key in one.keys}
        self.by_key = {
            key: tuple(one.index for one in self.listeners if one.star or key in one.keys) for key in own}
        shared = {key for one in self.listeners for key in one.shared}
        self.by_shared = {key: tuple(one.index for one in self.listeners if key in one.shared) for key in shared}

    def _woken(self, changes):
        """The rules that a change set wakes, in order. `changes` has (pid, key, …)."""
        if len(changes) == 1:
            (pid, key, _, _), = changes
            return self.by_key.get(key, self.star) if pid else self.by_shared.get(key, ())
        woken = ()
        for change in changes:
            more = self.by_key.get(change[1], self.star) if change[0] else self.by_shared.get(change[1], ())
            if more and more is not woken:
                woken = more if not woken else tuple(sorted({*woken, *more}))
        return woken

    def flush(self, last=None):
        steps = self.steps
        if last is not None:
            steps.append(last)
        frame = f"[{self.number},{','.join(steps)}]".encode()
        steps.clear()
        self.told += len(frame)
        self.send(frame)
        self.flushed = clock()
        self.cpu = cpu_clock()

    def slice(self, number, head, at, most, micros, careful, cascade, owed, arrivals, away):
        """Runs a slice. `owed` has [rule, pid, set, generation], the sets being the change sets that came before in frames of their own;
        `arrivals` has [pid, wake pid, actor, source, [key, text, …]]; `cascade` is [actor, runs] of the owed ones; `away` has rule and
        process of the runs that are beside the line, one after the other: others of these wait for them."""
        self.number = number
        self.away = away = set(zip(away[::2], away[1::2]))
        self.announced = False
        self.told = 0
        self.flushed = now = clock()
        self.cpu = cpu_clock()
        until = now + micros * 1000
        state = self.state
        steps = self.steps
        self._share()
        weights = self.weights
        listeners = self.listeners
        by_key, star = self.by_key, self.star
        position = head
        queue = deque()
        actor, cascade_runs = cascade
        if owed:
            sets, self.sets = self.sets, []
            for one in sets:
                one.actor = actor
            queue.extend((listeners[rule], sets[which], pid, generation) for rule, pid, which, generation in owed)
        ran = 0
        taken = 0
        count = len(arrivals)
        while True:
            if queue:
                if ran >= most or self.told > limits.TOLD or now > until and (ran or taken):
                    break
                listener, woke, pid, generation = queue.popleft()
                ran += 1
                if generation > limits.GENERATIONS or cascade_runs >= limits.RUNS:
                    steps.append("4")
                    queue.clear()
                    continue
                if away and (listener.index, pid) in away:
                    steps.append(f"[6,{listener.index},{pid}]")
                    continue
                cascade_runs += 1
                changes = self.run(listener, woke, pid, careful)
                now = self.ended
                if changes is None:
                    cascade_runs -= 1
                elif changes:
                    first = position + 1
                    made = []
                    for bag, some in changes:
                        kvp = bag.committed
                        of = bag.pid
                        for key, text in some:
                            made.append((of, key, text, kvp.get(key)))
                            if text is None:
                                kvp.pop(key, None)
                            else:
                                kvp[key] = text
                    position += len(made)
                    woken = self._woken(made)
                    if woken:
                        caused = ChangeSet(first, at, "rule", actor, made)
                        generation += 1
                        for index in woken:
                            queue.append((listeners[index], caused, pid, generation))
            else:
                if taken == count or ran >= most or self.told > limits.TOLD or now > until and (ran or taken):
                    break
                pid, wake, actor, source, flat = arrivals[taken]
                taken += 1
                cascade_runs = 0
                kvp = state.get(pid)
                if kvp is None:
                    kvp = state[pid] = {}
                first = position + 1
                position += len(flat) >> 1
                if pid in weights:
                    # What came twice in one set would be counted twice; it is rare, and counted anew.
                    if len(set(flat[::2])) * 2 == len(flat):
                        weight = weights[pid]
                        for i in range(0, len(flat), 2):
                            weight = kvps.weigh(kvp, weight, flat[i], flat[i + 1])
                        weights[pid] = weight
                    else:
                        del weights[pid]
                if len(flat) == 2:
                    key, text = flat
                    woken = by_key.get(key, star) if pid else self.by_shared.get(key, ())
                    if woken:
                        made = ((pid, key, text, kvp.get(key)),)
                    if text is None:
                        kvp.pop(key, None)
                    else:
                        kvp[key] = text
                else:
                    made = []
                    for i in range(0, len(flat), 2):
                        key = flat[i]
                        text = flat[i + 1]
                        made.append((pid, key, text, kvp.get(key)))
                        if text is None:
                            kvp.pop(key, None)
                        else:
                            kvp[key] = text
                    woken = self._woken(made)
                steps.append("0")
                if woken:
                    caused = ChangeSet(first, at, source, actor, made)
                    for index in woken:
                        queue.append((listeners[index], caused, wake, 1))
                if not taken & 63:
                    now = clock()
            if now - self.flushed > FLUSH and steps:
                self.flush()
        self.flush("5")

    def run(self, listener, woke, pid, careful):
        """Runs one rule, and appends its step. Gives what it changed, as a list of (bag, changes), not yet in force; None if it leaves."""
        if careful or listener.wary:
            self.flush(f"[2,{listener.index},{pid}]")
            self.announced = True
        elif self.announced:
            # The host takes the run that it was told of for the one under way until it hears of its end.
            self.announced = False
            self.flush()
        state = self.state
        committed = state.get(pid)
        if committed is None:
            committed = state[pid] = {}
        shared = self.shared_bag
        if shared.values or shared.written:
            shared = self._share()
        return self._run(listener, woke, pid, Bag(pid, committed), shared)

    def _share(self):
        """A bag of the shared KVPs that no run has used yet."""
        shared = self.shared_bag = Bag(0, self.state.setdefault(0, {}))
        kvps.begin(self.shared, shared, True)
        return shared

    def beside(self, number, at, rule, pid, actor):
        """Runs one rule beside the line: it may call out, and what it reads is told. What woke it came before in frames of its own."""
        self.number = number
        self.flushed = clock()
        self.cpu = cpu_clock()
        (woke, *_), self.sets = self.sets, []
        woke.actor = actor
        seen = set()
        shared = WatchedBag(0, self.state.setdefault(0, {}), seen)
        kvps.begin(self.shared, shared, True)
        self.beside_line = True
        try:
            self._run(self.listeners[rule], woke, pid, WatchedBag(pid, self.state.setdefault(pid, {}), seen), shared)
        finally:
            self.beside_line = False
        self.steps.append("[7" + "".join(f",{of},{quote(key)}" for of, key in seen) + "]")
        self.flush("5")

    def _run(self, listener, woke, pid, bag, shared):
        events = woke.events(listener)
        if listener.shared:
            bag.fallback = {event.key for event in events if not event.pid}
            bag.behind = shared
        NAMES["event"] = events[0] if events else None
        NAMES["events"] = events
        log = error = "0"
        own = of_shared = ()
        gone = False
        self.running = True
        started = clock()
        try:
            bag.actor = woke.actor
            run = rules.begin(listener.cls, bag)
            if listener.made:
                run.__init__()
            if run.check():
                run.action()
                own = bag.changes()
                if shared.written or shared.mutable:
                    of_shared = shared.changes()
                if of_shared or own and (len(own) + len(bag.committed) > limits.FEW or self.weights):
                    self._check(bag, own, shared, of_shared)
                outcome = 1
            else:
                outcome = 0
        except MemoryError:
            BALLAST.clear()
            outcome, error, own, of_shared, gone = 3, _memory_error(), (), (), True
        except BaseException as problem:
            outcome, own, of_shared = 2, (), ()
            try:
                error = _error(problem)
            except MemoryError:
                BALLAST.clear()
                outcome, error, gone = 3, _memory_error(), True
        self.ended = ended = clock()
        micros = (ended - started) // 1000
        self.running = False
        if self.leaving:
            self.leaving = False
            if not gone:
                JOURNAL.take()
                self.away.add((listener.index, pid))
                self.steps.append(f"[6,{listener.index},{pid}]")
                return None
        # The clock of the CPU is a system call; a short run can not have used more than its time.
        cpu = micros if micros < 1000 else min(micros, (cpu_clock() - self.cpu) // 1000)
        listener.wary = micros > 1000
        if JOURNAL.parts:
            log = quote(failures.clean(JOURNAL.take()))
        if own or of_shared or log != "0" or error != "0":
            shared_told = _told(of_shared) if of_shared else "0"
            self.steps.append(f"[3,{listener.index},{pid},{outcome},{micros},{cpu},{_told(own)},{shared_told},{log},{error}]")
            if len(self.steps[-1]) > LONG:
                self.flush()
        else:
            self.steps.append(f"[3,{listener.index},{pid},{outcome},{micros},{cpu}]")
        if gone:
            # What holds the memory may be anything that the tenant's modules keep: only a fresh cell is fair to the next run.
            self.flush()
            os._exit(MEMORY_GONE)
        if not own:
            return ((shared, of_shared),) if of_shared else ()
        return ((bag, own), (shared, of_shared)) if of_shared else ((bag, own),)

    def call(self, method, url, headers, body):
        """An HTTP call, made by the host: (status, reason, [(name, value), …], body). In the line it ends the run, which is done again beside it."""
        if not self.running:
            raise RuntimeError("nothing can be called while files load, only in a run")
        if not self.beside_line:
            self.leaving = True
            raise LeaveLine
        (status, reason, flat), content = self._ask(["call", method, url, [text for header in headers for text in header], outgoing.patience], body)
        return status, reason, list(zip(flat[::2], flat[1::2])), content

    def sign(self, secret, algorithm, data):
        """A signature with a secret, made by the host, as bytes."""
        if not self.running:
            raise RuntimeError("nothing can be signed while files load, only in a run")
        try:
            return self._ask(["sign", secret, algorithm], data)[1]
        except outgoing.CallRefused as refused:
            raise PermissionError(refused.message) from None

    def _ask(self, head, body):
        for at in range(0, len(body), PART):
            self.send(b'["part","' + b64encode(body[at:at + PART]) + b'"]')
        self.send(json.dumps(head).encode())
        parts = []
        while True:
            what, *rest = self.receive()
            if what == "part":
                parts.append(b64decode(rest[0]))
            elif what == "answered":
                return rest, b"".join(parts)
            else:
                raise outgoing.CallRefused(*rest)

    def _check(self, bag, own, shared, of_shared):
        count = len(own) + len(of_shared)
        if count > limits.CHANGES:
            raise ValueError(f"the run changed {count} KVPs, and {limits.CHANGES} is the limit")
        if count > limits.FEW:
            size = sum(limits.size(text) for some in (own, of_shared) for _, text in some if text is not None)
            if size > limits.PROCESS:
                raise ValueError(f"the run's changes have {size} bytes, and {limits.PROCESS} is the limit")
        # Both are checked before either is noted: a run that fails leaves nothing.
        weight = kvps.total(bag, own, self.weights) if own else None
        if of_shared:
            self._note(0, kvps.total(shared, of_shared, self.weights))
        if own:
            self._note(bag.pid, weight)

    def _note(self, pid, weight):
        weights = self.weights
        if weight is None:
            weights.pop(pid, None)
        else:
            if len(weights) > 5000:
                weights.clear()
            weights[pid] = weight


def _told(changes):
    if not changes:
        return "0"
    if len(changes) == 1:
        key, text = changes[0]
        return f"[{quote(key)},{text}]" if text is not None else f"[[{quote(key)}]]"
    return "[" + ",".join(
        [f"{quote(key)},{text}" if text is not None else f"[{quote(key)}]" for key, text in changes]) + "]"


def _error(problem):
    kind, text, file, line, _, told = failures.describe(problem)
    return "[" + ",".join((
        quote(kind), quote(text), quote(file) if file else "null", str(line) if line else "null",
        quote(told) if told else "null")) + "]"


def _memory_error():
    return f'["Memory","The run needed more than the {limits.MEMORY} MiB of memory that a cell may have.",null,null,null]'
