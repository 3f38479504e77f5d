"""The main job of the README with an installed supervise: workers that bind their own address are
counted, recycled, reloaded and stopped without a failed request.

    python3 job.py PROGRAM
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE = 60
SERVER = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = str(os.getpid()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *words): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def eventually(message, condition):
    deadline = time.monotonic() + DEADLINE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            sys.exit("never: " + message)
        time.sleep(0.05)


def get(port):
    with socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = b""
        while True:
            part = client.recv(4096)
            if not part:
                break
            answer += part
    if b" 200 " not in answer:
        sys.exit("answered with %r" % answer)
    return answer.rsplit(b"\r\n", 1)[1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def main():
    program = sys.argv[1]
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        server = folder + "/server.py"
        with open(server, "w") as file:
            file.write(SERVER)
        log = folder + "/log"
        control = folder + "/control.sock"

        def lines(event):
            with open(log) as file:
                return [line for line in file if re.search(r"\b%s\b" % event, line)]

        master = subprocess.Popen(
            [program, "--bind", "127.0.0.1:%d" % port, "--workers", "2", "--max-requests", "20",
             "--log-file", log, "--log-format", "text", "--control", control, "--",
             sys.executable, server, str(port)])
        try:
            eventually("two ready workers", lambda: os.path.exists(log) and len(lines("ready")) >= 2)
            for line in lines("warning"):
                sys.exit("it warns: " + line)
            pids = set()

            def answered_by_a_third():
                pids.add(get(port))
                return len(pids) > 2

            eventually("an answer of a replacement", answered_by_a_third)
            eventually("recycling", lambda: any("max-requests" in line for line in lines("exited")))
            subprocess.run([program, "reload", "--wait", "--control", control], check=True)
            get(port)
            master.send_signal(signal.SIGTERM)
            if master.wait(DEADLINE) != 0:
                sys.exit("it ended with %d" % master.returncode)
        finally:
            if master.poll() is None:
                master.kill()


main()
