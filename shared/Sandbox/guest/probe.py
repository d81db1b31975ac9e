"""The self-test of the seal: cells that are nobody's try every wall before the first tenant's cell is made."""

import _thread
import ctypes
import mmap
import os
import signal
import socket
import sys

import seal

MEMORY = 32 << 20


def _listing():
    return os.listdir("/")


def _write():
    os.close(os.open("/tmp/eddy-probe", os.O_CREAT | os.O_WRONLY, 0o600))


def _executable():
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def _made_executable():
    library = ctypes.CDLL(None, use_errno=True)
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if library.mprotect(ctypes.c_void_p(address), 4096, 5) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")


def _memory():
    # Shared, so that only the limit of the whole address space counts it.
    mmap.mmap(-1, MEMORY + (1 << 20)).close()


def _send_descriptor():
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3)
    try:
        channel.sendmsg([b"x"])
    finally:
        channel.detach()


def _send_to():
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3)
    try:
        channel.sendto(b"x", "/tmp/eddy-probe")
    finally:
        channel.detach()


# What must fail with an error, by the name of the wall.
REFUSED = {
    "opening a file": lambda: open("/etc/passwd"),
    "opening /proc": lambda: open("/proc/self/maps"),
    "listing a directory": _listing,
    "writing a file": _write,
    "changing the directory": lambda: os.chdir("/"),
    "an internet socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM),
    "a Unix socket": lambda: socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    "a pair of sockets": socket.socketpair,
    "a pipe": os.pipe,
    "fork": os.fork,
    "execve": lambda: os.execve("/bin/true", ["true"], {}),
    "a thread": lambda: _thread.start_new_thread(int, ()),
    "a signal to the zygote": lambda: os.kill(os.getppid(), 0),
    "a signal to everybody": lambda: os.kill(-1, 0),
    "executable memory": _executable,
    "memory made executable": _made_executable,
    "a file in memory": lambda: os.memfd_create("x"),
    "more memory than allowed": _memory,
    "a second descriptor": lambda: os.dup(3),
    "sending a descriptor": _send_descriptor,
    "sending to an address": _send_to,
    "becoming root": lambda: os.setuid(0),
}

# What must end the cell at once: numbers by name.
KILLED = ("ptrace", "process_vm_readv", "unshare", "bpf", "io_uring_setup", "pidfd_open", "execveat")


def _sealed(seals, null, act):
    """Forks a sealed process that does `act` with its channel; gives what it wrote and how it ended."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            seals.close(theirs.detach(), null, 0, MEMORY)
            act()
        except BaseException as error:
            os.write(3, f"the seal itself: {error!r}".encode())
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
    return text.decode(), os.waitpid(pid, 0)[1]


def _try_walls():
    if os.environ:
        os.write(3, b"an empty environment\n")
    if os.getuid() == 0:
        os.write(3, b"a user of its own\n")
    for name, act in REFUSED.items():
        try:
            act()
        except (OSError, MemoryError, RuntimeError):
            continue
        os.write(3, name.encode() + b"\n")
    os.write(3, b"done")


def _call(number):
    library = ctypes.CDLL(None, use_errno=True)
    library.syscall(ctypes.c_long(number), ctypes.c_long(-1), ctypes.c_long(0), ctypes.c_long(0), ctypes.c_long(0))
    os.write(3, b"alive")


def fault(seals, null):
    """The first wall that did not hold, as a sentence; None if all did."""
    text, status = _sealed(seals, null, _try_walls)
    if text.startswith("the seal itself"):
        return f"A cell can not be sealed on this machine ({text})."
    if not text.endswith("done"):
        return f"The seal's self-test ended early (status {status})."
    failed = text.split("\n")[:-1]
    if failed:
        return f"The seal does not hold on this machine: {', '.join(failed)} was not stopped."
    numbers = seal.NUMBERS[os.uname().machine]
    calls = {name: numbers[name] for name in KILLED}
    if os.uname().machine == "x86_64":
        calls["the x32 ABI"] = 0x40000000 + 39
    for name, number in calls.items():
        text, status = _sealed(seals, null, lambda number=number: _call(number))
        if text or not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGSYS:
            return f"The seal does not hold on this machine: {name} did not end the cell ({text}, status {status})."
    return None


def forget():
    """No cell can reach the self-test."""
    sys.modules.pop(__name__, None)
