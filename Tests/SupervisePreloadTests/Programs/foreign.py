"""foreign.py ORIGIN [NUMBER]: accepts on our listener, then on another listening socket that takes over
its number, then on ours again: five connections are ours in all."""

from probe import *

LISTEN = {"x86_64": 50, "aarch64": 201}[os.uname().machine]


def foreign():
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock


def accept(number, where):
    client = socket.create_connection(where)
    assert libc.accept(number, None, None) >= 0


origin = sys.argv[1]
if origin == "inherited" and len(sys.argv) == 2:
    other = foreign()
    other.listen()
    os.set_inheritable(other.fileno(), True)
    os.execv(sys.executable, [sys.executable, *sys.argv, str(other.fileno())])
if origin == "inherited":
    other = socket.socket(fileno=int(sys.argv[2]))
if origin == "passed in time":
    left, right = socket.socketpair()
    if os.fork() == 0:
        other = foreign()
        other.listen()
        socket.send_fds(left, [b"x"], [other.fileno()])
        os._exit(0)
    os.wait()
    other = socket.socket(fileno=socket.recv_fds(right, 1, 1)[1][0])

where = address()
for _ in range(3):
    accept(3, where)
if origin == "made":
    other = foreign()
    other.listen()
if origin == "made by number":
    other = foreign()
    assert libc.syscall(LISTEN, other.fileno(), 5) == 0

kept = os.dup(3)
os.dup2(other.fileno(), 3)
for _ in range(3):
    accept(3, other.getsockname())
os.dup2(kept, 3)
accept(3, where)
accept(kept, where)
