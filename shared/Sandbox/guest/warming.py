"""What the zygote does so that its cells need not: each of its pages that a cell writes to is copied, which costs the cell time and memory."""

import json
import socket
import struct
import sys

import cell
import feedback
import loading

_PATH = "scripts/warming.py"
_MODULE = "scripts.warming"
# CPython's small objects (obmalloc.c of 3.10 and later): in sizes of 16 bytes up to 512, each in pools of so many bytes, behind a header.
_POOL, _HEADER, _STEP, _LARGEST = 1 << 14, 48, 16, 512
_EMPTY = sys.getsizeof(b"")
_MOST = 20_000  # objects of one size
_RULE = """
class warming(Rule):
    listens_to = ["warmth", "shared.warmth"]

    def check(self):
        return self.warmth > 1

    def action(self):
        self.told = f"{self.warmth} degrees"
"""


def up():
    """Loads and runs a rule of its own, by frames as they come from a host, until CPython has nothing new to learn about the code of a cell."""
    host, channel = socket.socketpair()
    usual, cell.CHANNEL = cell.CHANNEL, channel.fileno()
    trial = cell.Cell(cell.send)

    def turn(*frame):
        text = json.dumps(frame).encode()
        host.sendall(struct.pack("<I", len(text)) + text)
        trial.turn()

    for _ in range(20):
        trial.scripts = []
        turn("state", True, [])
        turn("files", [_PATH, _RULE])
        turn("load", [])
        for number in range(5):
            arrival = [1, 1, "key:warming", "post", ["warmth", str(number)]]
            turn("slice", number, 0, "2000-01-01T00:00:00+00:00", 100, 60_000_000, False, ["", 0, None], [], [arrival], [], [])
        feedback.check(_PATH, _RULE)
        host.recv(1 << 20)
    host.close()
    channel.close()
    cell.CHANNEL = usual
    del sys.modules[_MODULE]
    loading.forget(_PATH)


def filling():
    """Small objects of every size, to be kept: they take what is free in the zygote's pages, so that what cells make lies in pages of their own."""
    kept = []
    for size in range(_LARGEST, 0, -_STEP):
        # A new pool comes when no other has room, and is filled from its beginning; numbers that are compared here lie between two objects of their size.
        in_order = 0
        for _ in range(_MOST):
            made = object() if size == 16 else complex(1, 1) if size == 32 else bytes(size - _EMPTY)
            kept.append(made)
            in_order = in_order + 1 if 0 <= id(made) % _POOL - _HEADER - in_order * size <= 2 * size else 0
            if in_order == 8:
                break
    return kept
