"""Looks through all memory of the cell for text that nobody gave it. What is looked for comes masked, so that it is nowhere but in one buffer."""

import ctypes
import errno
import gc

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
LIBC.memmem.restype = ctypes.c_void_p
PAGE, GAP, TOP = 4096, 4096, 1 << 47


def readable(page):
    # The kernel reads the set of signals before it says that there is no such operation.
    LIBC.syscall(ctypes.c_long(14), ctypes.c_long(99), ctypes.c_long(page), ctypes.c_long(0), ctypes.c_long(8))
    return ctypes.get_errno() != errno.EFAULT


def seeds():
    environment = ctypes.POINTER(ctypes.c_void_p).in_dll(LIBC, "environ")
    yield environment[0]
    yield ctypes.addressof(ctypes.create_string_buffer(100))
    yield ctypes.cast(LIBC.getpid, ctypes.c_void_p).value
    yield ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value
    yield id(None)
    yield id(list)
    for one in gc.get_objects():
        yield id(one)


def regions():
    """[start, end) of what can be read, from what is known of it on in both directions, over holes that are not too large."""
    found = []
    for seed in seeds():
        page = seed & -PAGE
        if any(start <= page < end for start, end in found):
            continue
        low = high = page
        hole = 0
        while hole < GAP and high < TOP:
            if readable(high):
                hole = 0
            else:
                if not hole:
                    found.append((low, high))
                hole += 1
                low = high + PAGE
            high += PAGE
        low = high = page
        hole = 0
        while hole < GAP and low > PAGE:
            low -= PAGE
            if readable(low):
                if hole:
                    high = low + PAGE
                hole = 0
            else:
                if not hole and low + PAGE < high:
                    found.append((low + PAGE, high))
                hole += 1
    return sorted(set(found))


def hits(start, end, needle, size):
    at = start
    while at < end:
        got = LIBC.memmem(ctypes.c_void_p(at), ctypes.c_size_t(end - at), needle, ctypes.c_size_t(size))
        if not got:
            return
        yield got
        at = got + 1


class scan(Rule):
    listens_to = ["masked"]

    def action(self):
        masked = bytes.fromhex(self.masked)
        needle = ctypes.create_string_buffer(len(masked))
        for at, one in enumerate(masked):
            needle[at] = one ^ 0x5A
        found = regions()
        every = {hit for start, end in found for hit in hits(start, end, needle, len(masked))}
        self.kib = sum(end - start for start, end in found) // 1024
        self.own = ctypes.addressof(needle) in every
        self.others = len(every - {ctypes.addressof(needle)})
