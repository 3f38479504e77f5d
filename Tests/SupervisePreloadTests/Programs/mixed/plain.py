"""http.server and asyncio of Python's library: answers everything that mixed.py asks but chunked bodies."""
import http.server, sys
from wsgi import answer


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = sys.argv[2]

    def reply(self):
        left = length = int(self.headers.get("Content-Length") or 0)
        while left > 0:
            left -= len(self.rfile.read(min(left, 65536)))
        status, body = answer(self.command, self.path.split("?")[0], length)
        self.send_response(status)
        if body is None:
            self.send_header("Connection", "close")
        elif status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(b"onetwo" if body is None else body)

    do_GET = do_HEAD = do_POST = reply

    def log_message(self, *_):
        pass


class Forking(http.server.socketserver.ForkingMixIn, http.server.HTTPServer):
    request_queue_size = 100


servers = {"threads": http.server.ThreadingHTTPServer, "one": http.server.HTTPServer, "forks": Forking}
servers[sys.argv[3]](("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
