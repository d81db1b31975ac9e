"""Other processes, other programs, other users."""

import _thread
import attempt as told
import concurrent.futures
import ctypes
import multiprocessing
import os
import pty
import resource
import signal
import subprocess
import threading
import time

from attempt import LIBC, attempt, call, checked


def _parent():
    return os.getppid()


def _spare():
    return ctypes.create_string_buffer(256)


attempt("fork", "EPERM", os.fork)
attempt("fork by number", "EPERM", lambda: call(57))
attempt("vfork", "EPERM", lambda: call(58))
attempt("clone", "EPERM", lambda: call(56, 17, 0, 0, 0, 0))
attempt("clone into new namespaces", "EPERM", lambda: call(56, 0x7E020000 | 17, 0, 0, 0, 0))
attempt("clone3", "ENOSYS", lambda: call(435, _spare(), 88))
attempt("fork with a terminal", "OSError|EPERM", pty.fork)
attempt("spawn", "EPERM|ENOSYS", lambda: os.posix_spawn("/bin/true", ["true"], {}))
attempt("a subprocess", "EPERM", lambda: subprocess.run(["/bin/true"]))
attempt("a shell", "open: -1|open: 32512|open: 256", lambda: os.system("true"))
attempt("a shell's output", "EPERM", lambda: os.popen("id").read())
attempt("a process pool", "EPERM", lambda: multiprocessing.Pool(1))
attempt("execute", "EPERM", lambda: os.execve("/bin/true", ["true"], {}))
attempt("execute by descriptor", "seccomp", lambda: call(322, 0, b"", _spare(), _spare(), 0x1000))
attempt("a thread", "RuntimeError", lambda: threading.Thread(target=int).start())
attempt("a thread below threading", "RuntimeError", lambda: _thread.start_new_thread(int, ()))
attempt("a pool of threads", "RuntimeError", lambda: concurrent.futures.ThreadPoolExecutor(1).submit(int).result())
attempt("a thread of the C library", "EPERM|EAGAIN", lambda: [
    code for code in [LIBC.pthread_create(_spare(), None, ctypes.cast(LIBC.getpid, ctypes.c_void_p), None)] if code and (_ for _ in ()).throw(OSError(code, "refused"))])

attempt("trace the zygote", "seccomp", lambda: LIBC.ptrace(16, _parent(), 0, 0))
attempt("trace a neighbour", "seccomp", lambda: LIBC.ptrace(16, told.SIBLING, 0, 0))
attempt("be traced", "seccomp", lambda: LIBC.ptrace(0, 0, 0, 0))
attempt("read the zygote's memory", "seccomp", lambda: LIBC.process_vm_readv(_parent(), _spare(), 1, _spare(), 1, 0))
attempt("read a neighbour's memory", "seccomp", lambda: LIBC.process_vm_readv(told.SIBLING, _spare(), 1, _spare(), 1, 0))
attempt("write the zygote's memory", "seccomp", lambda: LIBC.process_vm_writev(_parent(), _spare(), 1, _spare(), 1, 0))
attempt("write a neighbour's memory", "seccomp", lambda: LIBC.process_vm_writev(told.SIBLING, _spare(), 1, _spare(), 1, 0))
attempt("advise a neighbour's memory", "EPERM", lambda: call(440, 3, _spare(), 1, 4, 0))
attempt("release a process's memory", "EPERM", lambda: call(448, 3, 0))
attempt("compare processes", "seccomp", lambda: call(312, _parent(), os.getpid(), 0, 0, 0))
attempt("a process descriptor", "seccomp", lambda: os.pidfd_open(_parent()))
attempt("a process descriptor of a neighbour", "seccomp", lambda: os.pidfd_open(told.SIBLING))
attempt("somebody's descriptor", "seccomp", lambda: call(438, 3, 0, 0))
attempt("a signal by process descriptor", "seccomp", lambda: call(424, 3, 9, 0, 0))

attempt("kill the zygote", "EPERM", lambda: os.kill(_parent(), 9))
attempt("kill a neighbour", "EPERM", lambda: os.kill(told.SIBLING, 9))
attempt("kill the host", "EPERM", lambda: os.kill(told.HOST, 9))
attempt("kill the first process", "EPERM", lambda: os.kill(1, 9))
attempt("kill everybody", "EPERM", lambda: os.kill(-1, 9))
attempt("kill the group", "EPERM", lambda: os.kill(0, 9))
attempt("stop a neighbour", "EPERM", lambda: os.kill(told.SIBLING, signal.SIGSTOP))
attempt("is the host there", "EPERM", lambda: os.kill(told.HOST, 0))
attempt("a signal to a thread", "EPERM", lambda: call(234, told.SIBLING, told.SIBLING, 9))
attempt("a signal to a thread of old", "EPERM", lambda: call(200, told.SIBLING, 9))
attempt("a signal with a value", "EPERM", lambda: call(129, told.SIBLING, 34, _spare()))
attempt("a signal to oneself", "EPERM", lambda: os.kill(os.getpid(), signal.SIGUSR1))
attempt("raise a signal", "EPERM", lambda: signal.raise_signal(signal.SIGUSR1))
attempt("an alarm", "EPERM", lambda: call(37, 1))
attempt("an interval timer", "EPERM|ItimerError", lambda: signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01))
attempt("a timer with a signal", "EPERM", lambda: call(222, 1, _spare(), _spare()))
attempt("signals as a file", "EPERM", lambda: call(289, -1, _spare(), 8, 0))
attempt("an event as a file", "EPERM", lambda: os.eventfd(0))
attempt("a timer as a file", "EPERM", lambda: call(283, 1, 0))
attempt("wait for somebody", "EPERM|ECHILD", lambda: os.wait())
attempt("wait by identity", "EPERM", lambda: call(247, 0, 0, _spare(), 4, 0))

