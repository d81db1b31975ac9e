"""The seal of a cell: what a process does to itself, once and for good, before it hears of a tenant.

Every function here either does its work or raises; whoever calls it ends the process then.
"""

import ctypes
import errno
import os
import platform
import resource
import signal
import struct

_libc = ctypes.CDLL(None, use_errno=True)
_syscall = _libc.syscall
_syscall.restype = ctypes.c_long
_prctl = getattr(_libc, "prctl", None)  # Linux alone has it

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
LANDLOCK_CREATE_RULESET, LANDLOCK_RESTRICT_SELF = 444, 446
# Of the flags of a socket's calls: DONTWAIT, and for sending NOSIGNAL, for receiving PEEK, TRUNC, WAITALL and CMSG_CLOEXEC.
SENDING, RECEIVING = 0x4040, 0x40000162
CLOCKS = 16
PROT_EXEC = 4

# Calls that a cell may make whatever their arguments.
PLAIN = (
    "read write close poll ppoll munmap brk rt_sigaction rt_sigprocmask rt_sigreturn sched_yield mremap nanosleep "
    "clock_nanosleep getpid gettid recvfrom recvmsg shutdown getsockname getpeername exit exit_group gettimeofday getrusage "
    "getuid geteuid getgid getegid getppid sigaltstack time futex restart_syscall clock_gettime clock_getres getrandom"
).split()

# Calls that nothing honest makes: the cell is killed at once.
KILLED = (
    "ptrace process_vm_readv process_vm_writev bpf userfaultfd perf_event_open io_uring_setup io_uring_enter io_uring_register "
    "keyctl add_key request_key unshare setns mount umount2 pivot_root kexec_load kexec_file_load init_module finit_module "
    "delete_module name_to_handle_at open_by_handle_at memfd_secret modify_ldt personality pidfd_getfd pidfd_open "
    "pidfd_send_signal execveat move_pages mbind kcmp reboot swapon iopl ioperm seccomp arch_prctl"
).split()

_NEW = dict(
    clone3=435, io_uring_setup=425, io_uring_enter=426, io_uring_register=427, memfd_secret=447, pidfd_getfd=438,
    pidfd_open=434, pidfd_send_signal=424)

# A call that an architecture does not have is not in its table.
NUMBERS = {
    "x86_64": dict(
        _NEW, read=0, write=1, close=3, poll=7, mmap=9, mprotect=10, munmap=11, brk=12, rt_sigaction=13, rt_sigprocmask=14,
        rt_sigreturn=15, sched_yield=24, mremap=25, madvise=28, nanosleep=35, getpid=39, sendto=44, recvfrom=45, recvmsg=47,
        shutdown=48, getsockname=51, getpeername=52, exit=60, fcntl=72, gettimeofday=96, getrusage=98, getuid=102, getgid=104,
        geteuid=107, getegid=108, getppid=110, sigaltstack=131, gettid=186, time=201, futex=202, restart_syscall=219,
        clock_gettime=228, clock_getres=229, clock_nanosleep=230, exit_group=231, ppoll=271, getrandom=318,
        ptrace=101, process_vm_readv=310, process_vm_writev=311, bpf=321, userfaultfd=323, perf_event_open=298, keyctl=250,
        add_key=248, request_key=249, unshare=272, setns=308, mount=165, umount2=166, pivot_root=155, kexec_load=246,
        kexec_file_load=320, init_module=175, finit_module=313, delete_module=176, name_to_handle_at=303,
        open_by_handle_at=304, modify_ldt=154, personality=135, execveat=322, move_pages=279, mbind=237, kcmp=312, reboot=169,
        swapon=167, iopl=172, ioperm=173, seccomp=317, arch_prctl=158),
    "aarch64": dict(
        _NEW, read=63, write=64, close=57, mmap=222, mprotect=226, munmap=215, brk=214, rt_sigaction=134, rt_sigprocmask=135,
        rt_sigreturn=139, sched_yield=124, mremap=216, madvise=233, nanosleep=101, getpid=172, sendto=206, recvfrom=207,
        recvmsg=212, shutdown=210, getsockname=204, getpeername=205, exit=93, fcntl=25, gettimeofday=169, getrusage=165,
        getuid=174, getgid=176, geteuid=175, getegid=177, getppid=173, sigaltstack=132, gettid=178, futex=98,
        restart_syscall=128, clock_gettime=113, clock_getres=114, clock_nanosleep=115, exit_group=94, ppoll=73, getrandom=278,
        ptrace=117, process_vm_readv=270, process_vm_writev=271, bpf=280, userfaultfd=282, perf_event_open=241, keyctl=219,
        add_key=217, request_key=218, unshare=97, setns=268, mount=40, umount2=39, pivot_root=41, kexec_load=104,
        kexec_file_load=294, init_module=105, finit_module=273, delete_module=106, name_to_handle_at=264,
        open_by_handle_at=265, personality=92, execveat=281, move_pages=239, mbind=235, kcmp=272, reboot=142, swapon=224,
        seccomp=277),
}
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_LD, _JEQ, _JGE, _JSET, _RET = 0x20, 0x15, 0x35, 0x45, 0x06


