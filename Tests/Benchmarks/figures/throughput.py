"""The throughput of a program as a worker, compared with the same program alone: a small server in
C that binds its own address, with four clients on their own connections."""
import socket
import subprocess

from harness import peers
from harness.processes import Program, wait_until
from harness.results import Measure

TITLE = "Throughput"
FLOOR = "the program alone"


def requests_per_second(run, command):
    connections = 3000 if run.quick else 20_000
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with run.scratch() as (folder, _):
        with Program(command(port), folder):
            def answers():
                try:
                    with socket.create_connection(("127.0.0.1", port), 10) as client:
                        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                        return client.recv(4096)
                except OSError:
                    return None
            wait_until(answers, "it answers", 30, pause=0.05)
            took = subprocess.run(
                [run.program("clients"), str(port), str(connections), "4", "answer"], check=True,
                stdout=subprocess.PIPE)
            return connections / (int(took.stdout) / 1e9)


def measure(run):
    server = run.program("server")
    subjects = {
        FLOOR: lambda: requests_per_second(run, lambda port: [server, port, "answer"]),
        "supervise": lambda: requests_per_second(run, lambda port: [
            run.supervise, "--control", "none", "--bind", f"127.0.0.1:{port}", "--max-requests",
            str(1 << 60), "--", server, port, "answer"])}
    samples = run.rounds(subjects, run.repetitions(15, 4))
    return [Measure("throughput as a worker, ÷ alone", "/s", samples, "≥ 0.99", FLOOR,
                    least_ratio=0.99, higher_is_better=True, digits=0)]
