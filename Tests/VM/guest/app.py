"""A worker that binds its port itself and dies at once on TERM. /?sleep=S waits, /?leak=MB grows for good.
BOOT=SECONDS delays the bind. It fails to boot while /srv/broken exists. It answers with the text of
/srv/version, its pid and its user."""

import http.server
import os
import socketserver
import sys
import time
from urllib.parse import parse_qs, urlsplit

time.sleep(float(os.environ.get("BOOT", "0.2")))
if os.path.exists("/srv/broken"):
    sys.exit("app.py: the new code is broken")
with open("/srv/version") as file:
    version = file.read().strip()
kept = []


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        query = parse_qs(urlsplit(self.path).query)
        time.sleep(float(query.get("sleep", ["0"])[0]))
        if "leak" in query:
            kept.append(b"x" * int(float(query["leak"][0]) * 1048576))
        body = ("%s %d %d\n" % (version, os.getpid(), os.getuid())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


Server(("127.0.0.1", 8000), Handler).serve_forever()
