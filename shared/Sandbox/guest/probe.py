"""The self-test of the seal: processes that are nobody's try every wall before the first tenant's cell is made.

Each wall must hold by itself: paths and signals against Landlock alone, system calls against seccomp alone, users and limits and the
rest without these two. A last process tries them all together, as cells have them.
"""

import _thread
import ctypes
import errno
import fcntl
import mmap
import os
import resource
import signal
import socket
import sys
import time

import seal

MEMORY = 32 << 20
PR_GET_PDEATHSIG, PR_GET_DUMPABLE, PR_GET_NO_NEW_PRIVS = 2, 3, 39
MSG_FASTOPEN = 0x20000000
NULL = os.makedev(1, 3)

# What must end the cell at once: numbers by name.
KILLED = ("ptrace", "process_vm_readv", "unshare", "bpf", "io_uring_setup", "pidfd_open", "execveat")

_libc = ctypes.CDLL(None, use_errno=True)
_HERE = os.path.abspath(__file__)
_SCRATCH = f"/tmp/eddy-probe-{os.getpid()}"


def _check(answer, what):
    if answer != 0:
        raise OSError(ctypes.get_errno(), what)


def _fork():
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _write():
    descriptor = os.open(_SCRATCH, os.O_CREAT | os.O_WRONLY, 0o600)
    os.unlink(_SCRATCH)
    os.close(descriptor)


def _mkdir():
    os.mkdir(_SCRATCH)
    os.rmdir(_SCRATCH)


def _executable():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _made_executable():
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    _check(_libc.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(4096), 5), "mprotect")


def _memory():
    # Shared, so that only the limit of the whole address space counts it.
    mmap.mmap(-1, MEMORY + (1 << 20)).close()


def _channel(act):
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3)
    try:
        act(channel)
    finally:
        channel.detach()


def _many_descriptors():
    mine = []
    try:
        for _ in range(32):
            mine.append(os.dup(3))
    finally:
        for descriptor in mine:
            os.close(descriptor)


def _file_in_memory():
    descriptor = os.memfd_create("probe")
    try:
        os.write(descriptor, b"x")
    finally:
        os.close(descriptor)


def _locked_memory():
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    _check(_libc.mlock(ctypes.c_void_p(address), ctypes.c_size_t(4096)), "mlock")


def _use(family, kind, act):
    with socket.socket(family, kind) as one:
        act(one)


def _execute():
    os.execve("/proc/self/exe", ["python3", "-c", ""], {})


# System calls by what they would do. Whatever replaces the process comes last: it would take the answer with it.
CALLS = {
    "opening a file": lambda: os.open(_HERE, os.O_RDONLY),
    "opening /proc": lambda: os.open("/proc/self/maps", os.O_RDONLY),
    "listing a directory": lambda: os.listdir("/"),
    "asking about a file": lambda: os.stat("/"),
    "writing a file": _write,
    "changing the directory": lambda: os.chdir("/"),
    "an internet socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "a Unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "a pair of sockets": socket.socketpair,
    "a pipe": os.pipe,
    "fork": _fork,
    "a thread": lambda: _thread.start_new_thread(int, ()),
    "a signal to the zygote": lambda: os.kill(os.getppid(), 0),
    "a signal to everybody": lambda: os.kill(-1, 0),
    "executable memory": _executable,
    "memory made executable": _made_executable,
    "a file in memory": lambda: os.memfd_create("probe"),
    "a second descriptor": lambda: os.dup(3),
    "a second descriptor by fcntl": lambda: fcntl.fcntl(3, fcntl.F_DUPFD, 5),
    "other flags by fcntl": lambda: fcntl.fcntl(3, fcntl.F_SETFL, 0),
    "nonblocking mode": lambda: os.set_blocking(3, False),
    "sending a descriptor": lambda: _channel(lambda channel: channel.sendmsg([b"x"])),
    "sending to an address": lambda: _channel(lambda channel: channel.sendto(b"x", _SCRATCH)),
    "sending while connecting": lambda: _channel(lambda channel: channel.send(b"", MSG_FASTOPEN)),
    "out-of-band bytes": lambda: _channel(lambda channel: channel.recv(1, socket.MSG_OOB)),
    "the clock of another process": lambda: time.clock_gettime((~os.getppid() << 3) | 2),
    "becoming root": lambda: os.setuid(0),
    "a higher limit": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (8, 8)),
    "execve": _execute,
}


