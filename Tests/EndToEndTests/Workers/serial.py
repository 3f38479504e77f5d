"""A server that serves one connection at a time on descriptor 3, and closes it.

WORK_MS   time per request (50)
BOOT_MS   time of the start (0)
MEMORY_MB memory that it holds (0)
"""
import os, socket, time


def number(name, default):
    return float(os.environ.get(name, default))


time.sleep(number("BOOT_MS", 0) / 1000)
held = b"x" * (int(number("MEMORY_MB", 0)) << 20)
work = number("WORK_MS", 50) / 1000
listener = socket.socket(fileno=3)
while True:
    connection, _ = listener.accept()
    with connection:
        if not connection.recv(65536):
            continue
        time.sleep(work)
        body = b"pid: %d\n" % os.getpid()
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
