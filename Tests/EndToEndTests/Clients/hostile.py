"""Opens many connections to an address (HOST:PORT or unix:PATH) that misbehave, keeps
them, and says "ready" once all are there. Connections that the server ends are opened again, so that
the number stays, until it is killed.

    hostile.py ADDRESS COUNT
"""

import random
import socket
import struct
import sys
import time

ADDRESS, COUNT = sys.argv[1], int(sys.argv[2])
random.seed(1)


def connect():
    if ADDRESS.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(ADDRESS[5:])
    else:
        host, _, port = ADDRESS.rpartition(":")
        s = socket.create_connection((host, int(port)), 10)
    s.setblocking(False)
    return s


def silent(s):
    pass


def half_a_request(s):
    s.send(b"GET /status HTTP/1.1\r\nHost: x\r\nX-")


def garbage(s):
    s.send(random.randbytes(3000))


def endless_head(s):
    s.send(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 5000)


def never_reads(s):
    s.send(b"GET /metrics HTTP/1.1\r\n\r\n" * 200)


def follows_and_never_reads(s):
    s.send(b"GET /events?follow HTTP/1.1\r\n\r\n")


def promises_a_body(s):
    s.send(b"POST /scale HTTP/1.1\r\nContent-Length: 4000\r\n\r\nby=1")


def wants_to_change(s):
    s.send(b"POST /stop?quick HTTP/1.1\r\n\r\nPOST /scale?to=0 HTTP/1.1\r\n\r\n")


def resets(s):
    s.send(b"GET /status HTTP/1.1\r\n\r\n")
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()


def hangs_up_half(s):
    s.send(b"GET /status HTTP/1.1\r\n")
    s.shutdown(socket.SHUT_WR)


KINDS = [silent, half_a_request, garbage, endless_head, never_reads, promises_a_body, resets,
         hangs_up_half]
if not ADDRESS.startswith("unix:"):
    # On the control socket these would be executed.
    KINDS += [follows_and_never_reads, wants_to_change]


def attack(number):
    s = connect()
    try:
        KINDS[number % len(KINDS)](s)
    except OSError:
        pass
    return s


alive = [attack(number) for number in range(COUNT)]
print("ready", flush=True)
turn = 0
while True:
    time.sleep(0.001)
    turn += 1
    place = turn % COUNT
    s = alive[place]
    try:
        if s.fileno() < 0:
            raise OSError
        if s.recv(1, socket.MSG_PEEK) == b"":
            raise OSError
    except BlockingIOError:
        # Single bytes, to seem alive.
        try:
            s.send(b"x")
        except OSError:
            pass
        continue
    except OSError:
        s.close()
        try:
            alive[place] = attack(turn)
        except OSError:
            pass
