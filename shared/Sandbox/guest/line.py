"""A tenant's line: matches change sets with rules and runs them, in the order that docs/rules.md promises.

What happens is told in steps, which the host reads as a JSON array per frame:

    0                  the next arrival was applied
    [2,r,p]            a run of rule r in process p begins; the last of its frame
    [3,r,p,o,us,us,…]  a run ended: outcome, wall and CPU microseconds, then own changes, shared changes, log, error, where any, and [p,changes,p,changes,…]
                       of other processes, where any, and what it tells people, where anything: ["mail",p,[to,…],message,subject,attach],
                       ["card",p,name,user], ["file",path], ["actor",user]; 0 for no subject and no user
    4                  the next run was not begun, because the cascade is too long
    5                  the slice is done
    [6,r,p]            the next run leaves the line: it called out, has to wait for one of its rule and process, or its rule is switched off
    [7,p,k,p,k,…]      what a run beside the line has read: process and key; no key for all of a process, -3 for a key in any process, -1 and no key where it looked further

A run that failed changes nothing but the two KVPs of its quarantine, and not these if what woke it comes of a quarantine itself.

Changes are `"key",value` for each KVP that was set and `["key"]` for each that was removed, one after the other.

The host keeps the same order of its own; what does not fit is the end of the cell.

In between a run may ask the host something: `["part",base64]` as often as the bytes need, then `["call",method,url,[name,value,…],seconds]` or
`["sign",secret,algorithm]`, `["file",path,""]` or `["save",path,""]`. The host answers likewise: parts, then `["answered",…]` or `["refused",kind,message]`.

About processes it asks `["below",pid,[p,changes,…]]`, answered by `["found",[pid,…]]`, before it tells of a change that wakes rules there, `["read",pid]`, answered by `["process",{key: text,…}]`, or null for none there; `["find",question,[p,changes,…]]`, with what the run has changed so far, answered by `["found",[pid,{…} or null,…]]`, or by
`["found",number]` where it counts; `["pids",count]`, answered by `["pids",first,count]`: numbers for processes that the run makes.
"""

import json
import os
from base64 import b64decode, b64encode
from collections import deque
from time import perf_counter_ns as clock
from time import process_time_ns as cpu_clock

import effects
import endpoints
import failures
import kvps
import limits
import outgoing
import processes
import rules
import settings
import witness
from journal import JOURNAL
from kvps import ANYWHERE, EVERYTHING, WHOLE, Bag, WatchedBag
from loading import NAMES
from rules import Event
from values import quote
from workspace import workspace

FLUSH = 1_000_000
LONG = 100_000
MEMORY_GONE = 86

PART = 384 << 10

# From here on numbers of processes are those that hindsight makes, of which nothing stays.
APART = 1 << 52

# Given up when memory runs out, so that there is some to tell it with.
BALLAST = [bytearray(1 << 20)]


class LeaveLine(BaseException):
    """Ends a run in the line at its first call: it is done again beside the line, where waiting holds up nobody."""


def _below(prefix, entries):
    return frozenset(key[len(prefix):] for key in entries if key.startswith(prefix))


def _process(text):
    """The number in a reference's canonical JSON, else 0."""
    number = text[len('{"$process":'):-1] if text is not None and text.startswith('{"$process":') else ""
    return int(number) if number.isdecimal() else 0


class Listener:
    """A rule in force. `wary`: the host hears of its next run before it begins, since it is new or was slow."""

    __slots__ = ("index", "id", "cls", "keys", "shared", "child", "parent", "star", "wary", "made", "required", "hold", "deferred", "retry")

    def __init__(self, index, name, cls, entries):
        self.index = index
        self.id = name
        self.cls = cls
        self.star = "*" in entries
        self.keys = frozenset(key for key in entries if key != "*" and not key.startswith(("shared.", "child.", "parent.")))
        self.shared = _below("shared.", entries)
        self.child = _below("child.", entries)
        self.parent = _below("parent.", entries)
        self.wary = True
        self.made = cls.__init__ is not object.__init__
        self.required = settings.required("", cls)
        self.hold = settings.holds("", cls)
        quiet, runs, *_, self.retry = settings.flow("", cls)
        self.deferred = bool(quiet or runs)


