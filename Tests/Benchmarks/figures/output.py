"""The throughput of output = prefix, beside a pipe to cat without a master, and how late the master's
loop responds meanwhile."""
import http.client
import os
import socket
import subprocess
import time

from harness.results import Measure

TITLE = "Prefixed output"
FLOOR = "a pipe to cat"
# Lines of 100 bytes.
WRITER = """
import os, sys
piece = (b"x" * 99 + b"\\n") * 655
for _ in range(int(sys.argv[1]) // len(piece)):
    os.write(2, piece)
open(sys.argv[2], "w").close()
"""


class Control(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def measure(run):
    size = 200_000_000 if run.quick else 1_000_000_000
    latencies = []

    def rate(command, folder, poll=lambda: None):
        done = f"{folder}/done"
        writer = ["python3", "-c", WRITER, str(size), done]
        start = time.monotonic()
        process = subprocess.Popen(
            ["sh", "-c", '"$@" 2>&1 >/dev/null | cat >/dev/null', "sh", *command, *writer],
            env={**os.environ, "XDG_RUNTIME_DIR": folder}, start_new_session=True)
        try:
            while not os.path.exists(done):
                assert process.poll() is None, "it ended"
                poll()
                time.sleep(0.01)
            return size / 1e6 / (time.monotonic() - start)
        finally:
            os.killpg(process.pid, 15)
            process.wait()

    def ours():
        with run.scratch() as (folder, _):
            path = f"{folder}/control"

            def poll():
                if not os.path.exists(path):
                    return
                connection = Control(path)
                start = time.monotonic()
                connection.request("GET", "/healthz")
                connection.getresponse().read()
                latencies.append((time.monotonic() - start) * 1000)
                connection.close()
            return rate([
                run.supervise, "--control", path, "--output", "prefix", "--output-overflow",
                "block", "--restart", "never", "--"], folder, poll)

    def floor():
        with run.scratch() as (folder, _):
            return rate([], folder)

    samples = run.rounds({FLOOR: floor, "supervise": ours}, run.repetitions(5, 2))
    latencies.sort()
    late = latencies[len(latencies) * 99 // 100] if latencies else 0
    return [
        Measure("output = prefix, lines of 100 bytes", "MB/s", samples, "≥ 100", FLOOR, least=100,
                higher_is_better=True, digits=0),
        Measure("response of the master meanwhile, p99", "ms", {"supervise": [late]}, "≤ 5", most=5)]
