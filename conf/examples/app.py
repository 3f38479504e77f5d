"""A small web application as a worker of supervise:

    supervise --bind 127.0.0.1:8000 --workers 2 --max-requests 1000 -- python3 conf/examples/app.py

Without supervise it listens on 127.0.0.1:$PORT (8000). When it is asked to stop, it accepts no more
connections, finishes the requests in flight with "Connection: close", and exits.
"""
import os, select, signal, socket, threading, time
from http.server import BaseHTTPRequestHandler

import supervise_worker as worker

FIRST_REQUEST_SECONDS = 2.0  # how long a stopping worker waits on a new connection


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # send head and body in one piece

    def do_GET(self):
        slot = os.environ.get("SUPERVISE_WORKER_SLOT", "-")
        body = f"hello from pid {os.getpid()}, slot {slot}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        if worker.stop_requested():
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        worker.count()

    def handle(self):
        self.close_connection, is_fresh = False, True
        while not self.close_connection and self.has_request(is_fresh):
            self.handle_one_request()
            is_fresh = False

    def has_request(self, is_fresh):
        """Waits for the next request. Returns False if the worker stops before one arrives."""
        self.connection.setblocking(False)
        is_buffered = bool(self.rfile.peek(1))  # a request received together with the last one
        self.connection.setblocking(True)
        sockets = [self.connection, worker.stop_socket()]
        if is_buffered or self.connection in select.select(sockets, [], [])[0]:
            return True
        # The first request of a new connection may be on its way.
        patience = FIRST_REQUEST_SECONDS if is_fresh else 0
        return bool(select.select([self.connection], [], [], patience)[0])

    def log_message(self, format, *arguments):
        pass


def serve(connection, address):
    try:
        Handler(connection, address, None)
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # the client has disconnected
    finally:
        connection.close()


def main():
    sockets = worker.listeners()
    if not sockets:
        sockets = [socket.create_server(("127.0.0.1", int(os.environ.get("PORT", 8000))))]
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    for listener in sockets:
        listener.setblocking(False)  # a sibling may accept the connection that select reported
    worker.catch_stop()
    worker.ready()
    while not worker.stop_requested():
        for listener in select.select(sockets + [worker.stop_socket()], [], [])[0]:
            if worker.stop_requested():
                break
            try:
                connection, address = listener.accept()
            except OSError:
                continue
            threading.Thread(target=serve, args=(connection, address)).start()
    for listener in sockets:
        listener.close()
    # The interpreter waits for the threads, and so for the requests in flight.


if __name__ == "__main__":
    main()
