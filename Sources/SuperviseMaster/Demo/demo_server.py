"""The server of `supervise demo`: it keeps 200 KB of each request for /cart and does not know
about supervise."""

import http.server
import sys

kept = []


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/cart":
            kept.append(b"x" * 200_000)
        body = b"ok\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128


host, _, port = sys.argv[1].rpartition(":")
Server((host, int(port)), Handler).serve_forever()