def _op(code, yes, no, value):
    return struct.pack("<HBBI", code, yes, no, value & 0xFFFFFFFF)


def _argument(index, high=False):
    # struct seccomp_data: nr, arch, instruction pointer, six 64-bit arguments; both architectures are little-endian.
    return 16 + 8 * index + (4 if high else 0)


def program(machine):
    """The seccomp filter for a machine as bytes. Raises on an architecture that has no table."""
    if machine not in NUMBERS:
        raise OSError(errno.ENOSYS, f"there is no seal for the architecture {machine}")
    number = NUMBERS[machine]
    refuse = _op(_RET, 0, 0, ERRNO | errno.EPERM)
    allow = _op(_RET, 0, 0, ALLOW)
    kill = _op(_RET, 0, 0, KILL)
    code = [_op(_LD, 0, 0, 4), _op(_JEQ, 1, 0, AUDIT[machine]), kill, _op(_LD, 0, 0, 0)]
    if machine == "x86_64":
        code += [_op(_JGE, 0, 1, 0x40000000), kill]  # the x32 ABI

    def when(name, body):
        code.append(_op(_JEQ, 0, len(body), number[name]))
        code.extend(body)

    hot = ("read", "write", "clock_gettime", "futex", "munmap")
    clocks = ("clock_gettime", "clock_getres", "clock_nanosleep")
    for name in hot:
        # A clock below zero is that of another process: whether it is there, and how much it works.
        when(name, [_op(_LD, 0, 0, _argument(0)), _op(_JGE, 0, 1, CLOCKS), refuse, allow] if name in clocks else [allow])
    for name in clocks[1:]:
        when(name, [_op(_LD, 0, 0, _argument(0)), _op(_JGE, 0, 1, CLOCKS), refuse, allow])
    # Out-of-band bytes are a road through the kernel that nobody needs.
    for name, index in (("recvfrom", 3), ("recvmsg", 2)):
        when(name, [_op(_LD, 0, 0, _argument(index)), _op(_JSET, 0, 1, ~RECEIVING), refuse, allow])
    for name in ("mmap", "mprotect"):
        when(name, [_op(_LD, 0, 0, _argument(2)), _op(_JSET, 0, 1, PROT_EXEC), refuse, allow])
    for name, index, values in (("madvise", 2, (4, 8, 9, 14, 15)), ("fcntl", 1, (1, 3))):
        body = [_op(_LD, 0, 0, _argument(index))]
        for value in values:
            body += [_op(_JEQ, 0, 1, value), allow]
        when(name, body + [refuse])
    # An address would make it a connect of a datagram socket, MSG_FASTOPEN one of a stream.
    when("sendto", [
        _op(_LD, 0, 0, _argument(4)), _op(_JEQ, 0, 5, 0), _op(_LD, 0, 0, _argument(4, high=True)), _op(_JEQ, 0, 3, 0),
        _op(_LD, 0, 0, _argument(3)), _op(_JSET, 1, 0, ~SENDING), allow, refuse])
    for name in PLAIN:
        if name in number and name not in (*hot, *clocks, "recvfrom", "recvmsg"):
            when(name, [allow])
    # ENOSYS makes a C library fall back to clone, which is refused.
    when("clone3", [_op(_RET, 0, 0, ERRNO | errno.ENOSYS)])
    for name in KILLED:
        if name in number:
            when(name, [kill])
    code.append(refuse)
    return b"".join(code), len(code)


class _Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


# The walls that a process builds around itself, in this order: setresuid would undo `lifeline` and `dumpable`, and without `privileges` the
# last two can not be built.
WALLS = ("descriptors", "user", "lifeline", "dumpable", "privileges", "limits", "landlock", "seccomp")

# Limits beside that of memory.
LIMITS = {
    "NPROC": 0,
    "NOFILE": 16,
    "FSIZE": 0,
    "CORE": 0,
    "MEMLOCK": 0,
    "MSGQUEUE": 0,
}

# What is needed behind the fork is looked up before it: to what a cell finds by its name it writes, and so copies its page of the zygote's.
_set_limit = resource.setrlimit
_unsigned = ctypes.c_ulong
_zero = _unsigned(0)

# Below whoever hosts the cells.
NICE = 10


