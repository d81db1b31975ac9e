"""A raw system call by its number, with -1 and then zeros."""

import ctypes
import errno

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
NO_TIME = ctypes.create_string_buffer(16)


class number(Rule):
    listens_to = ["number"]

    def action(self):
        # ppoll with no time would wait for ever.
        third = ctypes.addressof(NO_TIME) if self.number == 271 else 0
        answer = LIBC.syscall(*map(ctypes.c_long, (self.number, -1, 0, third, 0, 0, 0)))
        self.answer = "let" if answer != -1 else errno.errorcode.get(ctypes.get_errno(), "no error")
