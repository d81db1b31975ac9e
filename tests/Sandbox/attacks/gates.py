"""Ways around the numbers: the 32-bit gate, and arguments that are refused only in part."""

import ctypes
import os
import platform
import struct

from attempt import LIBC, Nothing, attempt, call


@attempt("the gate of 32-bit calls", "seccomp|crash")
def _gate():
    # The two bytes of `int 0x80` are somewhere in any large library; the kernel sees another architecture, or, where it has no such gate, none.
    start = ctypes.cast(LIBC.getpid, ctypes.c_void_p).value & ~4095
    page = 0
    while True:
        text = ctypes.string_at(start + page, 4096)
        at = text.find(b"\xcd\x80")
        if at >= 0:
            ctypes.CFUNCTYPE(ctypes.c_long)(start + page + at)()
            return "it came back"
        page += 4096


@attempt("the page of old calls", "Nothing|crash")
def _vsyscall():
    answer = ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_void_p)(0xFFFFFFFFFF600400)(None)
    if answer > 0:
        raise Nothing  # the time of day
    return answer


@attempt("a right to execute in the upper half of a word", "Nothing")
def _upper_half():
    # The filter looks at the lower half of the argument, as the kernel does of what an int is.
    address = call(9, 0, 4096, (4 << 32) | 3, 0x22, -1, 0)
    os.read(0, 0)
    try:
        with_code = (ctypes.c_char * 1).from_address(address)
        with_code[0] = b"\xc3"
    finally:
        call(11, address, 4096)
    raise Nothing


@attempt("a fcntl in the upper half of a word", "EPERM|Nothing")
def _fcntl():
    if call(72, 3, (1 << 32) | 0, 10) >= 4:
        return "duplicated"
    raise Nothing


@attempt("an address for sendto in the upper half", "EPERM")
def _sendto():
    return call(44, 3, b"x", 1, 0, 1 << 32, 16)


@attempt("fast open with other flags", "EPERM")
def _fast_open():
    return call(44, 3, b"x", 1, 0x20000000 | 0x4000, 0, 0)


@attempt("a negative number", "EPERM|ENOSYS|seccomp")
def _negative():
    return call(-1)


@attempt("a number above all", "EPERM|ENOSYS")
def _above():
    return call(0x3FFFFFFF)


@attempt("an order with a right of its own", "EPERM|seccomp")
def _far():
    return call(0x7FFFFFFF)