class WallFault(Exception):
    """A wall that can not be built."""

    def __init__(self, wall, error):
        super().__init__(wall, error)
        self.wall = wall
        self.error = error


class Seal:
    """Everything that can be prepared before the fork."""

    def __init__(self):
        text, count = program(platform.machine())
        self._text = ctypes.create_string_buffer(text, len(text))
        self._program = _Program(count, ctypes.addressof(self._text))
        self.landlock = max(0, _syscall(LANDLOCK_CREATE_RULESET, None, ctypes.c_size_t(0), 1))
        # Each ABI knows more rights; one that the kernel does not know is an error.
        rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(self.landlock, 16)
        attributes = struct.pack("<Q", (1 << rights) - 1)
        if self.landlock >= 4:
            attributes += struct.pack("<Q", 3)  # bind and connect
        if self.landlock >= 6:
            attributes += struct.pack("<Q", 3)  # abstract sockets and signals
        self._rights = ctypes.create_string_buffer(attributes, len(attributes))
        self._walls = [(wall, getattr(self, "_" + wall)) for wall in WALLS]
        self._most = [(getattr(resource, "RLIMIT_" + name), most) for name, most in LIMITS.items()]
        self._addresses = resource.RLIMIT_AS
        self.root = os.geteuid() == 0
        self.zygote = os.getpid()
        self.vsz = 0

    def measure(self):
        """Notes how large the zygote is: a cell's allowance counts from there."""
        with open("/proc/self/statm") as statm:
            self.vsz = int(statm.read().split()[0]) * resource.getpagesize()

    def close(self, channel, null, serial, memory, walls=WALLS):
        """Seals this process, whose only way out will be the descriptor 3. `memory` is its allowance in bytes. Only the self-test leaves
        walls out."""
        _connect(channel, null)
        # Not a session of its own: where the scheduler groups processes by session, each would have as much of the CPU as the whole host, and nice
        # would not count between them.
        os.setpgid(0, 0)
        os.nice(NICE)
        _go_first()
        for wall, build in self._walls:
            if wall in walls:
                try:
                    build(serial, memory)
                except (OSError, ValueError) as error:
                    raise WallFault(wall, error) from error

    def _descriptors(self, serial, memory):
        os.closerange(4, 1 << 20)

    def _user(self, serial, memory):
        if self.root:
            os.setgroups([])
            own = 200_000 + serial % 1_000_000_000
            os.setresgid(own, own, own)
            os.setresuid(own, own, own)

    def _lifeline(self, serial, memory):
        _control(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self.zygote:
            os._exit(1)

    def _dumpable(self, serial, memory):
        _control(PR_SET_DUMPABLE, 0)

    def _privileges(self, serial, memory):
        _control(PR_SET_NO_NEW_PRIVS, 1)

    def _limits(self, serial, memory):
        # RLIMIT_DATA would not count shared anonymous mappings.
        _limit(self._addresses, self.vsz + memory)
        for what, most in self._most:
            _limit(what, most)

    def _landlock(self, serial, memory):
        if not self.landlock:
            return
        ruleset = _syscall(LANDLOCK_CREATE_RULESET, self._rights, ctypes.c_size_t(len(self._rights)), 0)
        if ruleset < 0:
            raise OSError(ctypes.get_errno(), "landlock_create_ruleset")
        if _syscall(LANDLOCK_RESTRICT_SELF, ruleset, 0):
            raise OSError(ctypes.get_errno(), "landlock_restrict_self")
        os.close(ruleset)

    def _seccomp(self, serial, memory):
        if _prctl(PR_SET_SECCOMP, 2, ctypes.byref(self._program), 0, 0):
            raise OSError(ctypes.get_errno(), "seccomp can not be installed")


class Unsealed:
    """What is left of the seal on a machine of a developer that can not have it: nothing that stops anybody."""

    landlock = 0

    @staticmethod
    def close(channel, null, serial, memory):
        _connect(channel, null)
        os.closerange(4, 1 << 16)
        for name in ("RLIMIT_CORE", "RLIMIT_FSIZE"):
            try:
                _limit(getattr(resource, name), 0)
            except (AttributeError, OSError, ValueError):
                pass


def _connect(channel, null):
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    if channel != 3:
        os.dup2(channel, 3)


def _go_first():
    """Where the machine's memory runs out, cells end before anything else does."""
    try:
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
        os.write(score, b"1000")
        os.close(score)
    except OSError:
        pass  # there is no /proc, or no such killer


def _limit(what, most):
    _set_limit(what, (most, most))


def _control(option, value):
    if _prctl(option, _unsigned(value), _zero, _zero, _zero):
        raise OSError(ctypes.get_errno(), f"prctl {option}")
