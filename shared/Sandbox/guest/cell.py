"""A cell: one tenant's sealed process, and the frames on its channel (a length of four bytes, little-endian, then JSON)."""

import base64
import gc
import importlib.metadata
import json
import os
import random
import struct
import sys
import time
import types

import effects
import endpoints
import failures
import feedback
import journal
import kvps
import limits
import line
import loading
import models
import outgoing
import platform_modules
import processes
import resolution
import rules
import secret_names
import testing
import webhooks
import witness
import workspace

CHANNEL = 3
ZONE = "UTC"  # the zygote's
MEMORY_GONE = line.MEMORY_GONE
GUEST = (
    "cell", "cron", "effects", "endpoints", "failures", "feedback", "journal", "kvps", "limits", "line", "loading", "look", "memory", "models", "names", "old_meanings", "old_python", "outgoing", "platform_modules", "probe",
    "processes", "resolution", "rule_checks", "rules", "seal", "secret_names", "settings", "source", "testing", "values", "warming", "webhooks", "witness", "workspace", "zygote")


# What random.seed() does in the end, by far fewer objects.
_reseed = super(random.Random, random._inst).seed


def send(text):
    frame = struct.pack("<I", len(text)) + text
    sent = os.write(CHANNEL, frame)
    while sent < len(frame):
        sent += os.write(CHANNEL, frame[sent:])


class Frames:
    """Reads the channel; its end is the end of the cell."""

    def __init__(self):
        self.rest = b""

    def next(self):
        data = self.rest
        while len(data) < 4:
            data += self._read(65536)
        length = struct.unpack_from("<I", data)[0] + 4
        if length > limits.FRAME:
            os._exit(3)
        if len(data) < length:
            parts = [data]
            have = len(data)
            while have < length:
                part = self._read(min(1 << 20, length - have))
                parts.append(part)
                have += len(part)
            data = b"".join(parts)
        self.rest = data[length:]
        return json.loads(data[4:length])

    @staticmethod
    def _read(most):
        data = os.read(CHANNEL, most)
        if not data:
            os._exit(0)
        return data


