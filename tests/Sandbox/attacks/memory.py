"""Memory: made executable, shared, taken beyond the limit, looked through."""

import ctypes
import gc
import mmap
import multiprocessing.shared_memory
import os
import sys
import warnings

from attempt import LIBC, Nothing, attempt, call, checked

ANYWHERE, PRIVATE, SHARED = 0x20, 0x22, 0x21
MEBI = 1 << 20


def _map(size, rights=3, flags=PRIVATE, descriptor=-1):
    return checked(LIBC.mmap(None, ctypes.c_size_t(size), rights, flags, descriptor, ctypes.c_long(0)))


def _code(library=LIBC):
    """The page of a function of the C library."""
    return ctypes.cast(library.getpid, ctypes.c_void_p).value & ~4095


attempt("executable memory", "EPERM", lambda: mmap.mmap(-1, 4096, prot=7))
attempt("memory to execute and not to write", "EPERM", lambda: _map(4096, 5))
attempt("executable memory that is shared", "EPERM", lambda: _map(4096, 7, SHARED))
attempt("executable memory below", "EPERM", lambda: _map(4096, 7, PRIVATE | 0x100))
attempt("memory made executable", "EPERM", lambda: checked(LIBC.mprotect(ctypes.c_void_p(_map(4096)), 4096, 5)))
attempt("memory made executable by key", "EPERM", lambda: call(329, _map(4096), 4096, 5, -1))
attempt("the C library made writable and executable", "EPERM", lambda: checked(LIBC.mprotect(ctypes.c_void_p(_code()), 4096, 7)))
attempt("a key of memory", "EPERM", lambda: call(330, 0, 0))
attempt("shadow stacks", "seccomp", lambda: call(158, 0x5001, 1))
attempt("the segment of threads", "seccomp", lambda: call(158, 0x1002, 0))
attempt("a descriptor table of one's own", "seccomp", lambda: call(154, 1, 0, 16))
attempt("a file in memory", "EPERM", lambda: os.memfd_create("x"))
attempt("a secret file in memory", "seccomp", lambda: call(447, 0))
attempt("shared memory by name", "EPERM", lambda: multiprocessing.shared_memory.SharedMemory("eddy", True, 4096))
attempt("shared memory of old", "EPERM", lambda: call(29, 1, 4096, 0o1600))
attempt("attach shared memory of old", "EPERM", lambda: call(30, 0, 0, 0))
attempt("faults for oneself", "seccomp", lambda: call(323, 0))
attempt("pages elsewhere", "seccomp", lambda: call(279, 0, 0, 0, 0, 0, 0))
attempt("pages on a node", "seccomp", lambda: call(237, _map(4096), 4096, 0, 0, 0, 0))
attempt("other pages' nodes", "EPERM", lambda: call(256, os.getppid(), 0, 0, 0))
attempt("is a page in memory", "EPERM", lambda: call(27, _code(), 4096, ctypes.create_string_buffer(8)))
attempt("lock memory", "EPERM", lambda: checked(LIBC.mlock(ctypes.c_void_p(_map(4096)), 4096)))
attempt("lock all memory", "EPERM", lambda: checked(LIBC.mlockall(3)))
attempt("locked memory", "EAGAIN|EPERM", lambda: _map(MEBI, 3, PRIVATE | 0x2000))
attempt("huge pages", "ENOMEM|EINVAL|EPERM", lambda: _map(2 * MEBI, 3, PRIVATE | 0x40000))
attempt("map a device", "ENODEV|EACCES|EPERM", lambda: _map(4096, 7, 0x02, 0))
attempt("map the channel", "ENODEV|EACCES|EPERM", lambda: _map(4096, 3, 0x01, 3))
attempt("poison a page", "EPERM", lambda: checked(LIBC.madvise(ctypes.c_void_p(_map(4096)), 4096, 100)))
attempt("merge pages with the neighbours'", "EPERM", lambda: checked(LIBC.madvise(ctypes.c_void_p(_map(4096)), 4096, 12)))
attempt("remap pages out of order", "EPERM", lambda: call(216, _map(4096), 4096, 0, 0, 0))
attempt("seal pages", "EPERM", lambda: call(462, _map(4096), 4096, 0))
attempt("a shadow stack by number", "EPERM", lambda: call(453, 0, 4096, 0))

attempt("more private memory than allowed", "ENOMEM", lambda: _map(2048 * MEBI))
attempt("more shared memory than allowed", "ENOMEM", lambda: _map(2048 * MEBI, 3, SHARED))
attempt("memory without reserve", "ENOMEM", lambda: _map(2048 * MEBI, 0, PRIVATE | 0x4000))
attempt("a mapping that grows", "ENOMEM", lambda: checked(LIBC.mremap(ctypes.c_void_p(_map(4096)), 4096, ctypes.c_size_t(2048 * MEBI), 1)))
attempt("a break that grows", "ENOMEM", lambda: checked(LIBC.sbrk(ctypes.c_long(2047 * MEBI))))


@attempt("a million small maps", "ENOMEM")
def _many_maps():
    # Rights by turns, so that the kernel can not make one of them.
    for turn in range(1_000_000):
        _map(4096, 1 + 2 * (turn & 1))


@attempt("the environment", "Nothing")
def _environment():
    names = set(os.environ) - {"TZ"}
    ctypes.c_char_p.in_dll(LIBC, "program_invocation_name")
    first = ctypes.POINTER(ctypes.c_char_p).in_dll(LIBC, "environ")
    at = 0
    while first[at]:
        if not first[at].startswith(b"TZ="):
            names.add(first[at])
        at += 1
    if names:
        return names
    raise Nothing


@attempt("how the zygote was started", "Nothing")
def _arguments():
    if any(sys.argv + sys.orig_argv):
        return sys.argv + sys.orig_argv
    raise Nothing


@attempt("what the zygote knows of its hosts and of other cells", "Nothing")
def _objects():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [
            name for one in gc.get_objects() if type(one).__name__ in ("Host", "Zygote")
            for name, value in vars(one).items() if type(one).__name__ == "Host" or value and name in ("hosts", "controls", "greeting", "cells")]
    if found:
        return found
    raise Nothing


@attempt("a trace function over the guest", "Nothing")
def _trace():
    seen = []
    sys.settrace(lambda frame, event, argument: seen.append(frame.f_code.co_filename))
    sys._getframe()
    sys.settrace(None)
    raise Nothing
