"""Tests that a tenant has beside its rules (docs/tests.md). Each runs on processes that it makes itself, on a clock that stands where it says, through the rules as the line runs them; what
these send, save and call goes nowhere, and is there for the test to look at. The host is asked for three things alone: which of the test's processes match a question, how a mail is printed,
and when a schedule is due.

    ["file",path]                                    a file is loaded
    ["fault",line,message]                           it does not load
    ["test",path,name,line]                          a test begins
    ["tested",passed,message,line,file,line,log,µs]  it has ended: where in its own file, and where in another, if it failed there
    ["no more"]
"""

import ast
import hashlib
import hmac
import json
import sys
import types
from base64 import b64decode, b64encode
from collections import deque
from datetime import datetime, timedelta, timezone
from fnmatch import fnmatchcase
from time import perf_counter_ns as clock

import effects
import failures
import kvps
import limits
import loading
import processes
import rules
import settings
import witness
from journal import JOURNAL
from kvps import Bag, Shared
from line import PART, MarkedSet, too_long
from values import check_key, decode, encode, quote

# A retry's first pause, what each next one is longer by, and the longest.
PAUSE, LONGER, LONGEST = 10, 4, 3600
# So many moments of schedules one wait goes over.
MOMENTS = 1000
SHOWN = 200
# What a test has at hand besides what a rule has.
NAMES = ("given", "send", "at", "wait", "tick", "answer", "actor", "mails", "cards", "calls", "runs", "ran", "errors")


class Told(list):
    """What happened in a test, in its order."""

    def __init__(self, what):
        super().__init__()
        self.what = what

    def __getitem__(self, at):
        try:
            return super().__getitem__(at)
        except IndexError:
            raise AssertionError(f"there is no {self.what} at {at}: there {'is' if len(self) == 1 else 'are'} {len(self)}") from None


class Errors(Told):
    """The runs that failed. A test that does not look at them fails with the first."""

    def __init__(self, what):
        super().__init__(what)
        self.is_looked_at = False

    def __getitem__(self, at):
        self.is_looked_at = True
        return super().__getitem__(at)


def _looked(name):
    of = getattr(list, name)

    def method(self, *given):
        self.is_looked_at = True
        return of(self, *given)
    return method


for _name in ("__len__", "__iter__", "__contains__", "__eq__", "__ne__"):
    setattr(Errors, _name, _looked(_name))
Errors.__hash__ = None


class Record:
    """Something that happened, with a name for each part."""

    def __init__(self, **parts):
        self.__dict__.update(parts)

    def __repr__(self):
        return f"{type(self).__name__}({', '.join(f'{name}={_short(value)}' for name, value in vars(self).items())})"

    def __eq__(self, other):
        return vars(self) == vars(other) if type(self) is type(other) else NotImplemented

    __hash__ = None


class Run(Record):
    """rule, file, process, outcome ("ran", "no", "failed" or "retry"), log, error"""


class Mail(Record):
    """to, subject, message, process"""


class Card(Record):
    """name, user, process"""


class Call(Record):
    """method, url, headers, body"""

    @property
    def json(self):
        return json.loads(self.body)


class Given(processes.Live):
    """A process as a test has it: always as it is now, and what is set on it is so, and wakes nobody."""

    __slots__ = ()

    def __getattr__(self, name):
        if name == "__bag__":
            return processes.run.bag(_pid_of(self))
        return processes.Process.__getattr__(self, name)


for _kind in (Told, Errors, Run, Mail, Card, Call):
    _kind.__module__ = "eddy"
_pid_of = processes.Found.__dict__["__pid__"].__get__
_set_pid = processes.Found.__dict__["__pid__"].__set__


def _given(pid):
    process = Given.__new__(Given)
    _set_pid(process, pid)
    return process


def _short(value):
    text = repr(value)
    return text if len(text) <= SHOWN else text[:SHOWN] + "…"


