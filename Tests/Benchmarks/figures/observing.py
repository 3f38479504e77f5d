"""The cost of observing requests: the throughput of a small server in C and of hello-worker with and without
request-info, and the time of a read."""
import os
import subprocess

from figures import throughput
from harness import bench
from harness.preload import Held
from harness.results import Measure

TITLE = "Observing requests"
FLOOR = "request-info = off"
BARE = "without the library"


def requests_per_second(run, info, command):
    return throughput.requests_per_second(run, lambda port: [
        run.supervise, "--control", "none", "--bind", f"127.0.0.1:{port}", "--request-info", info,
        "--", *command(port)])


def nanoseconds_of_reads(run, observes, loads=True):
    """Nanoseconds of a read from a file, and from a connection."""
    held = Held(observes)
    environment = held.environment if loads else os.environ
    library = os.path.join(os.path.dirname(run.supervise), "libsupervise-preload.so")
    try:
        output = subprocess.run(
            [run.program("reads"), str(held.listener.fileno())],
            env=environment | ({"LD_PRELOAD": library} if loads else {}),
            pass_fds=held.descriptors, check=True, stdout=subprocess.PIPE, text=True).stdout
    finally:
        held.close()
    return tuple(map(float, output.split()))


def throughput(run, label, command):
    samples = run.rounds({
        FLOOR: lambda: requests_per_second(run, "off", command),
        "supervise": lambda: requests_per_second(run, "auto", command),
    }, run.repetitions(15, 4))
    return Measure(f"throughput of {label} with requests observed, ÷ not observed", "/s", samples,
                   "0.98 to 1.02", FLOOR, least_ratio=0.98, higher_is_better=True, digits=0)


def measure(run):
    server = run.program("server")
    hello = next(iter(filter(os.path.exists, (
        bench.STATIC / "release/hello-worker", bench.ROOT / ".build/release/hello-worker",
        bench.ROOT / ".build/debug/hello-worker"))))
    samples = run.rounds({
        BARE: lambda: nanoseconds_of_reads(run, observes=False, loads=False),
        "supervise": lambda: nanoseconds_of_reads(run, observes=True),
    }, run.repetitions(5))
    reads = [
        Measure(label, "ns", {subject: [sample[index] for sample in taken]
                              for subject, taken in samples.items()}, target, BARE, digits=1)
        for index, label, target in [(0, "a read from a file", "none above it"),
                                     (1, "a read from a connection", "15 to 40 ns above it")]]
    return reads + [
        throughput(run, "a server in C", lambda port: [server, str(port), "answer"]),
        throughput(run, "hello-worker", lambda port: [str(hello)])]
