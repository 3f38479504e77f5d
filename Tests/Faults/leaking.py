"""A worker that keeps a megabyte for each request."""

import http.server
import socket

kept = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        kept.append(bytearray(b"x" * (1 << 20)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments):
        pass


class Server(http.server.HTTPServer):
    def server_bind(self):
        self.socket.close()
        self.socket = socket.socket(fileno=3)


Server(("127.0.0.1", 0), Handler).serve_forever()
