"""A request of 20 ms, or one that is answered when there is a file that says so. `ready` tells the
service manager that the server is ready."""

import http.server
import os
import socket
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        time.sleep(0.02)
        body = str(os.getpid()).encode()
        if self.path == "/early":
            # As a server that wants the request's body, or the handshake of TLS.
            self.send_response_only(100)
            self.end_headers()
        if self.path == "/parts":
            body = self.respond(body, 1)
        if self.path != "/":
            folder = os.environ["STAND_IN_FOLDER"]
            open(folder + "/begun", "w").close()
            while not os.path.exists(folder + "/go"):
                time.sleep(0.02)
        if self.path == "/parts":
            self.wfile.write(body)
        else:
            self.respond(body, len(body))

    def respond(self, body, count):
        """Sends so much of the body, and returns the rest."""
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:count])
        return body[count:]

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
if "ready" in sys.argv:
    notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    notify.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"].replace("@", "\0", 1))
server.serve_forever()