class _Attempts:
    """Tells the zygote of what was not stopped, a line each: the wall, and what it let through."""

    def __init__(self, wall):
        self.wall = wall

    def open(self, what):
        os.write(3, f"{self.wall}\t{what}\n".encode())

    def refuse(self, what, act, *errors):
        """`act` must end with one of these errors; with any where none is named."""
        try:
            act()
        except OSError as error:
            if not errors or error.errno in errors:
                return
            what += f" ({error})"
        except (MemoryError, RuntimeError, ValueError):
            return
        self.open(what)

    def expect(self, what, held):
        if not held:
            self.open(what)


def _is_open(descriptor):
    try:
        fcntl.fcntl(descriptor, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def _asked(option):
    return _libc.prctl(option, 0, 0, 0, 0)


def _death_signal():
    number = ctypes.c_int()
    _libc.prctl(PR_GET_PDEATHSIG, ctypes.byref(number), 0, 0, 0)
    return number.value


def _capabilities():
    with open("/proc/self/status") as status:
        return [line for line in status if line.startswith(("CapPrm", "CapEff", "CapAmb")) and int(line.split()[1], 16)]


def _try_state(root):
    wall = _Attempts("descriptors")
    wall.expect("an open descriptor", not any(map(_is_open, range(4, 1024))))
    wall.expect("a standard stream", all(os.fstat(descriptor).st_rdev == NULL for descriptor in (0, 1, 2)))
    wall = _Attempts("user")
    if root:
        wall.expect("the zygote's user", min(*os.getresuid(), *os.getresgid()) >= 200_000)
        wall.expect("the zygote's groups", not os.getgroups())
    wall.refuse("becoming root", lambda: os.setuid(0), errno.EPERM)
    wall.expect("capabilities", not _capabilities())
    wall = _Attempts("lifeline")
    wall.expect("outliving the zygote", _death_signal() == signal.SIGKILL)
    wall = _Attempts("dumpable")
    wall.expect("being read by others of its user", _asked(PR_GET_DUMPABLE) == 0)
    wall.refuse("its memory as a file", lambda: os.open("/proc/self/mem", os.O_RDWR), errno.EACCES)
    wall = _Attempts("privileges")
    wall.expect("gaining privileges", _asked(PR_GET_NO_NEW_PRIVS) == 1)
    wall = _Attempts("limits")
    wall.refuse("more memory than allowed", _memory, errno.ENOMEM)
    wall.refuse("fork", _fork, errno.EAGAIN)
    wall.refuse("many descriptors", _many_descriptors, errno.EMFILE)
    wall.refuse("a file in memory", _file_in_memory, errno.EFBIG)
    wall.refuse("locked memory", _locked_memory, errno.EPERM, errno.ENOMEM, errno.EAGAIN)
    for name in ("CORE", "MSGQUEUE"):
        wall.expect(f"RLIMIT_{name}", resource.getrlimit(getattr(resource, "RLIMIT_" + name)) == (0, 0))
    wall.refuse("a higher limit", lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64)))


def _try_landlock(abi, abstract):
    wall = _Attempts("landlock")
    wall.refuse("opening a file", lambda: os.open(_HERE, os.O_RDONLY), errno.EACCES)
    wall.refuse("opening /proc", lambda: os.open("/proc/self/status", os.O_RDONLY), errno.EACCES)
    wall.refuse("listing a directory", lambda: os.listdir("/"), errno.EACCES)
    wall.refuse("writing a file", _write, errno.EACCES, errno.EROFS)
    wall.refuse("making a directory", _mkdir, errno.EACCES, errno.EROFS)
    if abi >= 4:
        wall.refuse("a connection", lambda: _use(socket.AF_INET, socket.SOCK_STREAM, lambda one: one.connect(("127.0.0.1", 9))), errno.EACCES, errno.EAFNOSUPPORT)
        wall.refuse("a port of its own", lambda: _use(socket.AF_INET, socket.SOCK_STREAM, lambda one: one.bind(("127.0.0.1", 0))), errno.EACCES, errno.EAFNOSUPPORT)
    if abi >= 6:
        wall.refuse("an abstract socket", lambda: _use(socket.AF_UNIX, socket.SOCK_STREAM, lambda one: one.connect(abstract)), errno.EPERM)
        wall.refuse("a signal to the zygote", lambda: os.kill(os.getppid(), 0), errno.EPERM)
    wall.refuse("execve", _execute, errno.EACCES)