class World:
    """What there is in a test. It stands in the host's place for the line."""

    def __init__(self, line, send, receive):
        self.line = line
        self.ask_host = send, receive
        line.send, line.receive = self.hear, self.answer
        self.replies = deque()
        self.body = b""
        self.mails, self.cards, self.calls, self.runs, self.errors, self.ran = Told("mail"), Told("card"), Told("call"), Told("run"), Errors("error"), Told("rule that ran")

    def begin(self, at):
        """All is empty, and it is now."""
        line = self.line
        self.now = at
        self.actor = "test"
        self.position = 0
        self.last = 0
        self.acting = None
        self.answers = []
        self.files = {}
        self.unsaved = {}
        self.later = []
        self.times = {}
        self.printed = []
        self.order = 0
        self.error_at = None
        for told in (self.mails, self.cards, self.calls, self.runs, self.errors, self.ran):
            told.clear()
        self.errors.is_looked_at = False
        line.state.clear()
        line.weights.clear()
        line.below.clear()
        line.away, line.held = set(), set()
        line.state[0] = {}
        self.open()

    # What a test does.

    def open(self):
        """The test itself sees and sets KVPs as a run does."""
        line = self.line
        witness.moment = self.now
        line.own = Bag(0, line.state[0])
        kvps.begin(line.shared, line.own, True)
        line.others = {}
        line.child = None
        line._meet(None, set(line.state))
        line.seen = set()
        line.running = line.beside_line = True
        effects.gathered.clear()
        processes.values.process = _given

    def close(self):
        """What the test has set is so. It wakes nobody."""
        line = self.line
        for bag in (line.own, *line.others.values()):
            for key, text in bag.changes():
                if text is None:
                    bag.committed.pop(key, None)
                else:
                    bag.committed[key] = text
        if effects.gathered:
            raise RuntimeError("a test sends nothing itself; send(…) an event to rules that do")
        line.running = line.beside_line = False
        line.others = {}
        processes.values.process = processes.found

    def given(self, *more, **kvps):
        """A process that is there, with these KVPs; nothing wakes."""
        pid = self.line.make()
        process = _given(pid)
        for key, value in _pairs("given", more, kvps):
            process[key] = value
        return process

    def send(self, *what, **kvps):
        """An event: the KVPs become those of the process, or of a new one, and everything that they cause happens. Gives the process."""
        of = None
        if what and isinstance(what[0], (processes.Process, Shared)):
            of, *what = what
        pairs = _pairs("send", what, kvps)
        self.close()
        try:
            state = self.line.state
            if isinstance(of, Shared):
                pid, wake = 0, self.number()
            else:
                pid = wake = self.number() if of is None else of.__reference__()
            bag = Bag(pid, state.setdefault(pid, {}))
            for key, value in pairs:
                check_key(key)
                # From outside, None is a value like any other.
                bag.put(key, encode(key, processes._parent(value) if key == "PARENT" and pid else value))
            self.acting = None
            woken = self.apply([(pid, key, text) for key, text in bag.written.items()], wake, "api", self.actor, False)
            self.settle(deque((listener, woke, at, 1) for listener, woke, at in woken))
        finally:
            self.open()
        return None if pid == 0 else _given(pid)

    def at(self, moment):
        """The clock stands there: a datetime, or text as 2026-11-23 10:00, in the tenant's time zone where it names none."""
        when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if not isinstance(when, datetime):
            raise TypeError(f"at takes a moment, as at('2026-11-23 10:00'), not {type(moment).__name__}")
        self.now = witness.moment = (when.replace(tzinfo=rules.ZONE) if when.tzinfo is None else when).astimezone(timezone.utc)

    def wait(self, duration):
        """The clock goes on, and what is due on the way happens: what was put off, and schedules. Text as 10 min, or a timedelta."""
        span = duration if isinstance(duration, timedelta) else timedelta(microseconds=settings._micros("wait", duration, '"10 min"'))
        if span <= timedelta(0):
            raise ValueError("the clock of a test goes on, not back; say at(…) to set it")
        self.close()
        try:
            until = self.now + span
            due = self.schedules(self.now, until)
            while True:
                first = min(self.later, key=lambda one: (one[0], one[1]), default=None)
                if due and (first is None or due[0][0] <= first[0]):
                    when, listener = due.pop(0)
                    self.go(max(self.now, when))
                    self.tick_of(listener)
                elif first is not None and first[0] <= until:
                    self.later.remove(first)
                    self.go(max(self.now, first[0]))
                    *woken, self.acting = first[2]
                    self.settle(deque([tuple(woken)]))
                else:
                    break
            self.go(until)
        finally:
            self.open()

    def tick(self, name):
        """The rule's schedule is due."""
        listener = self.listener(name)
        if settings.schedule("", listener.cls) is None:
            raise ValueError(f"{name} has no schedule")
        self.close()
        try:
            self.tick_of(listener)
        finally:
            self.open()

    def answer_call(self, url, status=200, json=None, text=None, headers=None, method=None, fails=None):
        """What a call is answered with: by its address, in which * stands for anything. Several for one address come one after the other, and the last again and again."""
        body = text.encode() if isinstance(text, str) else b"" if json is None else loading.json.dumps(json).encode()
        given = dict(headers or {})
        if json is not None:
            given.setdefault("content-type", "application/json")
        given.setdefault("content-length", str(len(body)))
        self.answers.append([method and method.upper(), url, status, given, body, fails, False])

    def act_as(self, actor):
        """Who sends the events from here on."""
        if not isinstance(actor, str) or not actor:
            raise TypeError("actor takes a mail address, as in actor('ann@example.com')")
        self.actor = actor

    def names(self):
        return dict(zip(NAMES, (
            self.given, self.send, self.at, self.wait, self.tick, self.answer_call, self.act_as, self.mails, self.cards, self.calls, self.runs, self.ran, self.errors), strict=True))

    # What happens.

    def go(self, moment):
        self.now = witness.moment = moment

    def below(self, pid):
        return [child for child, kvps in sorted(self.line.state.items()) if kvps.get("PARENT") == f'{{"$process":{pid}}}']

    def number(self):
        self.last += 1
        return self.last

    def listener(self, name):
        found = [one for one in self.line.listeners if one.cls.__name__ == name or one.id == name]
        if len(found) != 1:
            raise ValueError(f"{'more than one rule is' if found else 'no rule is'} called {name}")
        return found[0]

    def schedules(self, after, until):
        """What is due on the way, in its order, with its rule."""
        due = []
        for listener in self.line.listeners:
            if (told := settings.schedule("", listener.cls)) is not None:
                _, moments = self.ask(["due", told[0], after.isoformat(), until.isoformat()])
                due.extend((datetime.fromisoformat(one).astimezone(timezone.utc), listener) for one in moments)
        if len(due) > MOMENTS:
            raise ValueError(f"schedules are due {len(due)} times on the way, and a wait goes over {MOMENTS} of them at the most; say tick(…)")
        return sorted(due, key=lambda one: (one[0], one[1].index))

    def tick_of(self, listener):
        _, where = settings.schedule("", listener.cls)
        pids = sorted(pid for pid, kvps in self.line.state.items() if pid and kvps)
        if where is not None:
            pids = self.find(json.loads(where), {pid: self.line.state[pid] for pid in pids})
        for pid in pids:
            self.acting = None
            woke = MarkedSet(self.position, self.now.isoformat(), "schedule", f"schedule:{listener.id}", [], False, 1)
            self.settle(deque([(listener, woke, pid, 1)]))

    def apply(self, changes, pid, source, actor, quiet):
        """Changes take effect together; gives what they wake."""
        line = self.line
        state = line.state
        for of, key, _ in changes:
            if key in line.by_parent:
                line.below[of] = self.below(of)
        made = []
        for of, key, text in changes:
            known = state.setdefault(of, {})
            made.append((of, key, text, known.get(key)))
            if text is None:
                known.pop(key, None)
            else:
                known[key] = text
        if not made:
            return []
        woke = MarkedSet(self.position + 1, self.now.isoformat(), source, actor, made, quiet)
        self.position += len(made)
        return [(line.listeners[index], woke, of) for index, of in line._wakes(made, pid)]

    def settle(self, queue):
        """Runs what was woken, and what that wakes, to the end, in the line's order. What calls leaves the line, and what a throttle lets pass comes anew: both are behind the rest."""
        away = self.line.away
        behind = deque()
        ran = 0
        while queue or behind:
            is_beside = is_passed = False
            if queue:
                listener, woke, pid, generation = queue.popleft()
            else:
                listener, woke, pid, generation, is_beside = behind.popleft()
                is_passed = True
            at = listener.index, pid
            if at in self.line.held:
                continue
            if not is_passed:
                if listener.deferred and not woke.again:
                    if self.passes(listener, woke, pid, generation):
                        behind.append((listener, woke, pid, generation, False))
                    continue
                if at in away:
                    behind.append((listener, woke, pid, generation, True))
                    continue
            ran += 1
            if generation > limits.GENERATIONS or ran > limits.RUNS:
                queue.clear()
                queue.extend(self.stop(listener, woke, pid, generation))
                ran = 0
                continue
            done = self.run(listener, woke, pid, generation, is_beside)
            if done is None:
                behind.append((listener, woke, pid, generation, True))
                continue
            if is_beside and not any(one[4] and (one[0].index, one[2]) == at for one in behind):
                away.discard(at)
            changes, quiet = done
            for next_listener, caused, of in self.apply(changes, pid, "quarantine" if quiet and not woke.quiet else "rule", woke.actor, quiet or woke.quiet):
                queue.append((next_listener, caused, of, generation + 1))

    def stop(self, listener, woke, pid, generation):
        """The next run is not begun, because its cascade is too long; gives what its quarantine wakes."""
        said = too_long(generation)
        self.fail(said, listener.id.rpartition(":")[0], None)
        if listener.hold:
            self.line.held.add((listener.index, pid))
        if woke.quiet:
            return []
        changes = [(pid, "quarantined_script", quote(listener.id)), (pid, "quarantine_error", quote(said))]
        return [(one, caused, of, 1) for one, caused, of in self.apply(changes, pid, "quarantine", woke.actor, True)]

    def passes(self, listener, woke, pid, generation):
        """Whether a throttle lets it pass now. Else it is in the line again when the clock has gone on so far, as is what a debounce has wait."""
        quiet, most, within, per, _ = settings.flow("", listener.cls)
        stream = listener.index, pid if per is None else (self.line.state.get(pid) or {}).get(per, "null")
        again = MarkedSet(woke.position, woke.at, woke.source, woke.actor, woke.changes, woke.quiet, 1)
        if quiet:
            self.later = [one for one in self.later if one[3] != stream]
            self.put_off(self.now + timedelta(microseconds=quiet), (listener, again, pid, generation), stream)
            return False
        times = [when for when in self.times.get(stream, ()) if when + timedelta(microseconds=within) > self.now]
        if len(times) < most:
            self.times[stream] = [*times, self.now]
            return True
        due = times[-most] + timedelta(microseconds=within)
        self.times[stream] = [*times, due]
        self.put_off(due, (listener, again, pid, generation), stream)
        return False

    def put_off(self, when, what, stream):
        self.order += 1
        self.later.append((when, self.order, (*what, self.acting), stream))

    def run(self, listener, woke, pid, generation, is_beside):
        """Runs one rule; gives its changes, and whether they are those of a quarantine; None where it calls, and leaves the line."""
        line = self.line
        if line.state.get(pid) is None:
            line.state[pid] = {}
        self.printed.append(JOURNAL.take())
        line.number = 0
        line.acting = self.acting
        line._meet(None, set(line.state))
        line.seen = set()
        line.below.clear()
        line.flushed = clock()
        shared = Bag(0, line.state[0])
        kvps.begin(line.shared, shared, True)
        witness.begin(self.now.isoformat())
        witness.is_open = False
        line.beside_line = is_beside
        line.announced = False
        self.unsaved = {}
        try:
            line._run(listener, woke, pid, Bag(pid, line.state[pid]), shared)
        finally:
            line.beside_line = False
            witness.is_open = True
        *_, step = (json.loads(step) for step in line.steps)
        line.steps.clear()
        if step[0] == 6:
            return None
        _, _, _, outcome, *_ = step
        self.acting = line.acting
        own, of_shared, log, error = (*step[6:10], 0, 0, 0, 0)[:4] if len(step) > 6 else (0, 0, 0, 0)
        self.runs.append(Run(
            rule=listener.cls.__name__, file=listener.id.rpartition(":")[0], process=_given(pid), outcome=("no", "ran", "failed", "failed", "retry")[outcome], log=log or "",
            error=f"{error[0]}: {error[1]}" if error else None))
        if outcome == 1:
            self.ran.append(listener.cls.__name__)
            self.files.update(self.unsaved)
        if outcome == 4:
            pause = min(PAUSE * LONGER ** woke.attempt, LONGEST)
            self.put_off(self.now + timedelta(seconds=pause), (listener, MarkedSet(woke.position, woke.at, woke.source, woke.actor, woke.changes, woke.quiet, 1, woke.attempt + 1), pid, generation), None)
        elif error:
            self.fail(f"{error[0]}: {error[1]}", error[2] or listener.id.rpartition(":")[0], error[3])
        changes = [*_changes(pid, own), *_changes(0, of_shared)]
        others = step[10] if len(step) > 10 else []
        for at in range(0, len(others), 2):
            changes.extend(_changes(others[at], others[at + 1]))
        # What equals what is there is no change, but where a quarantine says it; a run beside the line tells it all the same.
        changes = [(of, key, text) for of, key, text in changes if error or line.state.get(of, {}).get(key) != text]
        before = {of: dict(line.state.get(of, {})) for of in {0, pid, *(of for of, *_ in changes)}}
        for of, key, text in changes:
            before[of][key] = text
        if outcome == 1 and len(step) > 11:
            self.tell(step[11], before, self.acting or woke.actor)
        return changes, bool(error) and outcome != 4

    def tell(self, told, after, user):
        """Mails and cards, printed as they would be: with the KVPs that the run leaves."""
        for kind, *what in told:
            if kind == "mail":
                pid, to, message, subject, _ = what
                known = after.get(pid) or self.line.state.get(pid, {})
                texts = [message, subject or ""]
                _, printed = self.ask(["print", texts, pid, {key: text for key, text in known.items() if text is not None}, {key: text for key, text in after[0].items() if text is not None},
                                       user])
                self.mails.append(Mail(to=to, subject=printed[1] or None, message=printed[0], process=_given(pid) if pid else None))
            elif kind == "card":
                pid, name, named = what
                self.cards.append(Card(name=name, user=named or user, process=_given(pid) if pid else None))

    def fail(self, message, file, line):
        if not list.__len__(self.errors):
            self.error_at = file, line
        self.errors.append(message)

    # What the line asks for.

    def ask(self, what):
        """Asks the host, which knows."""
        send, receive = self.ask_host
        send(json.dumps(what).encode())
        answer = receive()
        if answer[0] == "refused":
            raise ValueError(answer[2])
        return answer

    def find(self, question, touched):
        return self.ask(["find", question, {pid: kvps for pid, kvps in touched.items() if pid and kvps}])[1]

    def answer(self):
        return self.replies.popleft()

    def hear(self, frame):
        if frame[:2] != b'["':
            # Steps that were told early, since they are long.
            self.line.steps[:0] = [json.dumps(step) for step in json.loads(frame)[1:]]
            return
        what, *rest = json.loads(frame)
        if what == "part":
            self.body += b64decode(rest[0])
            return
        body, self.body = self.body, b""
        getattr(self, "on_" + what)(body, *rest)

    def on_pids(self, body, count):
        # One at a time, so that processes are numbered as they come.
        self.replies.append(["pids", self.number(), 1])

    def on_read(self, body, pid):
        self.replies.append(["process", self.line.state.get(pid) or None])

    def on_below(self, body, pid, told):
        self.replies.append(["found", self.below(pid)])

    def on_find(self, body, question, told):
        line = self.line
        now = dict(line.state)
        for bag in (line.own, *line.others.values()):
            now[bag.pid] = bag.texts()
        try:
            found = self.find(question, now)
        except ValueError as refused:
            self.replies.append(["refused", "Refused", str(refused)])
            return
        if isinstance(found, list):
            found = [part for pid in found for part in (pid, None)]
        self.replies.append(["found", found])

    def on_call(self, body, method, url, flat, patience):
        headers = {name.lower(): value for name, value in zip(flat[::2], flat[1::2])}
        self.calls.append(Call(method=method, url=url, headers=headers, body=body.decode("utf-8", "replace")))
        fits = [one for one in self.answers if one[0] in (None, method) and (one[1] == url or "*" in one[1] and fnmatchcase(url, one[1].replace("[", "[[]")))]
        if not fits:
            self.replies.append(["refused", "Refused", f"The test has no answer for {method} {url}. Say answer({url!r}, json=…) before it."])
            return
        one = next((one for one in fits if not one[6]), fits[-1])
        one[6] = True
        _, _, status, given, content, fails, _ = one
        if fails is not None:
            self.replies.append(["refused", "Connect", fails if isinstance(fails, str) else "The test says that it fails."])
            return
        self.reply(content, [status, "", [text for header in given.items() for text in header]])

    def on_sign(self, body, secret, algorithm):
        try:
            self.reply(hmac.new(secret.encode(), body, getattr(hashlib, algorithm.replace("hmac-", "").replace("-", "").lower())).digest(), [])
        except (AttributeError, ValueError):
            self.replies.append(["refused", "Refused", f"A test signs nothing by {algorithm}."])

    def on_file(self, body, path, _):
        content = self.unsaved.get(path, self.files.get(path))
        if content is None:
            self.replies.append(["refused", "Absent", f"There is no file {path}."])
        else:
            self.reply(content, [])

    def on_save(self, body, path, _):
        # What the test saves itself is there.
        (self.files if self.line.own.pid == 0 and witness.is_open else self.unsaved)[path] = body
        self.reply(b"", [])

    def reply(self, content, head):
        for at in range(0, len(content), PART):
            self.replies.append(["part", b64encode(content[at:at + PART]).decode()])
        self.replies.append(["answered", *head])