attempt("the CPU time of the zygote", "EPERM", lambda: time.clock_gettime_ns((~_parent() << 3) | 2))
attempt("the CPU time of a neighbour", "EPERM", lambda: time.clock_gettime_ns((~told.SIBLING << 3) | 2))
attempt("the CPU time of the host", "EPERM", lambda: time.clock_gettime_ns((~told.HOST << 3) | 2))
attempt("sleep by a neighbour's clock", "EPERM", lambda: call(230, (~told.SIBLING << 3) | 2, 0, _spare(), 0))
attempt("set the clock", "EPERM", lambda: time.clock_settime(time.CLOCK_REALTIME, 0))
attempt("adjust the clock", "EPERM", lambda: call(159, _spare()))
attempt("the machine's load", "EPERM|OSError", lambda: os.getloadavg())
attempt("the machine's name by uname", "EPERM", lambda: os.uname())
attempt("the machine's figures", "EPERM", lambda: call(99, _spare()))
attempt("the kernel's log by number", "EPERM", lambda: call(103, 3, _spare(), 256))

attempt("be root", "EPERM", lambda: os.setuid(0))
attempt("be root by three", "EPERM", lambda: os.setresuid(0, 0, 0))
attempt("be of root's group", "EPERM", lambda: os.setgid(0))
attempt("be of more groups", "EPERM", lambda: os.setgroups([0]))
attempt("see files as root", "EPERM", lambda: call(122, 0) or call(122, -1))
attempt("ask for capabilities", "EPERM", lambda: call(125, _spare(), _spare()))
attempt("take capabilities", "EPERM", lambda: call(126, _spare(), _spare()))
attempt("be dumpable", "EPERM", lambda: checked(LIBC.prctl(4, 1, 0, 0, 0)))
attempt("let a neighbour trace", "EPERM", lambda: checked(LIBC.prctl(0x59616D61, -1, 0, 0, 0)))
attempt("outlive the zygote", "EPERM", lambda: checked(LIBC.prctl(1, 0, 0, 0, 0)))
attempt("be somebody's reaper", "EPERM", lambda: checked(LIBC.prctl(36, 1, 0, 0, 0)))
attempt("another filter", "EPERM", lambda: checked(LIBC.prctl(22, 2, _spare(), 0, 0)))
attempt("another filter by number", "seccomp", lambda: call(317, 1, 0, _spare()))
attempt("a persona", "seccomp", lambda: LIBC.personality(0x0400000))
attempt("new namespaces", "seccomp", lambda: LIBC.unshare(0x10000000))
attempt("the host's namespaces", "seccomp", lambda: LIBC.setns(0, 0))
attempt("a new session", "EPERM", os.setsid)
attempt("another group", "EPERM", lambda: os.setpgid(0, _parent()))
attempt("hold oneself dearer", "EPERM", lambda: os.nice(-5))
attempt("hold a neighbour cheaper", "EPERM", lambda: os.setpriority(os.PRIO_PROCESS, told.SIBLING, 19))
attempt("real-time", "EPERM", lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)))
attempt("a neighbour's processor", "EPERM", lambda: os.sched_setaffinity(told.SIBLING, {0}))
attempt("input and output first", "EPERM", lambda: call(251, 1, 0, 0))
attempt("more memory", "ValueError|EPERM", lambda: resource.setrlimit(resource.RLIMIT_AS, (-1, -1)))
attempt("more descriptors", "ValueError|EPERM", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 20, 1 << 20)))
attempt("the zygote's limits", "EPERM", lambda: resource.prlimit(_parent(), resource.RLIMIT_CPU, (1, 1)))
attempt("a neighbour's limits", "EPERM", lambda: resource.prlimit(told.SIBLING, resource.RLIMIT_AS, (0, 0)))

attempt("a kernel module", "seccomp", lambda: call(175, _spare(), 256, b""))
attempt("another kernel", "seccomp", lambda: call(246, 0, 0, 0, 0))
attempt("restart the machine", "seccomp", lambda: call(169, 0xFEE1DEAD, 672274793, 0x01234567, 0))
attempt("the ports of the machine", "seccomp", lambda: call(172, 3))
attempt("the keys of the kernel", "seccomp", lambda: call(250, 0, -3, 0))
attempt("a key of one's own", "seccomp", lambda: call(248, b"user", b"x", b"y", 1, -3))
attempt("a program in the kernel", "seccomp", lambda: call(321, 5, _spare(), 128))
attempt("counters of the processor", "seccomp", lambda: call(298, _spare(), _parent(), -1, -1, 0))
attempt("a ring of calls", "seccomp", lambda: call(425, 8, _spare()))
attempt("a ring's calls", "seccomp", lambda: call(426, 3, 1, 0, 0, 0, 0))
attempt("the x32 ABI", "seccomp", lambda: call(0x40000000 + 1, 3, b"x", 1))
attempt("the x32 ABI's execve", "seccomp", lambda: call(0x40000000 + 520, b"/bin/true", 0, 0))
attempt("a landlock of one's own", "EPERM", lambda: call(444, 0, 0, 1))
attempt("a queue of messages", "EPERM", lambda: call(240, b"eddy", 0o102, 0o600, 0))
attempt("messages of old", "EPERM", lambda: call(68, 1, 0o1600))
attempt("semaphores of old", "EPERM", lambda: call(64, 1, 1, 0o1600))
attempt("a lock between processes", "EPERM|OSError", lambda: multiprocessing.Lock())
