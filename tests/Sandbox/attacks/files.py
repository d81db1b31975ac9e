"""Files, folders, and other ways to a disk or to the kernel's own files."""

import ctypes
import dbm.dumb
import os
import pathlib
import shutil
import sqlite3
import tempfile

from attempt import HOST, LIBC, attempt, call, checked

AT = -100


def _database_with_libraries():
    database = sqlite3.connect(":memory:")
    database.enable_load_extension(True)
    return database


attempt("open a file", "EPERM", lambda: open("/etc/passwd"))
attempt("open a file by ctypes", "EPERM", lambda: checked(LIBC.open(b"/etc/passwd", 0)))
attempt("open a file by openat", "EPERM", lambda: call(257, AT, b"/etc/passwd", 0))
attempt("open a file by openat2", "EPERM", lambda: call(437, AT, b"/etc/passwd", ctypes.create_string_buffer(24), 24))
attempt("create a file", "EPERM", lambda: open("/tmp/eddy-escape", "w"))
attempt("create a file by creat", "EPERM", lambda: call(85, b"/tmp/eddy-escape", 0o600))
attempt("create a file without a name", "EPERM", lambda: os.open("/tmp", os.O_TMPFILE | os.O_RDWR))
attempt("a temporary file", "EPERM|FileNotFoundError|ENOENT", lambda: tempfile.TemporaryFile())
attempt("a file as a path", "EPERM", lambda: pathlib.Path("/etc/shadow").read_text())
attempt("the host's program", "EPERM", lambda: open(f"/proc/{os.getppid()}/exe", "rb"))
attempt("the zygote's environment", "EPERM", lambda: open(f"/proc/{os.getppid()}/environ"))
attempt("the zygote's memory", "EPERM", lambda: open(f"/proc/{os.getppid()}/mem", "rb"))
attempt("the zygote's descriptors", "EPERM", lambda: os.listdir(f"/proc/{os.getppid()}/fd"))
attempt("own memory as a file", "EPERM", lambda: open("/proc/self/mem", "r+b"))
attempt("own map of memory", "EPERM", lambda: open("/proc/self/maps"))
attempt("own root by proc", "EPERM", lambda: os.listdir("/proc/self/root"))
attempt("the first process", "EPERM", lambda: os.listdir("/proc/1"))
attempt("the kernel's settings", "EPERM", lambda: open("/proc/sys/kernel/core_pattern", "w"))
attempt("the kernel's log", "EPERM", lambda: open("/dev/kmsg"))
attempt("the machine's memory", "EPERM", lambda: open("/dev/mem", "rb"))
attempt("a control group", "EPERM", lambda: os.listdir("/sys/fs/cgroup"))
attempt("list a folder", "EPERM", lambda: os.listdir("/"))
attempt("walk a folder by scandir", "EPERM", lambda: os.scandir("/"))
attempt("list by getdents", "EPERM", lambda: call(217, 3, ctypes.create_string_buffer(64), 64))
attempt("stat", "EPERM", lambda: os.stat("/etc"))
attempt("stat of a descriptor", "EPERM", lambda: os.fstat(3))
attempt("statx", "EPERM", lambda: call(332, AT, b"/", 0, 0, ctypes.create_string_buffer(256)))
attempt("statfs", "EPERM", lambda: os.statvfs("/"))
attempt("access", "EPERM", lambda: call(21, b"/etc/passwd", 4))
attempt("read a link", "EPERM", lambda: os.readlink("/proc/self/exe"))
attempt("make a link", "EPERM", lambda: os.symlink("/etc/passwd", "/tmp/eddy-escape"))
attempt("make a hard link", "EPERM", lambda: os.link("/etc/passwd", "/tmp/eddy-escape"))
attempt("make a folder", "EPERM", lambda: os.mkdir("/tmp/eddy-escape"))
attempt("make a device", "EPERM", lambda: os.mknod("/tmp/eddy-escape", 0o60000 | 0o600, 0x800))
attempt("make a named pipe", "EPERM", lambda: os.mkfifo("/tmp/eddy-escape"))
attempt("remove a file", "EPERM", lambda: os.unlink("/tmp/eddy-escape"))
attempt("remove a tree", "EPERM", lambda: shutil.rmtree("/tmp/eddy-escape"))
attempt("rename", "EPERM", lambda: os.rename("/tmp/eddy-escape", "/tmp/eddy-escaped"))
attempt("change rights", "EPERM", lambda: os.chmod("/tmp", 0o777))
attempt("change the owner", "EPERM", lambda: os.chown("/tmp", 0, 0))
attempt("rights of a descriptor", "EPERM", lambda: os.fchmod(0, 0o777))
attempt("truncate", "EPERM", lambda: os.truncate("/tmp/eddy-escape", 0))
attempt("change times", "EPERM", lambda: os.utime("/tmp"))
attempt("extended attributes", "EPERM", lambda: os.setxattr("/tmp", "user.x", b"x"))
attempt("change the folder", "EPERM", lambda: os.chdir("/"))
attempt("ask for the folder", "EPERM", lambda: os.getcwd())
attempt("change the root", "EPERM", lambda: os.chroot("/tmp"))
attempt("mount", "seccomp", lambda: LIBC.mount(b"none", b"/tmp", b"tmpfs", 0, None))
attempt("the new mount calls", "EPERM", lambda: call(430, b"tmpfs", 0))
attempt("open by handle", "seccomp", lambda: call(304, AT, ctypes.create_string_buffer(64), 0))
attempt("name to handle", "seccomp", lambda: call(303, AT, b"/", ctypes.create_string_buffer(64), ctypes.create_string_buffer(8), 0))
attempt("a database file", "OperationalError", lambda: sqlite3.connect("/tmp/eddy-escape").execute("create table x (y)"))
attempt("attach a database file", "OperationalError", lambda: sqlite3.connect(":memory:").execute("attach '/tmp/eddy-escape' as x"))
attempt("a library of the database", "AttributeError|OperationalError", lambda: sqlite3.connect(":memory:").enable_load_extension(True)
    or _database_with_libraries().load_extension("/tmp/eddy-escape"))