class ChangeSet:
    """Changes that became visible together: (pid, key, text, previous) each, from `position` on. `quiet`: it comes of a quarantine, and what fails because of it
    sets no KVPs. `again`: 1 where the run that it wakes has waited as long as its rule says, 2 where that was in quarantine. `attempt`: how often that run was
    put off because it failed."""

    __slots__ = ("position", "at", "source", "actor", "changes", "_events")
    quiet = False
    again = attempt = 0

    def __init__(self, position, at, source, actor, changes):
        self.position = position
        self.at = at
        self.source = source
        self.actor = actor
        self.changes = changes
        self._events = None

    def events(self, listener, pid):
        """Those that the listener listens to, in this process."""
        changes = self.changes
        if not changes:
            # A schedule, or what is not kept any more.
            return [Event(self, (pid, None, None, None), None)]
        if len(changes) == 1:
            # Else it would not have been woken.
            return [Event(self, changes[0], self.position)]
        every = self._events
        if every is None:
            every = self._events = [Event(self, change, at) for at, change in enumerate(changes, self.position)]
        return [
            event for event in every
            if (event.key in listener.shared if not event.pid
                else listener.star or event.key in listener.keys if event.pid == pid
                else event.key in listener.child or event.key in listener.parent)]


class MarkedSet(ChangeSet):
    __slots__ = ("quiet", "again", "attempt")

    def __init__(self, position, at, source, actor, changes, quiet, again=0, attempt=0):
        super().__init__(position, at, source, actor, changes)
        self.quiet = quiet
        self.again = again
        self.attempt = attempt


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
        self.by_child = {}
        self.by_parent = {}
        self.reaches = False
        self.below = {}
        self.star = ()
        self.own = None
        self.begun = None
        self.met = None
        self.given = None
        self.seen = None
        self.others = {}
        self.child = None
        self.numbers = deque()
        self.draw = 0
        self.steps = []
        self.flushed = 0
        self.cpu = 0
        self.ended = 0
        self.shared_bag = None
        self.number = 0
        self.announced = False
        self.sets = []
        self.away = set()
        self.held = set()
        self.failed = False
        self.in_transit = False
        self.running = False
        self.beside_line = False
        self.leaving = False
        self.acting = None
        self.is_nobody = False
        self.bodies = []

    def set(self, position, at, source, quiet, again, attempt, more, flat):
        """A change set that woke owed runs: pid, key, text, previous, and so on. A long one comes in pieces."""
        changes = [tuple(flat[i:i + 4]) for i in range(0, len(flat), 4)]
        if more:
            self.sets[-1].changes.extend(changes)
        else:
            self.sets.append(MarkedSet(position, at, source, None, changes, quiet, again, attempt) if quiet or again else ChangeSet(position, at, source, None, changes))

    def listen(self, found):
        """Puts rules in force: (id, class, entries, settings) each, in their order."""
        self.listeners = [Listener(index, name, cls, entries) for index, (name, cls, entries, _) in enumerate(found)]
        self.star = tuple(one.index for one in self.listeners if one.star)
        own = {key for one in self.listeners for key in one.keys}
        self.by_key = {
            key: tuple(one.index for one in self.listeners if one.star or key in one.keys) for key in own}
        shared = {key for one in self.listeners for key in one.shared}
        self.by_shared = {key: tuple(one.index for one in self.listeners if key in one.shared) for key in shared}
        below = {key for one in self.listeners for key in one.child}
        self.by_child = {key: tuple(one.index for one in self.listeners if key in one.child) for key in below}
        above = {key for one in self.listeners for key in one.parent}
        self.by_parent = {key: tuple(one.index for one in self.listeners if key in one.parent) for key in above}
        self.reaches = bool(self.by_child or self.by_parent)

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

    def _wakes(self, changes, pid):
        """The rules that a change set wakes, and in which processes, in order: where it reaches more than one of them. `pid` is that of the run, or of the
        arrival, where shared KVPs changed."""
        woken = {}
        # Who left a process, or is gone, is heard of there once more.
        former = {of: _process(before) for of, key, _, before in changes if key == "PARENT"}
        for change in changes:
            of, key = change[0], change[1]
            if not of:
                for index in self.by_shared.get(key, ()):
                    woken[index, pid] = None
                continue
            for index in self.by_key.get(key, self.star):
                woken[index, of] = None
            if key in self.by_child and (above := self._above(of) or former.get(of, 0)):
                for index in self.by_child[key]:
                    woken[index, above] = None
            for index in self.by_parent.get(key, ()):
                for child in self.below[of]:
                    woken[index, child] = None
        return sorted(woken, key=lambda wake: wake[0])

    def _above(self, pid):
        """The number of the process above, or 0."""
        return _process(self.state[pid].get("PARENT"))

    def flush(self, last=None):
        steps = self.steps
        if last is not None:
            steps.append(last)
        frame = f"[{self.number},{','.join(steps)}]".encode()
        steps.clear()
        self.announced = False
        self.told += len(frame)
        self.send(frame)
        self.flushed = clock()
        self.cpu = cpu_clock()

    def slice(self, number, head, at, most, micros, careful, cascade, owed, arrivals, away, held):
        """Runs a slice. `owed` has [rule, pid, set, generation], the sets being the change sets that came before in frames of their own;
        `arrivals` has [pid, wake pid, actor, source, [key, text, …]], and, where one wakes a rule again, its rule, set and generation behind these;
        `cascade` is [actor, runs, whom a rule chose in its place or None] of the owed ones; `away` has rule and process of the runs that are beside the line, one after the other: others of
        these wait for them; the process is 0 where the rule is switched off. `held` has rules and processes where all waits for what is in quarantine."""
        self.number = number
        self.away = away = set(zip(away[::2], away[1::2]))
        self.held = held = set(zip(held[::2], held[1::2]))
        self.announced = False
        self._meet((owed, arrivals), None)
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
        actor, cascade_runs, self.acting = cascade
        sets = self.sets
        if sets:
            self.sets = []
        if owed:
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
                    queue.clear()
                    changes = self._stop(listener, woke, pid, generation)
                    generation = cascade_runs = 0
                elif (away or held or listener.deferred) and self._waits(listener, woke, pid):
                    steps.append(f"[6,{listener.index},{pid}]")
                    continue
                else:
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
                    if self.others or self.reaches:
                        woken = self._wakes(made, pid)
                    else:
                        woken = [(index, pid) for index in self._woken(made)]
                    if woken:
                        if self.failed:
                            caused = MarkedSet(first, at, "quarantine", actor, made, True)
                        elif woke.quiet:
                            caused = MarkedSet(first, at, "rule", actor, made, True)
                        else:
                            caused = ChangeSet(first, at, "rule", actor, made)
                        generation += 1
                        for index, of in woken:
                            queue.append((listeners[index], caused, of, generation))
            else:
                if taken == count or ran >= most or self.told > limits.TOLD or now > until and (ran or taken):
                    break
                if len(arrivals[taken]) > 5:
                    _, pid, actor, _, _, index, which, generation, acting = arrivals[taken]
                    taken += 1
                    cascade_runs = 0
                    self.acting = acting
                    steps.append("0")
                    if index >= 0:
                        sets[which].actor = actor
                        queue.append((listeners[index], sets[which], pid, generation))
                    continue
                pid, wake, actor, source, flat = arrivals[taken]
                taken += 1
                cascade_runs = 0
                self.acting = None
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
                if self.by_parent and pid and any(key in self.by_parent for key in flat[::2]):
                    self._look_below([pid], "[]")
                if len(flat) == 2 and not self.reaches:
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
                if self.reaches:
                    caused = ChangeSet(first, at, source, actor, made)
                    for index, of in self._wakes(made, wake):
                        queue.append((listeners[index], caused, of, 1))
                elif woken:
                    caused = ChangeSet(first, at, source, actor, made)
                    for index in woken:
                        queue.append((listeners[index], caused, wake, 1))
                if not taken & 63:
                    now = clock()
            if now - self.flushed > FLUSH and steps:
                self.flush()
        self.flush("5")

    def _waits(self, listener, woke, pid):
        """Whether the next run has to leave the line before it begins."""
        index = listener.index
        return (index, pid) in self.away or (index, 0) in self.away or (index, pid) in self.held and woke.again < 2 or listener.deferred and not woke.again

    def _stop(self, listener, woke, pid, generation):
        """The next run is not begun, because its cascade is too long. Gives what its quarantine changes."""
        self.ended = clock()
        if listener.hold:
            self.held.add((listener.index, pid))
        if woke.quiet:
            self.steps.append("4")
            self.failed = False
            return ()
        self.own = bag = Bag(pid, self.state.setdefault(pid, {}))
        if self.others:
            self.others = {}
        own = self._quarantined(listener, too_long(generation))
        if self.by_parent:
            self.begun = (listener.index, pid)
            self._wake_below([(bag, own)])
        self.steps.append("4")
        return ((bag, own),)

    def _quarantined(self, listener, error):
        """What a failed run changes: it says so in its process."""
        self.failed = True
        return (("quarantined_script", quote(listener.id)), ("quarantine_error", quote(error)))

    def run(self, listener, woke, pid, careful):
        """Runs one rule, and appends its step. Gives what it changed, as a list of (bag, changes), not yet in force; None if it leaves."""
        if careful or listener.wary:
            self.flush(f"[2,{listener.index},{pid}]")
            self.announced = True
        elif self.announced:
            # The host takes the run that it was told of for the one under way until it hears of its end.
            self.flush()
        state = self.state
        if self.reaches and pid not in self._met():
            # Woken from below, or from above.
            self.begun = (listener.index, pid)
            committed = self._read(pid)
        else:
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

    def beside(self, number, at, rule, pid, actor, acting):
        """Runs one rule beside the line: it may call out, and what it reads is told. What woke it came before in frames of its own."""
        self.number = number
        self.flushed = clock()
        self.cpu = cpu_clock()
        (woke, *_), self.sets = self.sets, []
        woke.actor = actor
        self.acting = acting
        self._meet(None, {0, pid})
        self.seen = seen = set()
        shared = WatchedBag(0, self.state.setdefault(0, {}), seen)
        kvps.begin(self.shared, shared, True)
        self.beside_line = True
        try:
            self._run(self.listeners[rule], woke, pid, WatchedBag(pid, self.state.setdefault(pid, {}), seen), shared)
        finally:
            self.beside_line = False
        if witness.is_on:
            self.send(json.dumps(["looked", *witness.account()]).encode())
        self.steps.append("[7" + "".join(f",{of},{quote(key)}" for of, key in seen) + "]")
        self.flush("5")

    def look(self, number, at, rule, pid, actor, acting, acts):
        """As beside, in hindsight: tells what check read, and does not act where it is not to."""
        listener = self.listeners[rule]
        cls = listener.cls
        listener.cls = witness.watch(cls, acts)
        witness.begin(at)
        try:
            self.beside(number, at, rule, pid, actor, acting)
        finally:
            listener.cls = cls

    def trials(self, number, rule, sets):
        """Tries a rule on change sets that were, one after the other: [position, at, source, actor, [pid, key, text, …], [pid, …]]. Each becomes part of the state as it is recorded; what the
        rule does to it does not. Each run is told in a frame of its own."""
        listener = self.listeners[rule]
        self.number = number
        state = self.state
        # The host knows what this cell knows; what either has to ask for does not change in these sets.
        met = set(state)
        for position, at, source, actor, flat, pids in sets:
            made = []
            for i in range(0, len(flat), 3):
                pid, key, text = flat[i:i + 3]
                kvp = state.get(pid)
                if kvp is None:
                    kvp = state[pid] = {}
                    met.add(pid)
                made.append((pid, key, text, kvp.get(key)))
                if text is None:
                    kvp.pop(key, None)
                else:
                    kvp[key] = text
            if pids:
                woke = ChangeSet(position, at, source, actor, made)
                witness.begin(at)
                for pid in pids:
                    self._try(listener, woke, pid, met)

    def _try(self, listener, woke, pid, met):
        self.acting = None
        self.flushed = clock()
        self.cpu = cpu_clock()
        state = self.state
        if pid not in state:
            state[pid] = {}
            met.add(pid)
        self._meet(None, met)
        self.seen = set()
        shared = Bag(0, state.setdefault(0, {}))
        kvps.begin(self.shared, shared, True)
        self.beside_line = True
        try:
            self._run(listener, woke, pid, Bag(pid, state[pid]), shared)
        finally:
            self.beside_line = False
        # What it made is gone with it.
        for made in self.others:
            if made >= APART:
                del state[made]
                met.discard(made)
        self.steps.append("[7]")
        self.flush("5")

    def body(self, part):
        """A part of the body of the request that comes next."""
        self.bodies.append(b64decode(part))

    def serve(self, number, module, name, actor, method, origin, path, query, address, headers, user, groups, key, scopes):
        """Answers a request by a function under api/, beside the line: it may call out, and what it reads is told."""
        self.number = number
        self.flushed = started = clock()
        self.cpu = cpu_clock()
        raw = b"".join(self.bodies)
        self.bodies.clear()
        self.acting = None
        self.begun = (0, 0)
        self._meet(None, {0})
        self.seen = seen = set()
        self.own = shared = WatchedBag(0, self.state.setdefault(0, {}), seen)
        shared.actor = actor
        kvps.begin(self.shared, shared, True)
        self.others = {}
        self.child = None
        NAMES.update(parent=None, child=None, event=None, events=[])
        effects.gathered.clear()
        if workspace.is_used:
            workspace.begin()
        log = error = "0"
        of_shared = others = ()
        gone = False
        self.is_nobody = user is None
        self.beside_line = self.running = True
        answer = None
        try:
            try:
                answer = endpoints.call(module, name, endpoints.Request(method, origin, path, query, address, headers, raw, user, groups, key, scopes))
                of_shared = shared.changes()
                others = [(one, some) for one in self.others.values() if (some := one.changes())]
                self._check([(shared, of_shared), *others])
            except endpoints.Refusal as refusal:
                answer, of_shared, others = endpoints.problem(refusal), (), ()
                effects.gathered.clear()
            except endpoints.HttpResponse as raised:
                answer, of_shared, others = endpoints.told(raised), (), ()
                effects.gathered.clear()
            outcome = 1
        except MemoryError:
            BALLAST.clear()
            outcome, error, of_shared, others, gone = 3, _memory_error(), (), (), True
        except BaseException as problem:
            outcome, of_shared, others = 2, (), ()
            try:
                error = _error(problem)
            except MemoryError:
                BALLAST.clear()
                outcome, error, gone = 3, _memory_error(), True
        finally:
            self.running = self.beside_line = self.is_nobody = False
        micros = (clock() - started) // 1000
        cpu = min(micros, (cpu_clock() - self.cpu) // 1000)
        if workspace.is_used and outcome == 1:
            workspace.tell()
        if JOURNAL.parts:
            log = quote(failures.clean(JOURNAL.take()))
        told = list(effects.gathered) if outcome == 1 else []
        if outcome == 1:
            status, given, content = answer
            told.append(f'["answer",{status},{json.dumps(given)},"{b64encode(content).decode()}"]')
        self.steps.append(f"[3,0,0,{outcome},{micros},{cpu},0,{_told(of_shared)},{log},{error},{_told_of(others)},[{','.join(told)}]]")
        self.steps.append("[7" + "".join(f",{of},{quote(key)}" for of, key in seen) + "]")
        self.flush("5")
        if gone:
            os._exit(MEMORY_GONE)

    def _run(self, listener, woke, pid, bag, shared):
        self.own = bag
        self.begun = (listener.index, pid)
        if self.others:
            self.others = {}
        self.child = None
        events = woke.events(listener, pid)
        if bag.committed.get("PARENT") is not None or NAMES["parent"] is not None:
            above = bag.get("PARENT")
            NAMES["parent"] = processes.live(above.PROCESS_ID) if isinstance(above, processes.Process) else None
        if listener.child:
            below = [event.pid for event in events if event.pid not in (0, pid)]
            NAMES["child"] = processes.live(below[0]) if below else None
        elif NAMES["child"] is not None:
            NAMES["child"] = None
        if listener.shared:
            bag.fallback = {event.key for event in events if not event.pid}
            bag.behind = shared
        NAMES["event"] = events[0] if events else None
        NAMES["events"] = events
        if effects.gathered:
            effects.gathered.clear()
        if workspace.is_used:
            workspace.begin()
        log = error = "0"
        own = of_shared = others = ()
        raised = None
        gone = self.failed = self.in_transit = False
        self.running = True
        started = clock()
        try:
            bag.actor = self.acting or woke.actor
            run = rules.begin(listener.cls, bag)
            if listener.made:
                run.__init__()
            if listener.required and (lacking := rules.lacking(listener.required, bag)):
                print(f"It does not run, because {lacking}.")
                outcome = 0
            elif run.check():
                run.action()
                own = bag.changes()
                if shared.written or shared.mutable:
                    of_shared = shared.changes()
                if self.others:
                    others = [(one, some) for one in self.others.values() if (some := one.changes())]
                if of_shared or others or own and (len(own) + len(bag.committed) > limits.FEW or self.weights):
                    self._check([(bag, own), (shared, of_shared), *others])
                outcome = 1
            else:
                outcome = 0
        except MemoryError:
            BALLAST.clear()
            outcome, error, own, of_shared, others, gone = 3, _memory_error(), (), (), (), True
        except BaseException as problem:
            raised = problem
            outcome, own, of_shared, others = 2, (), (), ()
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
        if workspace.is_used and outcome == 1:
            workspace.tell()
        if JOURNAL.parts:
            log = quote(failures.clean(JOURNAL.take()))
        told = ""
        if effects.gathered and outcome == 1:
            told = f",[{','.join(effects.gathered)}]"
            if effects.is_acting():
                self.acting = bag.actor
        if error != "0" and outcome == 2 and woke.attempt < listener.retry and (self.in_transit or isinstance(raised, rules.Retry)):
            outcome = 4
        elif error != "0":
            if listener.hold:
                self.held.add((listener.index, pid))
            if not woke.quiet:
                kind, message, *_ = json.loads(error)
                own = self._quarantined(listener, f"{kind}: {message}")
        if own or of_shared or others or log != "0" or error != "0" or told:
            if self.by_parent:
                self._wake_below([(bag, own), *others])
            shared_told = _told(of_shared) if of_shared else "0"
            others_told = "," + _told_of(others) if others or told else ""
            self.steps.append(f"[3,{listener.index},{pid},{outcome},{micros},{cpu},{_told(own)},{shared_told},{log},{error}{others_told}{told}]")
            if len(self.steps[-1]) > LONG:
                self.flush()
        else:
            self.steps.append(f"[3,{listener.index},{pid},{outcome},{micros},{cpu}]")
        if gone:
            # What holds the memory may be anything that the tenant's modules keep: only a fresh cell is fair to the next run.
            self.flush()
            os._exit(MEMORY_GONE)
        if others:
            return [one for one in ((bag, own), (shared, of_shared), *others) if one[1]]
        if not own:
            return ((shared, of_shared),) if of_shared else ()
        return ((bag, own), (shared, of_shared)) if of_shared else ((bag, own),)

    @property
    def pid(self):
        return self.own.pid

    def bag(self, pid):
        """The KVPs of a process, as this run sees them."""
        if not self.running:
            raise RuntimeError("processes can not be looked at while files load, only in a run")
        if pid == self.own.pid:
            return self.own
        bag = self.others.get(pid)
        if bag is None:
            committed = self.state.get(pid) if pid in self._met() else self._read(pid)
            if not committed:
                raise processes.DoesNotExist(f"there is no process {pid}")
            bag = self.others[pid] = WatchedBag(pid, committed, self.seen) if self.beside_line else Bag(pid, committed)
        return bag

    def make(self):
        """The number of a process that this run makes."""
        if not self.running:
            raise RuntimeError("no process can be made while files load, only in a run")
        if not self.numbers:
            self.draw = min(self.draw * 2 or 1, 64)
            first, count = self._ask_of(["pids", self.draw])
            self.numbers.extend(range(first, first + count))
        pid = self.numbers.popleft()
        self.state[pid] = {}
        self._met().add(pid)
        self.others[pid] = Bag(pid, self.state[pid])
        return pid

    def new_child(self):
        """The one child that this run makes."""
        if self.child is None:
            self.child = processes.live(self.make())
            self.child.PARENT = self.own.pid
        return self.child

    def find(self, question):
        """The numbers of the processes that match, or how many they are."""
        if not self.running:
            raise RuntimeError("processes can not be looked at while files load, only in a run")
        # What this run has changed so far counts.
        told = [(one, some) for one in (self.own, *self.others.values()) if (some := one.changes())]
        text = '{"where":[' + ",".join(
            "[" + ("true" if negated else "false") + ",[" + ",".join(
                f"[{quote(key)},{quote(operation)},{processes.operand(value)}]" for key, operation, value in conditions) + "]]"
            for negated, conditions in question["where"]) + "]"
        for name in ("order", "offset", "limit", "count"):
            if name in question:
                text += f',"{name}":{json.dumps(question[name])}'
        if self.beside_line:
            self._see(question)
        answer, = self._ask_of(f'["find",{text}}},{_told_of(told)}]')
        if isinstance(answer, int):
            return answer
        met = self._met()
        for pid, known in zip(answer[::2], answer[1::2]):
            if known is not None and pid not in met:
                self.state[pid] = known
                met.add(pid)
        return answer[::2]

    def _see(self, question):
        """Notes the keys on which it depends what a question finds. Of what has not a key, nothing tells when it comes."""
        for negated, conditions in question["where"]:
            for key, operation, _ in conditions:
                if negated or key == "PROCESS_ID" or operation in ("isnull", "ne"):
                    self.seen.add(EVERYTHING)
                self.seen.add((ANYWHERE, key))
        if not any(conditions for _, conditions in question["where"]):
            self.seen.add(EVERYTHING)
        self.seen.update((ANYWHERE, key) for key, _ in question.get("order", ()))

    def _meet(self, given, met):
        """Begins what the host has a new book for."""
        self.given = given
        self.met = met
        self.draw = 0
        if self.numbers:
            self.numbers.clear()

    def _met(self):
        """The processes whose KVPs the host and this cell agree on in this slice: others have to be asked for, whatever is remembered of them."""
        if self.met is None:
            owed, arrivals = self.given
            self.met = {0, *(one[1] for one in owed), *(one[0] for one in arrivals), *(one[1] for one in arrivals)}
        return self.met

    def _read(self, pid):
        if self.beside_line:
            self.seen.add((pid, WHOLE))
        known, = self._ask_of(["read", pid])
        if known is not None:
            self.state[pid] = known
            self._met().add(pid)
        return known

    def _wake_below(self, changed):
        wake = [one.pid for one, some in changed if any(key in self.by_parent for key, _ in some)]
        if wake:
            self._look_below(wake, _told_of([one for one in changed if one[1]]))

    def _look_below(self, pids, so_far):
        """Asks which processes stand below these: a change of what they listen to wakes rules there."""
        if self.beside_line:
            return
        if self.steps:
            self.flush()
        for pid in pids:
            self.send(f'["below",{pid},{so_far}]'.encode())
            _, self.below[pid] = self.receive()

    def _ask_of(self, ask):
        """Asks the host about processes. It must know of all that came before, and which run it is that asks."""
        self._announce()
        self.send(ask.encode() if isinstance(ask, str) else json.dumps(ask).encode())
        what, *rest = self.receive()
        if what == "refused":
            raise ValueError(rest[1])
        return rest

    def _announce(self):
        """What is asked for is the run's that was told to begin."""
        if not self.beside_line and not self.announced:
            self.flush("[2,%d,%d]" % self.begun)
            self.announced = True

    def file(self, path):
        """What is in a file of the tenant's, as bytes; None where there is none."""
        self._announce()
        try:
            return self._ask(["file", path, ""], b"")[1]
        except outgoing.CallRefused as refused:
            if refused.kind == "Absent":
                return None
            raise OSError(refused.message) from None

    def save(self, path, content):
        """Gives the host what a file of the tenant's shall be. It is so once the run has ended well."""
        self._announce()
        try:
            self._ask(["save", path, ""], content)
        except outgoing.CallRefused as refused:
            raise ValueError(refused.message) from None
        self.told += len(content)

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
                self.in_transit = False
                return rest, b"".join(parts)
            else:
                self.in_transit = rest[0] in ("Dns", "Connect", "Timeout", "Protocol")
                raise outgoing.CallRefused(*rest)

    def _check(self, changed):
        """Raises where the changes are more than a run or a process may have. `changed` has (bag, changes)."""
        count = sum(len(some) for _, some in changed)
        if count > limits.CHANGES:
            raise ValueError(f"the run changed {count} KVPs, and {limits.CHANGES} is the limit")
        if count > limits.FEW:
            size = sum(limits.size(text) for _, some in changed for _, text in some if text is not None)
            if size > limits.PROCESS:
                raise ValueError(f"the run's changes have {size} bytes, and {limits.PROCESS} is the limit")
        # All are checked before any is noted: a run that fails leaves nothing.
        for pid, weight in [(bag.pid, kvps.total(bag, some, self.weights)) for bag, some in changed if some]:
            self._note(pid, weight)

    def _note(self, pid, weight):
        weights = self.weights
        if weight is None:
            weights.pop(pid, None)
        else:
            if len(weights) > 5000:
                weights.clear()
            weights[pid] = weight


def too_long(generation):
    """Why a run of this generation is not begun."""
    what = f"more than {limits.GENERATIONS} generations" if generation > limits.GENERATIONS else f"more than {limits.RUNS} runs"
    return f"Cascade: Rules led to one another through {what}."


def _told(changes):
    if not changes:
        return "0"
    if len(changes) == 1:
        key, text = changes[0]
        return f"[{quote(key)},{text}]" if text is not None else f"[[{quote(key)}]]"
    return "[" + ",".join(
        [f"{quote(key)},{text}" if text is not None else f"[{quote(key)}]" for key, text in changes]) + "]"


def _told_of(changed):
    """[process, changes, process, changes, …]"""
    return "[" + ",".join([f"{bag.pid},{_told(some)}" for bag, some in changed]) + "]"


def _error(problem):
    kind, text, file, line, _, told = failures.describe(problem)
    return "[" + ",".join((
        quote(kind), quote(text), quote(file) if file else "null", str(line) if line else "null",
        quote(told) if told else "null")) + "]"


def _memory_error():
    return f'["Memory","The run needed more than the {limits.MEMORY} MiB of memory that a cell may have.",null,null,null]'
