"""A worker without support for its supervisor: serves descriptor 3 with the call in its argument
(epoll, poll, select, accept), and is terminated by any signal."""
import os, select, socket, sys

listener = socket.socket(fileno=3)
how = sys.argv[1]
if how == "epoll":
    epoll = select.epoll()
    epoll.register(listener, select.EPOLLIN)
elif how == "poll":
    poll = select.poll()
    poll.register(listener, select.POLLIN)
if how != "accept":
    listener.setblocking(False)
while True:
    if how == "epoll":
        epoll.poll()
    elif how == "poll":
        poll.poll()
    elif how == "select":
        select.select([listener], [], [])
    try:
        connection, _ = listener.accept()
    except BlockingIOError:
        continue  # a sibling was faster
    with connection:
        try:
            connection.settimeout(5)
            data = b""
            while b"\r\n\r\n" not in data and (chunk := connection.recv(65536)):
                data += chunk
            body = f"hello from pid {os.getpid()}\n"
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            connection.sendall((head + body).encode())
            connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # the client is gone
