"""The zygote: parent of the cells. It imports what rules may import, tries the seal, and forks a sealed cell for each
connection that asks for one. It never sees tenants' data, since every cell could read it here.

    python3 -sSE -B zygote.py --listen PATH

        --lifeline  a child process: the end of its standard input is its end; without, a service of its own
        --cells N   how many cells may be open (1000)
        --hours N   ends after so long, and all cells with it, so that whoever keeps it begins a fresh one (0: never)
        --preload M further modules for all cells, with commas
        --unsealed  for a developer's machine that can have no seal: cells that nothing stops

A connection begins with 68 bytes: a letter, three zero bytes, a host's 16 random bytes, a number of 8 bytes, a size in bytes of 8
bytes, and a time zone of 32 bytes. `H` is a host's control connection: its end is the end of the host's cells. `C` asks for a cell of
that host, of that number and size. On the control connection go lines: `kill N` and `cpu N` to the zygote; to the host `about WORDS`, a
`wall NAME held|absent|failed WORDS` for each wall of the seal, a `warning SENTENCE` for what rules can not import, then `ready ABI sealed|unsealed` or `fault ABI why`; later
`cpu N nanoseconds` and `dead N nanoseconds how`, with the CPU time that the cell has used.
"""

import _signal
import argparse
import gc
import os
import platform
import select
import signal
import socket
import struct
import sys
import time

if sys.version_info < (3, 11):
    sys.exit(f"The sandbox needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}.")

# What a process was started with stays in its memory, where every cell could read it: begun again without it. Python itself may set
# LC_CTYPE.
if set(os.environ) - {"LC_CTYPE"}:
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], {})
for _name in list(os.environ):
    del os.environ[_name]
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# After each fork libraries mend what other threads may have held. There are none here, and it would be a fifth of all that a cell writes to.
_at_fork, os.register_at_fork = os.register_at_fork, lambda **_: None

import platform_modules

# Before anything is parsed, for modules must be there before the cells' own that use them.
PRELOAD = sys.argv[sys.argv.index("--preload") + 1] if "--preload" in sys.argv[:-1] else ""
ZONES, MISSING = platform_modules.load([name for name in PRELOAD.split(",") if name])

import cell
import outgoing
import probe
import seal
import warming

os.register_at_fork = _at_fork

GREETING = struct.Struct("<c3x16sQQ32s")

# As many bytes may a host leave unread.
UNREAD = 1 << 20

# In a cell they do what they do anywhere. The module signal would first make enums of them, in pages of the cell's own.
HANDLED = (int(signal.SIGCHLD), int(signal.SIGTERM), int(signal.SIGINT))
DEFAULT = int(signal.SIG_DFL)
_handle, _wake = _signal.signal, _signal.set_wakeup_fd


class Host:
    """A host process: its control connection, a descriptor, and its living cells, by their numbers."""

    def __init__(self, name, connection):
        self.name = name
        self.connection = connection
        self.rest = b""
        self.unsent = b""
        self.cells = {}


