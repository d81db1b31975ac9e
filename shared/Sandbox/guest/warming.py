"""What the zygote does so that its cells need not: each of its pages that a cell writes to is copied, which costs the cell time and memory."""

import sys

import cell
import feedback
import loading

_PATH = "scripts/warming.py"
_MODULE = "scripts.warming"
_MANY = 300
_RULE = """
class warming(Rule):
    listens_to = ["warmth", "shared.warmth"]

    def check(self):
        return self.warmth > 1

    def action(self):
        self.told = f"{self.warmth} degrees"
"""


def up():
    """Loads and runs a rule of its own until CPython has nothing new to learn about the code of a cell."""
    trial = cell.Cell(lambda text: None)
    for _ in range(20):
        trial.scripts = [(_PATH, _RULE)]
        trial.load([])
        for number in range(5):
            arrival = [1, 1, "key:warming", "post", ["warmth", str(number)]]
            trial.line.slice(number, 0, "2000-01-01T00:00:00+00:00", 100, 60_000_000, False, ["", 0, None], [], [arrival], [], [])
        feedback.check(_PATH, _RULE)
    del sys.modules[_MODULE]
    loading.forget(_PATH)


def filling():
    """Small objects of every size, to be kept: they take what is free in the zygote's pages, so that what cells make lies in pages of their own."""
    empty = sys.getsizeof(b"")
    return [
        [bytes(size - empty) for size in range(empty + 15 & ~15, 513, 16) for _ in range(_MANY)],
        [object() for _ in range(_MANY)], [float(number) for number in range(_MANY)]]
