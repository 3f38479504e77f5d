"""A request of 20 ms, or of 3 s."""

import http.server
import os
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        is_slow = self.path == "/slow"
        if is_slow:
            with open(os.environ["STAND_IN_FOLDER"] + "/begun", "w") as file:
                file.write("x")
        time.sleep(3 if is_slow else 0.02)
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