def _try_seccomp():
    wall = _Attempts("seccomp")
    for what, act in CALLS.items():
        wall.refuse(what, act, errno.EPERM)


def _try_all():
    wall = _Attempts("all together")
    for what, act in {"more memory than allowed": _memory, **CALLS}.items():
        wall.refuse(what, act)


def _call(number):
    _libc.syscall(ctypes.c_long(number), ctypes.c_long(-1), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))


def _sealed(seals, null, walls, act):
    """Forks a process with these walls that does `act`; gives what it wrote and how it ended."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            seals.close(theirs.detach(), null, 0, MEMORY, walls)
            act()
            os.write(3, b"done")
        except seal.WallFault as fault:
            os.write(3, f"{fault.wall}\tit can not be built: {fault.error}\ndone".encode())
        except BaseException as error:
            os.write(3, f"the self-test\t{error!r}\n".encode())
        os._exit(0)
    theirs.close()
    text = b""
    ours.settimeout(20)
    try:
        while part := ours.recv(4096):
            text += part
    except OSError:
        os.kill(pid, signal.SIGKILL)
    ours.close()
    return text.decode("utf-8", "replace"), os.waitpid(pid, 0)[1]


def try_walls(seals, null):
    """What each wall let through, by its name: empty where it held. The last two are no walls, but how they stand together and the room in which
    they do."""
    let = {wall: [] for wall in (*seal.WALLS, "environment", "all together")}

    def tried(name, walls, act):
        text, status = _sealed(seals, null, walls, act)
        for line in text.split("\n")[:-1]:
            wall, _, what = line.partition("\t")
            let.setdefault(wall, []).append(what)
        if not text.endswith("done"):
            let[name].append(f"an attempt that replaced or ended the process (status {status})")

    # Descriptors that whoever forks has open: one near, one far.
    leaks = [os.dup(null), fcntl.fcntl(null, fcntl.F_DUPFD, 900)]
    tried("all together", [wall for wall in seal.WALLS if wall not in ("landlock", "seccomp")], lambda: _try_state(seals.root))
    for descriptor in leaks:
        os.close(descriptor)
    if seals.landlock:
        abstract = f"\0eddy-probe-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(abstract)
            listener.listen(1)
            tried("landlock", ("privileges", "landlock"), lambda: _try_landlock(seals.landlock, abstract))
    tried("seccomp", ("privileges", "seccomp"), _try_seccomp)
    numbers = seal.NUMBERS[os.uname().machine]
    killers = {name: numbers[name] for name in KILLED}
    if os.uname().machine == "x86_64":
        killers["the x32 ABI"] = 0x40000000 + 39
    for name, number in killers.items():
        text, status = _sealed(seals, null, ("privileges", "seccomp"), lambda number=number: _call(number))
        if text or not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGSYS:
            let["seccomp"].append(name)
    tried("all together", seal.WALLS, _try_all)
    with open("/proc/self/environ", "rb") as environ:
        if environ.read() or os.environ:
            let["environment"].append("what the zygote was started with")
    return let


def fault(let):
    """What is wrong with the seal, as a sentence; None where nothing is."""
    failed = [f"{wall} ({', '.join(what)})" for wall, what in let.items() if what]
    return f"The seal does not hold on this machine. Walls that let something through: {'; '.join(failed)}." if failed else None


def forget():
    """No cell can reach the self-test."""
    sys.modules.pop(__name__, None)
