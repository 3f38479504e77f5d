"""A small server that handles one request at a time: light.py DESCRIPTOR. It boots for
BOOT_SECONDS, finishes its request at TERM, or at USR2 for einhorn, and leaks on request."""
import select
import signal
import socket
import sys

import stamping

stamping.boot()
listener = socket.socket(fileno=int(sys.argv[1]))
listener.setblocking(False)
wake, waker = socket.socketpair()
waker.setblocking(False)
signal.set_wakeup_fd(waker.fileno())
stopping = []
for number in (signal.SIGTERM, signal.SIGUSR2):
    signal.signal(number, lambda *_: stopping.append(True))
leaked = []

while not stopping:
    select.select([listener, wake], [], [])
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        continue
    connection.setblocking(True)
    with connection:
        try:
            if connection.recv(4096).startswith(b"GET /leak"):
                leaked.append(bytearray(b"\1") * (1 << 20))
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n")
        except ConnectionError:
            continue