class Zygote:
    def __init__(self, path, lifeline, most, hours, unsealed):
        self.path = path
        self.lifeline = lifeline
        self.most = most
        self.end_at = time.monotonic() + hours * 3600 if hours else None
        self.unsealed = unsealed
        self.walls = []  # lines for hosts
        self.null = os.open("/dev/null", os.O_RDWR)
        self.fault = None
        self.seal = None
        self.hosts = {}  # by name
        self.controls = {}  # by descriptor
        self.greeting = set()  # descriptors
        self.cells = {}  # by pid: (host, number)
        self.serial = 0

    def start(self):
        if self.unsealed:
            self.seal = seal.Unsealed()
        else:
            try:
                self.seal = seal.Seal()
            except OSError as error:
                self.fault = f"There is no seal on this machine: {error.strerror}."
        # Under its own name only when it listens, so that whoever finds it can connect.
        unready = self.path + "~"
        try:
            os.unlink(unready)
        except FileNotFoundError:
            pass
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        old = os.umask(0o177)
        self.listener.bind(unready)
        os.umask(old)
        platform_modules.close()
        outgoing.prepare()
        warming.up()
        self.cell = cell.Cell(cell.send)
        cell.hide(self.cell)
        # A cell puts others in their place, and would free them.
        self.streams = (sys.stdin, sys.stdout, sys.stderr)
        gc.collect()
        self.filling = warming.filling()
        gc.freeze()
        gc.disable()
        if self.seal is not None and not self.unsealed:
            self.seal.measure()
            let = probe.try_walls(self.seal, self.null)
            self.fault = probe.fault(let)
            for wall, what in let.items():
                how = "failed" if what else "absent" if wall == "landlock" and not self.seal.landlock else "held"
                self.walls.append(f"wall {wall.replace(' ', '-')} {how} {', '.join(what)}")
        probe.forget()
        # Where this is a cell's zone too, it need not read its file and set all that depends on it.
        os.environ["TZ"] = cell.ZONE
        time.tzset()
        outgoing.replace()
        self.listener.listen(1024)
        os.rename(unready, self.path)
        self.listener.setblocking(False)
        self.woken, wake = os.pipe()
        os.set_blocking(self.woken, False)
        os.set_blocking(wake, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        # The first process of a container ends by TERM only if it listens to it.
        signal.signal(signal.SIGTERM, lambda *_: self.end())
        self.poll = select.poll()
        self.door = self.listener.fileno()
        for descriptor in (self.door, self.woken):
            self.poll.register(descriptor, select.POLLIN)
        if self.lifeline:
            self.poll.register(0, select.POLLIN)
            sys.stdout.write("listening\n")
            sys.stdout.flush()

    def serve(self):
        while True:
            left = None
            if self.end_at is not None and (left := (self.end_at - time.monotonic()) * 1000) <= 0:
                self.end()
            for descriptor, events in self.poll.poll(left):
                if descriptor == self.woken:
                    os.read(self.woken, 4096)
                elif descriptor == self.door:
                    self.accept()
                elif descriptor in self.greeting:
                    self.greet(descriptor)
                elif descriptor in self.controls:
                    host = self.controls[descriptor]
                    if events & select.POLLOUT:
                        self.tell(host)
                    if events & ~select.POLLOUT and descriptor in self.controls:
                        self.hear(host)
                elif descriptor == 0 and not os.read(0, 4096):
                    self.end()
            self.reap()

    def end(self):
        for pid in self.cells:
            os.kill(pid, signal.SIGKILL)
        try:
            os.unlink(self.path)
            if self.lifeline:
                os.rmdir(os.path.dirname(self.path))
        except OSError:
            pass
        os._exit(0)

    def accept(self):
        try:
            connection, _ = self.listener._accept()
        except OSError:
            return
        os.set_blocking(connection, False)
        self.greeting.add(connection)
        self.poll.register(connection, select.POLLIN)

    def greet(self, connection):
        try:
            text = os.read(connection, GREETING.size)
        except BlockingIOError:
            return
        except OSError:
            text = b""
        self.greeting.remove(connection)
        self.poll.unregister(connection)
        if len(text) != GREETING.size:
            os.close(connection)
            return
        letter, name, number, memory, zone = GREETING.unpack(text)
        host = self.hosts.get(name)
        if letter == b"H" and host is None:
            host = self.hosts[name] = Host(name, connection)
            self.controls[connection] = host
            self.poll.register(connection, select.POLLIN)
            self.introduce(host)
        elif letter == b"C" and host is not None and number not in host.cells and self.fault is None:
            self.fork(host, number, memory, zone.rstrip(b"\0").decode("ascii", "replace"), connection)
        else:
            os.close(connection)

    def introduce(self, host):
        abi = self.seal.landlock if self.seal else 0
        system = os.uname()
        self.tell(host, "\n".join([
            f"about Python {platform.python_version()} on {system.sysname} {system.release}, {system.machine}, as user {os.geteuid()}",
            *self.walls,
            *("warning " + sentence.replace("\n", " ") for sentence in MISSING),
            f"fault {abi} {self.fault}" if self.fault else f"ready {abi} {'unsealed' if self.unsealed else 'sealed'}"]))

    def fork(self, host, number, memory, zone, connection):
        if len(self.cells) >= self.most:
            os.close(connection)
            self.tell(host, f"dead {number} 0 full {self.most}")
            return
        self.serial += 1
        if zone not in ZONES:
            zone = cell.ZONE
        try:
            pid = os.fork()
        except OSError:
            os.close(connection)
            self.tell(host, f"dead {number} 0 fork")
            return
        if pid == 0:
            try:
                _wake(-1)
                for number in HANDLED:
                    _handle(number, DEFAULT)
                os.set_blocking(connection, True)
                # Hosts and their other cells are nobody's business here. What says nothing stays, for to free it would write to its pages.
                call = (self.cell, connection, self.null, self.serial, memory, ZONES[zone], zone, self.seal)
                for other in self.hosts.values():
                    other.cells.clear()
                    vars(other).clear()
                for known in (self.hosts, self.controls, self.greeting, self.cells):
                    known.clear()
                cell.enter(*call)
            finally:
                os._exit(77)
        host.cells[number] = pid
        self.cells[pid] = (host, number)
        os.close(connection)

    def hear(self, host):
        try:
            text = os.read(host.connection, 65536)
        except BlockingIOError:
            return
        except OSError:
            text = b""
        if not text:
            self.dismiss(host)
            return
        *lines, host.rest = (host.rest + text).split(b"\n")
        for line in lines:
            word, _, number = line.partition(b" ")
            pid = host.cells.get(int(number)) if number.isdigit() else None
            if pid is None:
                continue
            if word == b"kill":
                os.kill(pid, signal.SIGKILL)
            elif word == b"cpu":
                # The clock of another process, as clock_getcpuclockid makes it.
                try:
                    self.tell(host, f"cpu {int(number)} {time.clock_gettime_ns((~pid << 3) | 2)}")
                except OSError:
                    pass

    def dismiss(self, host):
        if self.hosts.pop(host.name, None) is None:
            return
        self.poll.unregister(host.connection)
        del self.controls[host.connection]
        os.close(host.connection)
        for pid in host.cells.values():
            os.kill(pid, signal.SIGKILL)

    def tell(self, host, text=None):
        """Sends a line, and what a busy host has not read yet before it."""
        waiting = bool(host.unsent)
        if text is not None:
            host.unsent += text.encode() + b"\n"
            if waiting:
                if len(host.unsent) > UNREAD:
                    print("A host has not read what its cells do for too long, and is given up.", file=sys.stderr, flush=True)
                    self.dismiss(host)
                return
        try:
            host.unsent = host.unsent[os.write(host.connection, host.unsent):]
        except BlockingIOError:
            pass
        except OSError:
            self.dismiss(host)
            return
        if waiting != bool(host.unsent):
            self.poll.modify(host.connection, select.POLLIN | (select.POLLOUT if host.unsent else 0))

    def reap(self):
        while self.cells:
            try:
                pid, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            host, number = self.cells.pop(pid)
            del host.cells[number]
            if host.name in self.hosts:
                how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
                self.tell(host, f"dead {number} {int((used.ru_utime + used.ru_stime) * 1e9)} {how}")


def main():
    options = argparse.ArgumentParser(allow_abbrev=False)
    options.add_argument("--listen", required=True, metavar="PATH")
    options.add_argument("--lifeline", action="store_true")
    options.add_argument("--cells", type=int, default=1000)
    options.add_argument("--hours", type=float, default=0)
    options.add_argument("--preload", default="", metavar="MODULES")
    options.add_argument("--unsealed", action="store_true")
    given = options.parse_args()
    # Where it lies and listens is nothing for rules.
    sys.argv[:] = sys.orig_argv[:] = [""]
    zygote = Zygote(given.listen, given.lifeline, given.cells, given.hours, given.unsealed)
    zygote.start()
    zygote.serve()


main()
