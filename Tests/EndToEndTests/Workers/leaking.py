"""A threaded server that binds its port itself, with routes that retain, allocate and collect."""
import http.server
import sys

retained = []
cache = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/leak":
            retained.append(b"x" * 20_000)
        elif self.path == "/temporary":
            bytearray(20 << 20)
        elif self.path == "/cycle":
            cycle = [bytearray(5_000)]
            cycle.append(cycle)
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
