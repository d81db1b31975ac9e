"""Waits without an end."""

import os
import threading
import time

from attempt import LIBC, attempt

attempt("a sleep", "WallTime", lambda: time.sleep(3600))
attempt("a wait for nothing", "WallTime", lambda: LIBC.poll(None, 0, -1))
attempt("a lock that nobody gives back", "WallTime", lambda: (lambda lock: lock.acquire() and lock.acquire())(threading.Lock()))
attempt("an event that nobody sets", "WallTime", lambda: threading.Event().wait())
attempt("a read from the channel", "WallTime|CpuTime", lambda: os.read(3, 1))


@attempt("a length and then nothing", "WallTime")
def _silence():
    os.write(3, (1000).to_bytes(4, "little") + b"[")
    time.sleep(60)


@attempt("a frame byte by byte", "WallTime|CpuTime")
def _drops():
    os.write(3, (1 << 20).to_bytes(4, "little"))
    while True:
        os.write(3, b" ")
        time.sleep(0.01)