attempt("a key file", "OSError|EPERM", lambda: dbm.dumb.open("/tmp/eddy-escape", "n"))
attempt("a native library", "OSError", lambda: ctypes.CDLL("libutil.so.1"))
attempt("an extension module", "ImportError", lambda: __import__("importlib.machinery").machinery.ExtensionFileLoader("x", "/tmp/x.so").create_module(
    __import__("importlib.machinery").machinery.ModuleSpec("x", None, origin="/tmp/x.so")))
attempt("watch files", "EPERM", lambda: checked(LIBC.inotify_init()))
attempt("watch everything", "EPERM", lambda: call(300, 0, 0))
attempt("a file system quota", "EPERM", lambda: call(179, 0, b"/dev/sda", 0, 0))
attempt("duplicate a descriptor", "EPERM", lambda: os.dup(3))
attempt("duplicate over a descriptor", "EPERM", lambda: os.dup2(0, 3))
attempt("duplicate by fcntl", "EPERM", lambda: __import__("fcntl").fcntl(3, 0, 10))
attempt("signals of a descriptor to somebody", "EPERM", lambda: __import__("fcntl").fcntl(3, 8, os.getppid()))
attempt("a descriptor that does not block", "EPERM", lambda: os.set_blocking(3, False))
attempt("a control call on the channel", "EPERM", lambda: __import__("fcntl").ioctl(3, 0x541B, 0))
attempt("a control call on the null device", "EPERM", lambda: __import__("fcntl").ioctl(0, 0x5412, b"x"))
attempt("lock a descriptor", "EPERM", lambda: __import__("fcntl").flock(0, 2))
attempt("seek", "EPERM", lambda: os.lseek(0, 0, 0))
attempt("send a file", "EPERM", lambda: os.sendfile(3, 0, 0, 10))
attempt("splice", "EPERM", lambda: call(275, 0, 0, 3, 0, 10, 0))
attempt("vectors", "EPERM", lambda: os.writev(3, [b"x"]))
attempt("sync the disks", "EPERM", lambda: call(162) or call(306, 3))
attempt("swap", "seccomp", lambda: call(167, b"/dev/sda", 0))
attempt("accounting", "EPERM", lambda: call(163, b"/tmp/eddy-escape"))
