"""Clients that take their time, of a server at ADDRESS: a port of 127.0.0.1 or the path of a unix socket.

Each word is a client. Exits with 0 if all got everything.
"""
import socket, sys, threading, time


def connect(buffer=None):
    address = sys.argv[1]
    client = socket.socket(socket.AF_UNIX if address.startswith("/") else socket.AF_INET)
    if buffer:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    client.settimeout(60)
    client.connect(address if address.startswith("/") else ("127.0.0.1", int(address)))
    return client


def get(client, path, more=b""):
    client.sendall(b"GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n" % (path, more))


def receive(client, end):
    seen = b""
    while end not in seen:
        piece = client.recv(65536)
        assert piece, seen
        seen += piece
    return seen


def websocket():
    client = connect()
    get(client, b"/ws", b"Connection: Upgrade\r\nUpgrade: websocket\r\n")
    assert receive(client, b"\r\n\r\n").startswith(b"HTTP/1.1 101")
    time.sleep(3)
    client.sendall(b"ping")
    assert receive(client, b"ping")


def sse():
    client = connect()
    get(client, b"/sse")
    receive(client, b"data: 2\n\n")


def begun():
    client = connect()
    get(client, b"/begun")
    receive(client, b"ok")


def reader():
    client = connect(4096)
    get(client, b"/big")
    left = 16 << 20
    head, _, body = receive(client, b"\r\n\r\n").partition(b"\r\n\r\n")
    left -= len(body)
    end = time.monotonic() + 3
    while left:
        if time.monotonic() < end:
            time.sleep(0.05)
        piece = client.recv(65536)
        assert piece
        left -= len(piece)


def upload():
    client = connect()
    client.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30\r\n\r\n")
    for _ in range(30):
        client.sendall(b"x")
        time.sleep(0.1)
    receive(client, b"ok")


def stuck():
    client = connect()
    get(client, b"/stuck/17")
    # It gets no response, and the connection ends with the worker.
    try:
        assert client.recv(100) == b""
    except ConnectionResetError:
        pass


def run(name):
    globals()[name]()
    done.append(name)


done = []
threads = [threading.Thread(target=run, args=[name]) for name in sys.argv[2:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(set(sys.argv[2:]) - set(done)), flush=True)
sys.exit(len(done) != len(threads))
