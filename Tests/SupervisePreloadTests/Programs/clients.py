"""clients.py ADDRESS COUNT THREADS: so many connections, each with one request; exits with 0 when all
were answered. ADDRESS is 127.0.0.1:PORT, [::1]:PORT, unix:PATH or unix:@NAME."""

import socket
import sys
import threading

address, count, threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
left = list(range(count))
failures = []


def connect():
    if address.startswith("unix:"):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        client.connect(address[5:].replace("@", "\0", 1))
        return client
    host, port = address.rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)), 30)


def run():
    while True:
        try:
            left.pop()
        except IndexError:
            return
        try:
            with connect() as client:
                client.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                answer = b""
                while piece := client.recv(65536):
                    answer += piece
            if not answer.startswith(b"HTTP/1."):
                failures.append(repr(answer[:80]))
        except OSError as error:
            failures.append(repr(error))


crowd = [threading.Thread(target=run) for _ in range(threads)]
for thread in crowd:
    thread.start()
for thread in crowd:
    thread.join()
if failures:
    sys.exit(f"{len(failures)} of {count} failed: {set(failures)}")