def _pairs(of, what, kvps):
    """KVPs given by name, and in dictionaries for keys that are no names."""
    pairs = []
    for one in what:
        if not isinstance(one, dict):
            raise TypeError(f"{of} takes KVPs, as in {of}(temperature=95), and a process before them; not {type(one).__name__}")
        pairs.extend(one.items())
    pairs.extend(kvps.items())
    return pairs


def _changes(pid, told):
    """(pid, key, text) of what a step tells."""
    if not told:
        return
    at = 0
    while at < len(told):
        if isinstance(told[at], list):
            yield pid, told[at][0], None
            at += 1
        else:
            yield pid, told[at], encode("", decode(json.dumps(told[at + 1])))
            at += 2


def run(line, send, receive, files, done):
    """Runs the tests of these files but those that were begun before; `files` has path and text."""
    world = World(line, send, receive)
    names = dict(loading.NAMES, **world.names())
    started = witness.moment.astimezone(timezone.utc)
    for path, text in files:
        if path in done:
            continue
        send(json.dumps(["file", path]).encode())
        world.begin(started)
        module = types.ModuleType("tests." + path[len("tests/"):-len(".py")].replace("/", "."))
        module.__file__ = path
        module.__builtins__ = names
        sys.modules[module.__name__] = module
        witness.is_on = True
        try:
            code = loading.code_of(path, text)
            witness.is_on = False
            exec(code, module.__dict__)
        except MemoryError:
            raise
        except BaseException as error:
            witness.is_on = False
            _, line_at, _, message, _ = loading.explain(path, error)
            send(json.dumps(["fault", line_at, failures.cut(failures.clean(message), failures.MESSAGE)]).encode())
            continue
        tree = ast.parse(text, path)
        for name, function in list(module.__dict__.items()):
            if name.startswith("test_") and type(function) is type(_test) and function.__module__ == module.__name__ and f"{path}:{name}" not in done:
                send(json.dumps(["test", path, name, function.__code__.co_firstlineno]).encode())
                send(json.dumps(["tested", *_test(world, started, path, tree, text, function)]).encode())
    send(b'["no more"]')


