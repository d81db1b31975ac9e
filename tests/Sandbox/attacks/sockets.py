"""Sockets of every family, and what can be done with the one there is."""

import _socket
import asyncio
import ctypes
import os
import select
import socket
import struct

from attempt import LIBC, Nothing, attempt, call

# Never let go of: its end would be the cell's.
CHANNEL = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM, 0, fileno=3)

attempt("an internet socket", "EPERM", lambda: _socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("an internet datagram socket", "EPERM", lambda: _socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
attempt("a raw socket", "EPERM", lambda: _socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
attempt("a ping socket", "EPERM", lambda: _socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1))
attempt("an internet socket of version 6", "EPERM", lambda: _socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
attempt("a Unix socket", "EPERM", lambda: _socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
attempt("a Unix datagram socket", "EPERM", lambda: _socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
attempt("a Unix packet socket", "EPERM", lambda: _socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
attempt("a socket to the kernel", "EPERM", lambda: _socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0))
attempt("a packet socket", "EPERM", lambda: _socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3))
attempt("a socket to the hypervisor", "EPERM", lambda: _socket.socket(40, socket.SOCK_STREAM))
attempt("a socket to the kernel's ciphers", "EPERM", lambda: _socket.socket(38, socket.SOCK_SEQPACKET))
attempt("a Bluetooth socket", "EPERM", lambda: _socket.socket(31, socket.SOCK_SEQPACKET, 0))
attempt("a CAN socket", "EPERM", lambda: _socket.socket(29, socket.SOCK_RAW, 1))
attempt("an express data path", "EPERM", lambda: _socket.socket(44, socket.SOCK_RAW))
attempt("a pair of sockets", "EPERM", socket.socketpair)
attempt("accept", "EPERM", CHANNEL.accept)
attempt("bind", "EPERM", lambda: CHANNEL.bind("\0eddy"))
attempt("listen", "EPERM", CHANNEL.listen)
attempt("connect the channel", "EPERM", lambda: CHANNEL.connect("/run/eddy"))
attempt("disconnect the channel", "EPERM", lambda: call(42, 3, struct.pack("<H14x", 0), 16))
attempt("send to an address", "EPERM", lambda: CHANNEL.sendto(b"x", "/run/eddy"))
attempt("send to an abstract address", "EPERM", lambda: CHANNEL.sendto(b"x", "\0eddy"))
attempt("send with a connect", "EPERM", lambda: CHANNEL.send(b"x", 0x20000000))
attempt("send out of band", "EPERM", lambda: CHANNEL.send(b"x", socket.MSG_OOB))
attempt("receive out of band", "EPERM", lambda: CHANNEL.recv(1, socket.MSG_OOB))
attempt("send a message", "EPERM", lambda: CHANNEL.sendmsg([b"x"]))
attempt("send a descriptor", "EPERM", lambda: CHANNEL.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, struct.pack("i", 0))]))
attempt("send messages", "EPERM", lambda: call(307, 3, ctypes.create_string_buffer(64), 1, 0))
attempt("receive messages", "EPERM", lambda: call(299, 3, ctypes.create_string_buffer(64), 1, 0, 0))
attempt("set an option", "EPERM", lambda: CHANNEL.setsockopt(socket.SOL_SOCKET, 16, 1))
attempt("attach a filter", "EPERM", lambda: CHANNEL.setsockopt(socket.SOL_SOCKET, 26, bytes(16)))
attempt("who is at the other end", "EPERM", lambda: CHANNEL.getsockopt(socket.SOL_SOCKET, 17, 12))
attempt("a process descriptor of the other end", "EPERM", lambda: CHANNEL.getsockopt(socket.SOL_SOCKET, 77, 4))
attempt("a loop of events", "EPERM", lambda: asyncio.run(asyncio.sleep(0)))
attempt("an event poll", "EPERM", select.epoll)
attempt("interfaces", "EPERM", socket.if_nameindex)
attempt("the machine's name", "EPERM", lambda: socket.sethostname("eddy"))


@attempt("every family and type", "Nothing")
def _every_family():
    for family in range(64):
        for kind in (1, 2, 3, 4, 5, 6, 10):
            if LIBC.socket(family, kind, 0) >= 0 or ctypes.get_errno() != 1:
                return family, kind
    raise Nothing


@attempt("descriptors left open", "Nothing")
def _left_open():
    found = [one for one in range(4, 4096) if LIBC.fcntl(one, 1) >= 0]
    if found:
        return found
    raise Nothing


@attempt("a descriptor sent along with a frame", "Nothing")
def _received():
    # Whatever came over the channel with ancillary data would be at 4 or above.
    found = [one for one in range(16) if LIBC.fcntl(one, 1) >= 0]
    if found != [0, 1, 2, 3]:
        return found
    raise Nothing


@attempt("what the null device holds", "Nothing")
def _null():
    os.write(0, b"for the neighbours")
    if os.read(1, 100):
        return "something"
    raise Nothing


@attempt("the zygote's door by the name that the channel tells", "EPERM")
def _names():
    name = CHANNEL.getsockname()
    call(42, 3, b"\1\0" + (name if isinstance(name, bytes) else name.encode()), 10)
