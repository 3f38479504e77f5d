"""A request of 20 ms, or one that is answered when there is a file that says so."""

import http.server
import os
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(0.02)
        if self.path == "/slow":
            folder = os.environ["STAND_IN_FOLDER"]
            open(folder + "/begun", "w").close()
            while not os.path.exists(folder + "/go"):
                time.sleep(0.02)
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
