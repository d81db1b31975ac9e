"""Bombs: time, memory, depth, output. None of them may cost the neighbours more than their share of the machine."""

import collections
import concurrent.futures
import copy
import ctypes
import decimal
import fractions
import functools
import gc
import itertools
import json
import logging
import math
import mmap
import os
import pickle
import re
import signal
import sys
import threading
import time
import weakref
import xml.etree.ElementTree
import zlib

from attempt import LIBC, Nothing, attempt


def endless(name, stopped="CpuTime"):
    return attempt(name, stopped)


attempt("a regular expression that backtracks", "CpuTime", lambda: re.match("(a*)*b", "a" * 40))
attempt("a power of powers", "CpuTime|Memory", lambda: 10 ** 10 ** 10)
attempt("a shift to the stars", "Memory", lambda: 1 << (1 << 40))
attempt("a factorial", "CpuTime", lambda: math.factorial(1_000_000))
attempt("a decimal of many digits", "CpuTime|Memory", lambda: decimal.Context(prec=100_000_000, Emax=decimal.MAX_EMAX).power(decimal.Decimal(3), 100_000_000))
attempt("a text of a decimal with a large exponent", "Memory|CpuTime", lambda: format(decimal.Decimal("1e9999999999"), "f"))
attempt("a sum without an end", "CpuTime", lambda: sum(itertools.count()))
attempt("a queue of nothing", "CpuTime", lambda: collections.deque(itertools.repeat(0), maxlen=0))
attempt("sorting without an end", "CpuTime|Memory", lambda: [sorted(range(1_000_000), key=lambda one: -one) for _ in itertools.count()])
attempt("memory in one piece", "Memory", lambda: bytearray(1 << 40))
attempt("a text in one piece", "Memory", lambda: "x" * (1 << 40))
attempt("a list in one piece", "Memory", lambda: [0] * (1 << 40))
attempt("a length that is no length", "OverflowError", lambda: "x" * (1 << 70))
attempt("a field of a format", "Memory", lambda: "%1000000000d" % 1)
attempt("a precision of a format", "Memory|ValueError", lambda: f"{1.0:.1000000000f}")
# Pages that are touched cost time: on a busy machine the CPU time of a run may come first.
attempt("lists in lists", "Memory|CpuTime", lambda: functools.reduce(lambda one, _: [*one, *one], range(40), [0]))
attempt("a product", "Memory|CpuTime", lambda: list(itertools.product(range(10), repeat=12)))
attempt("a bomb of zlib", "Memory|CpuTime", lambda: zlib.decompress(functools.reduce(lambda one, _: zlib.compress(one), range(1), bytes(20_000_000)) * 1) * 100)
attempt("a bomb of pickle", "Memory|CpuTime", lambda: pickle.loads(b"\x80\x02" + b"(" * 50_000_000))
attempt("an object of a pickle that is a call", "open: 32512|open: -1|open: 256", lambda: pickle.loads(b"cos\nsystem\n(S'id'\ntR."))
attempt("entities of XML", "ParseError", lambda: xml.etree.ElementTree.fromstring(
    "<!DOCTYPE a [" + "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * 10 if i else "x" * 1000}">' for i in range(12)) + "]><a>&e11;</a>"))
attempt("an entity of XML from a file", "ParseError", lambda: xml.etree.ElementTree.fromstring('<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>'))
attempt("depth of JSON", "RecursionError", lambda: json.loads("[" * 1_000_000))
attempt("depth of a copy", "RecursionError", lambda: copy.deepcopy(functools.reduce(lambda one, _: [one], range(100_000), [])))
attempt("depth of a text of a list", "RecursionError", lambda: repr(functools.reduce(lambda one, _: [one], range(100_000), [])))
attempt("depth of a comparison", "RecursionError", lambda: functools.reduce(lambda one, _: [one], range(100_000), []) == functools.reduce(lambda one, _: [one], range(100_000), []))
attempt("depth of an expression", "RecursionError|MemoryError|Memory|crash|SyntaxError", lambda: eval("(" * 100_000 + ")" * 100_000))
attempt("depth of an attribute", "RecursionError|Memory|crash|SyntaxError", lambda: eval("x" + ".x" * 100_000))
attempt("depth of a minus", "RecursionError|Memory|crash|SyntaxError", lambda: eval("-" * 100_000 + "1"))
attempt("depth of a regular expression", "RecursionError|OverflowError|crash|error", lambda: re.compile("(" * 50_000 + ")" * 50_000))
attempt("depth of functions", "RecursionError", lambda: (lambda act: act(act))(lambda act: act(act)))
attempt("a fraction", "CpuTime|Memory", lambda: functools.reduce(lambda one, _: one * one + fractions.Fraction(1, 3), range(60), fractions.Fraction(2, 7)))
attempt("descriptors", "EPERM", lambda: [os.dup(3) for _ in range(100_000)])
attempt("forks", "EPERM", lambda: [os.fork() for _ in itertools.count()])
attempt("threads", "RuntimeError", lambda: [threading.Thread(target=time.sleep, args=(9,)).start() for _ in itertools.count()])
attempt("a pool of processes", "EPERM|OSError", lambda: concurrent.futures.ProcessPoolExecutor(1000).submit(int).result())
attempt("shared memory without an end", "OSError|ENOMEM|Memory", lambda: [mmap.mmap(-1, 1 << 20) for _ in itertools.count()])


@endless("a loop")
def _loop():
    while True:
        pass


@endless("a loop that catches everything")
def _catch():
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue
        finally:
            continue


@endless("a loop with all signals blocked")
def _blocked():
    LIBC.sigfillset(mask := ctypes.create_string_buffer(128))
    LIBC.sigprocmask(0, mask, None)
    for number in range(1, 65):
        if number not in (9, 19, 32, 33):
            LIBC.signal(number, ctypes.c_void_p(1))
    while True:
        pass


@endless("a number as text")
def _digits():
    sys.set_int_max_str_digits(0)
    str(7 ** 3_000_000)


@endless("a text as number")
def _number():
    sys.set_int_max_str_digits(0)
    int("7" * 3_000_000)


@endless("objects that hash alike")
def _alike():
    class Alike:
        def __hash__(self):
            return 1
    {Alike(): one for one in range(100_000)}


@endless("an end that makes another", "CpuTime|Memory|crash|RecursionError")
def _del():
    class Phoenix:
        def __del__(self):
            Phoenix()
            Phoenix()
    Phoenix()
    while True:
        Phoenix()


@endless("an end of the collector that makes garbage", "CpuTime|Memory")
def _collector():
    def more(phase, told):
        for _ in range(1000):
            one = []
            one.append(one)
    gc.callbacks.append(more)
    while True:
        gc.collect()


@endless("a weak reference that comes back", "CpuTime|Memory")
def _weak():
    kept = []

    class One:
        pass

    def again(_):
        one = One()
        kept.append(weakref.ref(one, again))
    again(None)
    while True:
        again(None)


@endless("a generator that does not close", "CpuTime|RuntimeError")
def _generator():
    def never():
        while True:
            try:
                yield
            except GeneratorExit:
                continue
    one = never()
    next(one)
    for _ in itertools.count():
        one.close()


@endless("a trace function that never comes back")
def _trace():
    def hang(*_):
        while True:
            pass
    sys.settrace(hang)
    (lambda: None)()


@endless("an error that can not be told", "CpuTime|Mute")
def _telling():
    class Mute(Exception):
        def __str__(self):
            while True:
                pass
    raise Mute


@endless("an error whose text is an error", "Mute")
def _mute():
    class Mute(Exception):
        def __str__(self):
            raise SystemExit

    raise Mute


@endless("an error of a hundred megabytes", "Memory|ValueError|CpuTime")
def _long_error():
    raise ValueError("x" * 50_000_000)


@endless("an error from errors from errors", "ValueError|CpuTime|Memory|crash")
def _chain():
    error = ValueError("x")
    for _ in range(100_000):
        more = ValueError("x")
        more.__cause__ = error
        error = more
    raise error


@endless("groups of errors in groups of errors", "ExceptionGroup|CpuTime|Memory|crash|RecursionError")
def _groups():
    error = ValueError("x")
    for _ in range(5000):
        error = ExceptionGroup("x", [error])
    raise error


@endless("a class whose name is long", "ValueError|EvilError|Died|Memory")
def _name():
    raise type("E" * 1_000_000, (Exception,), {})("x")


@endless("depth without a limit", "crash|Memory|CpuTime")
def _deep():
    sys.setrecursionlimit(1 << 30)

    class One:
        def __getattr__(self, name):
            return getattr(self, name + "x")

        def __repr__(self):
            return repr([self])
    repr(One())


@endless("memory that grows", "Memory|CpuTime")
def _grow():
    kept = []
    while True:
        kept.append(bytearray(1 << 16))


@endless("memory that grows, and an error that is caught", "CpuTime|Memory")
def _grow_and_catch():
    kept = []
    while True:
        try:
            while True:
                kept.append(bytearray(1 << 16))
        except MemoryError:
            continue


@endless("memory in small pieces", "Memory|CpuTime")
def _small():
    kept = None
    while True:
        kept = (kept, object())


@endless("memory below Python", "Nothing")
def _malloc():
    LIBC.malloc.restype = ctypes.c_void_p
    while at := LIBC.malloc(ctypes.c_size_t(1 << 20)):
        ctypes.memset(at, 1, 4096)
    raise Nothing


@endless("a number that is written where none may be", "crash")
def _null():
    ctypes.memset(0, 1, 1)


@endless("an end of the interpreter", "exit 9")
def _exit():
    os._exit(9)


@endless("an end by abort", "exit 77|signal 6|signal 11|crash|EPERM")
def _abort():
    LIBC.abort()


@endless("an end by a signal", "EPERM")
def _signal():
    os.kill(os.getpid(), signal.SIGKILL)


@endless("an end by SystemExit", "SystemExit")
def _system_exit():
    sys.exit(0)


@endless("an end by KeyboardInterrupt", "KeyboardInterrupt")
def _interrupt():
    raise KeyboardInterrupt


@endless("output without an end", "CpuTime")
def _print():
    while True:
        print("x" * 100_000)


@endless("a log without an end", "CpuTime")
def _log():
    while True:
        logging.getLogger("bomb").info("x" * 100_000)


@endless("output to the null device without an end", "CpuTime")
def _null_device():
    while True:
        os.write(1, b"x" * 65536)


@endless("random numbers without an end", "CpuTime")
def _random():
    while True:
        os.urandom(1 << 20)


@endless("calls without an end", "CpuTime")
def _calls():
    while True:
        LIBC.getppid()


@endless("faults of pages without an end", "CpuTime")
def _faults():
    while True:
        one = mmap.mmap(-1, 1 << 22)
        one.write(bytes(1 << 22))
        one.close()


@endless("futexes without an end", "CpuTime|WallTime")
def _futexes():
    word = ctypes.c_int(0)
    while True:
        LIBC.syscall(ctypes.c_long(202), ctypes.byref(word), 129, 1 << 30, None, None, 0)
