"""Feeds cells of this Python with frames that are random, or true and then broken: each must answer or end, and none may hang.

    python3 fuzz_cell.py GUEST SEED COUNT
"""

import copy
import json
import os
import random
import select
import signal
import socket
import struct
import sys
import time
from datetime import timezone

GUEST, SEED, COUNT = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sys.path.insert(0, GUEST)

import cell

RULE = """
class go(Rule):
    listens_to = ["go", "shared.go"]
    def check(self): return self.go != 0
    def action(self): self.out = [self.go, event.key, shared.go]
"""
ENDS = {0, 1, 3, 77, 86}


class NoSeal:
    """The fuzzer looks at the reader of frames alone."""

    @staticmethod
    def close(channel, null, serial, memory):
        os.dup2(channel, 3)
        os.closerange(4, 1024)
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (10, 10))


def true_frames():
    return [
        ["limits", {"LOG": 1000, "CHANGES": 10, "VALUE": 1000, "PROCESS_KVPS": 10, "PROCESS": 4000, "GENERATIONS": 5, "RUNS": 50, "MEMORY": 64, "FRAME": 1 << 20}],
        ["state", False, [0, {"go": "1"}, 1, {"go": "2"}]],
        ["files", ["scripts/a.py", RULE]],
        ["load", []],
        ["state", False, [2, {"a": "[1]"}]],
        ["set", 5, "2026-11-23T10:00:00+00:00", "post", False, 0, 0, False, [1, "go", "3", None]],
        ["set", 6, "2026-11-23T10:00:00+00:00", "quarantine", True, 2, 1, False, [1, "go", "4", "3"]],
        ["slice", 1, 10, "2026-11-23T10:00:00+00:00", 100, 10_000_000, False, ["key:x", 0, None], [[0, 1, 0, 1]],
         [[1, 1, "key:x", "post", ["go", "1"]], [1, 1, "key:y", "quarantine", [], 0, 1, 3, "ann@x.test"], [2, 2, "key:x", "post", ["go", "true", "b", None]]], [0, 7], [0, 8]],
    ]


BITS = [None, True, -1, 0, 1 << 70, 1.5, "", "go", "\0", "\ud800", [], {}, [[]], {"a": []}, "[" * 100, ["go", "1"], [1, 1, "x", "y", ["go"]]]


def broken(frames, dice):
    """Frames in which a few places have become something else."""
    frames = json.loads(json.dumps(frames))
    for _ in range(dice.randrange(1, 4)):
        at = frames
        while True:
            if not at:
                break
            key = dice.choice(list(at)) if isinstance(at, dict) else dice.randrange(len(at))
            if isinstance(at[key], (list, dict)) and at[key] and dice.random() < 0.8:
                at = at[key]
                continue
            how = dice.randrange(3)
            if how == 0:
                at[key] = copy.deepcopy(dice.choice(BITS))
            elif how == 1 and isinstance(at, list):
                at.insert(key, copy.deepcopy(dice.choice(BITS)))
            else:
                del at[key]
            break
    return frames


def packed(frames):
    data = b""
    for frame in frames:
        text = json.dumps(frame).encode()
        data += struct.pack("<I", len(text)) + text
    return data


def stirred(data, dice):
    data = bytearray(data)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(data))
        how = dice.randrange(3)
        if how == 0:
            data[at] = dice.randrange(256)
        elif how == 1:
            del data[at:at + dice.randrange(1, 40)]
        else:
            data[at:at] = dice.randbytes(dice.randrange(1, 9))
        if not data:
            data = bytearray(1)
    return bytes(data)


def feed(data):
    """What a cell wrote, and how it ended once it had all."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            null = os.open("/dev/null", os.O_RDWR)
            for descriptor in (0, 1, 2):
                os.dup2(null, descriptor)
            one = cell.Cell(cell.send)
            cell.hide(one)
            cell.outgoing.replace()
            cell.enter(one, theirs.detach(), 0, 1, 1 << 30, timezone.utc, "UTC", NoSeal)
        finally:
            os._exit(77)
    theirs.close()
    got = b""
    until = time.monotonic() + 60
    left = data
    ours.setblocking(False)
    try:
        while True:
            if time.monotonic() > until:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return got, "hung"
            ready, free, _ = select.select([ours], [ours] if left else [], [], 1)
            if free:
                left = left[ours.send(left):]
                if not left:
                    ours.shutdown(socket.SHUT_WR)
            if ready:
                part = ours.recv(65536)
                if not part:
                    break
                got += part
    except OSError:
        pass
    ours.close()
    status = os.waitpid(pid, 0)[1]
    return got, f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def frames_of(data):
    while data:
        length, = struct.unpack_from("<I", data)
        yield json.loads(data[4:4 + length])
        data = data[4 + length:]


def main():
    true = packed(true_frames())
    got, end = feed(true)
    told = list(frames_of(got))
    if end != 0 or [one[1] for one in told if one[0] == "loaded"] != [[["scripts/a.py:go", ["go", "shared.go"], False, [0, 0, 0, None, 0], None]]] or told[-1][-1] != 5:
        sys.exit(f"a true talk did not come to its end: {end}, {told}")
    ends = {}
    for turn in range(COUNT):
        dice = random.Random(SEED * 1_000_003 + turn)
        how = turn % 4
        data = (stirred(true, dice) if how == 0 else packed(broken(true_frames(), dice)) if how == 1
                else stirred(packed(broken(true_frames(), dice)), dice) if how == 2 else dice.randbytes(dice.randrange(1, 300)))
        got, end = feed(data)
        ends[end] = ends.get(end, 0) + 1
        if end not in ENDS:
            sys.exit(f"seed {SEED}, turn {turn}: {end}, {data!r}")
        # A number of the host's that is none comes back as it was, and is no JSON then; but what is written is whole frames.
        while got:
            length, = struct.unpack_from("<I", got) if len(got) >= 4 else (-1,)
            if not 0 <= length <= len(got) - 4:
                sys.exit(f"seed {SEED}, turn {turn}: what it wrote is no frame, {data!r}, {got!r}")
            got = got[4 + length:]
    print(f"{COUNT} talks; ends by exit code: {ends}")


main()