class Cell:
    """What a cell does. It is made in the zygote, once for all cells, which begin as copies of it."""

    def __init__(self, send):
        self.send = send
        self.frames = Frames()
        self.shared = kvps.Shared()
        self.line = line.Line(self.shared, send, self.frames.next)
        self.scripts = []
        self.libraries = loading.Libraries()
        self.packages = loading.Packages()
        loading.NAMES.update(
            shared=self.shared, log=journal.open_log(), event=None, events=[], http=outgoing.Http(), secrets=secret_names.secrets,
            sign=secret_names.sign, verify=secret_names.verify)
        processes.run = self.line
        loading.NAMES.update(
            Process=processes.Process, Model=models.Model, Field=models.Field, Reference=models.Reference, ReferenceList=models.ReferenceList, parent=None, child=None, children=processes.Children(), new_child=processes.NewChild())
        loading.NAMES.update({name: getattr(endpoints, name) for name in endpoints.NAMES})
        loading.NAMES.update(send_email=effects.send_email, load_card=effects.load_card, open=workspace.open, workspace=workspace.workspace)
        outgoing.exchange = self.line.call
        secret_names.ask_sign = self.line.sign
        self.acts = {
            "slice": self.line.slice, "beside": self.line.beside, "look": self.line.look, "trials": self.line.trials, "witness": self.witness, "serve": self.line.serve, "body": self.line.body, "describe": self.describe,
            "tests": self.tests, "set": self.line.set, "state": self.state, "more": self.more, "files": self.files, "secrets": secret_names.told, "load": self.load, "compile": self.compile, "limits": limits.use, "data": self.data,
            "resolve": self.resolve}

    def turn(self):
        """Does what the next frame says."""
        name, *rest = self.frames.next()
        self.acts[name](*rest)

    def state(self, forget, pairs):
        """KVPs as the host knows them: pid, {key: text}, and so on."""
        known = self.line.state
        if forget:
            known.clear()
            self.line.weights.clear()
        for at in range(0, len(pairs), 2):
            known[pairs[at]] = pairs[at + 1]
            self.line.weights.pop(pairs[at], None)

    def more(self, pid, kvps):
        """The rest of a process that was too long for one frame."""
        self.line.state[pid].update(kvps)

    def files(self, pairs):
        for at in range(0, len(pairs), 2):
            path, text = pairs[at], pairs[at + 1]
            if path.startswith(("libraries/", "api/")):
                self.libraries.add(path, text)
            else:
                self.scripts.append((path, text))

    def data(self, pairs):
        """The files of packages, and what lies in libraries beside the modules."""
        for at in range(0, len(pairs), 2):
            path, content = pairs[at], base64.b64decode(pairs[at + 1])
            if path.startswith("packages/"):
                self.packages.add(path, content)
            else:
                self.libraries.add_file(path, content)

    def load(self, skip):
        """Loads the scripts but those to be skipped. Each is announced, so that the host knows which one does not end."""
        if self.packages.files:
            # After the tenant's libraries and the standard library, before the platform's packages.
            sys.meta_path.insert(sys.meta_path.index(platform_modules.OTHERS), self.packages)
        loading.hide_platform(self.libraries, self.packages)
        kvps.begin(self.shared, kvps.Bag(0, self.line.state.get(0, {})), False)
        found, errors, logs = [], [], []
        for path, text in sorted(self.scripts):
            if path in skip:
                continue
            self.send(json.dumps(["begin", path]).encode())
            try:
                found.extend(loading.load_script(path, text))
            except MemoryError:
                os._exit(MEMORY_GONE)
            except BaseException as error:
                errors.append(loading.explain(path, error))
            if told := journal.JOURNAL.take():
                logs.append([path, told])
        kvps.begin(self.shared, kvps.Bag(0, {}), False)
        self.line.listen(found)
        self.send(json.dumps(["loaded", [[name, keys, *given] for name, _, keys, given in found], errors, logs]).encode())

    def witness(self, at, watches):
        """What comes is hindsight: files are loaded as of that moment, and, where that is wanted, what their checks read is seen."""
        witness.is_on = watches
        witness.begin(at)
        loading.NAMES.update(witness.NAMES, **witness.stop_clocks())

    def tests(self, pairs, done):
        """Runs tests: path and text of their files, and so on."""
        testing.run(self.line, self.send, self.frames.next, list(zip(pairs[::2], pairs[1::2])), frozenset(done))

    def describe(self):
        """Says which endpoints the files under api/ have, by their text alone."""
        told = [[path, endpoints.described(path, failures.FILES[path])] for path in sorted(failures.FILES) if path.startswith("api/")]
        self.send(json.dumps(["described", told]).encode())

    def compile(self, path, text, is_old):
        """Says what is wrong with a file, and what its rules read and write. Nothing of it is executed."""
        self.send(json.dumps(["compiled", *feedback.check(path, text, is_old)]).encode())

    def resolve(self, text, locked):
        """Says which packages a requirements.txt comes to; the host answers what is asked on the way."""
        def ask(*what):
            self.send(json.dumps(["want", *what]).encode())
            _, answer, fault = self.frames.next()
            if fault is not None:
                raise resolution.Fault(None, fault)
            return answer

        found = resolution.resolve(text, locked, ask, importlib.metadata.distributions())
        self.send(json.dumps(["resolved", *found]).encode())


def hide(cell):
    """Takes what is not for rules out of the modules that can be imported, and lets those of the tenant's libraries be. The zygote does it, for a cell would copy a page for each."""
    for name in GUEST:
        sys.modules.pop(name, None)
    sys.modules["nebriosmodels"] = models.nebriosmodels
    sys.modules["__main__"] = types.ModuleType("__main__")
    sys.meta_path.insert(0, cell.libraries)
    gc.set_threshold(20_000, 20, 50)


def enter(cell, channel, null, serial, memory, zone, zone_name, seals):
    """Becomes a cell: never returns."""
    if zone_name != ZONE:
        os.environ["TZ"] = zone_name
        time.tzset()  # reads the zone's file, and so comes before the seal
    seals.close(channel, null, serial, memory)
    _reseed()
    rules.ZONE = zone
    journal.open_journal()
    gc.enable()
    send(json.dumps(["hello", os.getpid()]).encode())
    while True:
        try:
            cell.turn()
        except MemoryError:
            os._exit(MEMORY_GONE)
