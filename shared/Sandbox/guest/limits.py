"""The limits of a cell, which the host sets in the first frame. Sizes are in bytes of canonical JSON."""

LOG = 65536
CHANGES = 1000
VALUE = 256 << 10
PROCESS_KVPS = 1000
PROCESS = 4 << 20
GENERATIONS = 64
RUNS = 10_000
MEMORY = 128
FRAME = 8 << 20
# What a cell tells of one slice, about; the rest is for the next.
TOLD = 32 << 20
# So few KVPs are never too many or too much, however large each is.
FEW = min(PROCESS // VALUE, PROCESS_KVPS, CHANGES)


def use(settings):
    """Takes what the host says."""
    values = globals()
    values.update(settings)
    values["FEW"] = min(PROCESS // VALUE, PROCESS_KVPS, CHANGES)


def size(text):
    return len(text) if text.isascii() else len(text.encode())
