"""What the scripts of the tests share: which sockets are ours, by inode."""

import ctypes
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

OURS = [int(item.split(":")[1].split("@")[0]) for item in os.environ["SUPERVISE_WORKER_LISTENERS"].split(",")]
libc = ctypes.CDLL(None, use_errno=True)


def inode(descriptor):
    return os.fstat(descriptor).st_ino


def ours(sock):
    """Which listener the socket is, or None."""
    number = inode(sock.fileno())
    return OURS.index(number) if number in OURS else None


def address():
    """Where the first listener is."""
    return socket.socket(fileno=os.dup(3)).getsockname()


def bound(where=None, kind=socket.SOCK_STREAM, family=socket.AF_INET):
    sock = socket.socket(family, kind)
    sock.bind(where or address())
    return sock


def failure(call, *arguments):
    """The errno that the call fails with, 0 when it does not."""
    try:
        call(*arguments)
        return 0
    except OSError as error:
        return error.errno


def nonblocking(descriptor):
    """What the program is told."""
    return bool(fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_NONBLOCK)


def truly_nonblocking(descriptor):
    """What the kernel says (proc_pid_fdinfo(5))."""
    with open(f"/proc/self/fdinfo/{descriptor}") as info:
        flags = next(line for line in info if line.startswith("flags:"))
    return bool(int(flags.split()[1], 8) & os.O_NONBLOCK)
