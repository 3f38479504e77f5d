"""The cost of counting for each request of a worker: on the page, by a message, and by the preload
library, which counts connections of unmodified programs."""
import subprocess

from harness import bench, peers
from harness.preload import Held
from harness.processes import Program, read
from harness.results import Measure

TITLE = "Counting a request"
FLOOR = "a C program that takes it"
UNHEARD = "a socket without a reader"


def of_worker(run):
    """Returns the nanoseconds of an addition on the page, of a message to the master, to the floor,
    and to a socket without a reader."""
    page = run.program("page")
    with run.scratch() as (folder, stamps):
        with Program(peers.supervise(run, 1, [page], "--ready", "exec", "--max-requests",
                                     str(1 << 60)), folder, {"STAMP_FILE": stamps.path}) as program:
            found = program.wait_until(
                lambda: read(stamps.path + ".counting").split(), "it has counted", 60)
            return tuple(map(float, found[:4]))


def of_library(run):
    """Returns the nanoseconds that the library takes to count an accepted connection."""
    sources = bench.ROOT / "Sources/CSupervisePreload"
    counter = run.program("counter", *(
        sources / f"{name}.c" for name in (
            "page", "listeners", "known", "environment", "digits", "ledger", "ledger_routes")))
    held = Held()
    try:
        output = subprocess.run(
            [counter, str(held.listener.fileno())], env=held.environment,
            pass_fds=held.descriptors, check=True, stdout=subprocess.PIPE, text=True).stdout
    finally:
        held.close()
    return float(output.split()[0])


def measure(run):
    samples = run.rounds({"supervise": lambda: of_worker(run)}, run.repetitions(5))["supervise"]
    library = run.rounds({"supervise": lambda: of_library(run)}, run.repetitions(5))
    return [
        Measure("counting on the page", "ns", {"supervise": [sample[0] for sample in samples]},
                "≤ 10 ns", most=10, digits=1),
        Measure("counting by a message", "µs",
                {"supervise": [sample[1] / 1000 for sample in samples],
                 FLOOR: [sample[2] / 1000 for sample in samples],
                 UNHEARD: [sample[3] / 1000 for sample in samples]},
                "≤ 3 µs", FLOOR, most=3, not_peers=(UNHEARD,)),
        Measure("counting by the preload library", "ns", library,
                "not measurable beside an accepted connection of 10 µs", most=100, digits=1)]
