"""The zygote: parent of the cells. It imports what rules may import, tries the seal, and forks a sealed cell for each
connection that asks for one. It never sees tenants' data, since every cell could read it here.

    python3 -sSE -B zygote.py --listen PATH            a service of its own
    python3 -sSE -B zygote.py --listen PATH --lifeline a child process: the end of its standard input is its end
    … --preload NAMES                                  further modules for all cells, with commas

A connection begins with 68 bytes: a letter, three zero bytes, a host's 16 random bytes, a number of 8 bytes, a size in bytes of 8
bytes, and a time zone of 32 bytes. `H` is a host's control connection: its end is the end of the host's cells. `C` asks for a cell of
that host, of that number and size. On the control connection go lines: `kill N` and `cpu N` to the zygote; `ready ABI`,
`fault ABI why`, `warning sentence`, `cpu N nanoseconds` and `dead N how` to the host.
"""

import gc
import os
import select
import signal
import socket
import struct
import sys
import time

for _name in list(os.environ):
    del os.environ[_name]
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import platform_modules

PRELOAD = [name for name in sys.argv[sys.argv.index("--preload") + 1].split(",") if name] if "--preload" in sys.argv[:-1] else []
ZONES, MISSING = platform_modules.load(PRELOAD)

import cell
import probe
import seal

GREETING = struct.Struct("<c3x16sQQ32s")


class Host:
    """A host process: its control connection and its living cells, by their numbers."""

    def __init__(self, name, connection):
        self.name = name
        self.connection = connection
        self.rest = b""
        self.cells = {}


class Zygote:
    def __init__(self, path, lifeline):
        self.path = path
        self.lifeline = lifeline
        self.null = os.open("/dev/null", os.O_RDWR)
        self.fault = None
        self.seal = None
        self.hosts = {}  # by name
        self.controls = {}  # by descriptor
        self.greeting = {}  # by descriptor
        self.cells = {}  # by pid: (host, number)
        self.serial = 0

    def start(self):
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
        gc.collect()
        gc.freeze()
        gc.disable()
        if self.seal is not None:
            self.seal.measure()
            self.fault = probe.fault(self.seal, self.null)
        probe.forget()
        self.listener.listen(1024)
        os.rename(unready, self.path)
        self.listener.setblocking(False)
        self.woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.poll = select.poll()
        for descriptor in (self.listener.fileno(), self.woken):
            self.poll.register(descriptor, select.POLLIN)
        if self.lifeline:
            self.poll.register(0, select.POLLIN)
            sys.stdout.write("listening\n")
            sys.stdout.flush()

    def serve(self):
        while True:
            for descriptor, _ in self.poll.poll():
                if descriptor == self.woken:
                    os.read(self.woken, 4096)
                elif descriptor == self.listener.fileno():
                    self.accept()
                elif descriptor in self.greeting:
                    self.greet(self.greeting.pop(descriptor))
                elif descriptor in self.controls:
                    self.hear(self.controls[descriptor])
                elif descriptor == 0 and not os.read(0, 4096):
                    self.end()
            self.reap()

    def end(self):
        for pid in self.cells:
            os.kill(pid, signal.SIGKILL)
        try:
            os.unlink(self.path)
            os.rmdir(os.path.dirname(self.path))
        except OSError:
            pass
        os._exit(0)

    def accept(self):
        try:
            connection, _ = self.listener.accept()
        except OSError:
            return
        connection.setblocking(False)
        self.greeting[connection.fileno()] = connection
        self.poll.register(connection.fileno(), select.POLLIN)

    def greet(self, connection):
        self.poll.unregister(connection.fileno())
        try:
            text = connection.recv(GREETING.size)
        except OSError:
            text = b""
        if len(text) != GREETING.size:
            connection.close()
            return
        letter, name, number, memory, zone = GREETING.unpack(text)
        host = self.hosts.get(name)
        if letter == b"H" and host is None:
            host = self.hosts[name] = Host(name, connection)
            self.controls[connection.fileno()] = host
            self.poll.register(connection.fileno(), select.POLLIN)
            abi = self.seal.landlock if self.seal else 0
            for sentence in MISSING:
                self.tell(host, "warning " + sentence.replace("\n", " "))
            self.tell(host, f"fault {abi} {self.fault}" if self.fault else f"ready {abi}")
        elif letter == b"C" and host is not None and number not in host.cells and self.fault is None:
            self.fork(host, number, memory, zone.rstrip(b"\0").decode("ascii", "replace"), connection)
        else:
            connection.close()

    def fork(self, host, number, memory, zone, connection):
        self.serial += 1
        if zone not in ZONES:
            zone = "UTC"
        try:
            pid = os.fork()
        except OSError:
            connection.close()
            self.tell(host, f"dead {number} fork")
            return
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                signal.signal(signal.SIGINT, signal.SIG_DFL)
                connection.setblocking(True)
                cell.enter(connection.detach(), self.null, self.serial, memory, ZONES[zone], zone, self.seal)
            finally:
                os._exit(77)
        host.cells[number] = pid
        self.cells[pid] = (host, number)
        connection.close()

    def hear(self, host):
        try:
            text = host.connection.recv(65536)
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
        self.poll.unregister(host.connection.fileno())
        del self.controls[host.connection.fileno()]
        host.connection.close()
        for pid in host.cells.values():
            os.kill(pid, signal.SIGKILL)

    def tell(self, host, text):
        line = text.encode() + b"\n"
        try:
            if host.connection.send(line) == len(line):
                return
        except OSError:
            pass
        # A host that does not read for so long is not one.
        self.dismiss(host)

    def reap(self):
        while self.cells:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            host, number = self.cells.pop(pid)
            del host.cells[number]
            if host.name in self.hosts:
                how = f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"
                self.tell(host, f"dead {number} {how}")


def main():
    arguments = [one for at, one in enumerate(sys.argv) if "--preload" not in sys.argv[max(at - 1, 0):at + 1]]
    if len(arguments) not in (3, 4) or arguments[1] != "--listen" or arguments[3:] not in ([], ["--lifeline"]):
        sys.exit("usage: zygote.py --listen PATH [--lifeline] [--preload NAMES]")
    zygote = Zygote(arguments[2], bool(arguments[3:]))
    zygote.start()
    zygote.serve()


main()
