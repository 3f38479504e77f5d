"""A worker that can make whoever reads its memory, or what it has locked, wait for ever: $STUCK_FILE is
on a file system that does not answer. What it does is in $STUCK:

poll   waits in poll(2) over an array there
epoll  has the kernel write events there, while it holds the set's lock
bind   calls bind(2) with an address there
send   sends a response from there to each client of 127.0.0.1:$STUCK_PORT, while it holds the lock of
       the connection
"""
import ctypes, os, select, socket, threading, time

libc = ctypes.CDLL(None, use_errno=True)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_int] * 3 + [ctypes.c_long]
how = os.environ["STUCK"]
page = ctypes.c_void_p(libc.mmap(None, 4096, 3, 1, os.open(os.environ["STUCK_FILE"], os.O_RDWR), 0))
if how == "poll":
    libc.poll(page, 1, -1)
elif how == "epoll":
    poll = select.epoll()
    ends = socket.socketpair()
    poll.register(ends[0], select.EPOLLIN)
    ends[1].send(b"x")
    libc.epoll_wait(poll.fileno(), page, 1, -1)
elif how == "bind":
    libc.bind(socket.socket().fileno(), page, 16)
elif how == "send":
    listener = socket.create_server(("127.0.0.1", int(os.environ["STUCK_PORT"])))
    while True:
        client, _ = listener.accept()
        os.write(2, b"accepted\n")
        threading.Thread(target=libc.send, args=(client.detach(), page, 4096, 0)).start()
time.sleep(3600)