def _test(world, started, path, tree, text, function):
    begun = clock()
    witness.seen.clear()
    witness.is_open = True
    message = line = other = other_line = None
    JOURNAL.take()
    world.begin(started)
    try:
        function()
        world.close()
        if list.__len__(world.errors) and not world.errors.is_looked_at:
            message = list.__getitem__(world.errors, 0)
            other, other_line = world.error_at
            line = function.__code__.co_firstlineno
            message = f"a run failed: {message}"
    except MemoryError:
        raise
    except BaseException as error:
        kind, said, file, at, _, _ = failures.describe(error)
        line = next((number for number in reversed([line for name, line in _places(error) if name == path])), function.__code__.co_firstlineno)
        if file != path:
            other, other_line = file, at
        if isinstance(error, AssertionError):
            message = said if error.args else _explained(tree, text, path, line)
        else:
            message = f"{kind}: {said}"
    finally:
        witness.is_open = False
        world.line.running = world.line.beside_line = False
        processes.values.process = processes.found
    log = "".join([*world.printed, JOURNAL.take()])
    return [message is None, None if message is None else failures.cut(failures.clean(message), failures.MESSAGE), line, other, other_line, failures.cut(failures.clean(log), failures.TRACEBACK), (clock() - begun) // 1000]


def _places(error):
    at = error.__traceback__
    while at is not None:
        yield at.tb_frame.f_code.co_filename, at.tb_lineno
        at = at.tb_next


def _explained(tree, text, path, line):
    """What an assert says that does not hold, with the values of what it compares."""
    node = next((one for one in ast.walk(tree) if isinstance(one, ast.Assert) and one.lineno <= line <= one.end_lineno), None)
    if node is None:
        return "it does not hold"
    column = witness._Witnesses(path, text)._column
    seen = {witness.places[place][:5]: told for place, told in witness.seen.items() if place >= 0}
    def told(one):
        return seen.get((path, one.lineno, column(one.lineno, one.col_offset), one.end_lineno, column(one.end_lineno, one.end_col_offset)))

    test = node.test
    while isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And):
        # The last that was come to is the one that does not hold.
        test = next((one for one in reversed(test.values) if told(one) is not None), None) or test.values[0]
    parts = [test.left, *test.comparators] if isinstance(test, ast.Compare) else test.values if isinstance(test, ast.BoolOp) else [test.operand] if isinstance(test, ast.UnaryOp) else [test]
    values = [f"{ast.get_source_segment(text, one)} is {known[0]}" for one in parts if not isinstance(one, ast.Constant) and (known := told(one)) is not None]
    return ast.get_source_segment(text, test) + (": " + ", and ".join(values) if values else ": it does not hold")
