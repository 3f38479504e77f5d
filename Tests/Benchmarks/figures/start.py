"""Starting: 1,000 trivial workers, and the time to the first one.

The time starts when a small C program (programs/launch.c) executes the supervisor, and ends with
the first line of main() of the last worker, or of the first.
"""
import contextlib
import itertools

from harness import bench, peers
from harness.processes import Program
from harness.results import Measure

TITLE = "Start"
FLOOR = "posix_spawn in a loop"
MANY = 1000
COPIES = 5


def time_start(run, command, workers, environment=None, stop=15):
    """Returns the milliseconds until the last of this many workers runs."""
    with run.scratch() as (folder, stamps):
        words = [run.program("launch"), stamps.path, *command(folder, stamps.path)]
        with Program(words, folder, {"STAMP_FILE": stamps.path}, stop) as program:
            program.wait_until(
                lambda: stamps.count() >= workers, f"{workers} workers run", 120, pause=0.02)
            (_, launched), = stamps.of_kind(2)
            return (max(at for _, at in stamps.of_kind(0)[:workers]) - launched) / 1e6


def subjects(run, workers):
    stamp, floor = run.program("stamp"), run.program("floor")
    found = {
        FLOOR: lambda _, file: [floor, "spawn", workers, stamp, file],
        "fork+exec in a loop": lambda _, file: [floor, "fork", workers, stamp, file],
        "supervise": lambda _, file: peers.supervise(
            run, workers, [stamp, file], "--ready", "exec")}
    stops = {}
    for peer in peers.generic(run, workers):
        found[peer.name] = lambda folder, file, peer=peer: peer.command(
            peer.path(), folder, workers, [stamp, file])
        stops[peer.name] = peer.stop
    return {name: lambda command=command, name=name: time_start(
        run, command, workers, stop=stops.get(name, 15)) for name, command in found.items()}


@contextlib.contextmanager
def copies(run):
    """Starts one worker repeatedly, each time from the next of several copies of the program. The
    page cache layout makes one copy up to a fifth slower than another, so a single copy would
    measure chance."""
    with contextlib.ExitStack() as stack:
        folders = [stack.enter_context(run.scratch())[0] for _ in range(COPIES)]
        programs = itertools.cycle([bench.install(run.supervise, folder) for folder in folders])

        def time_next():
            _, *words = peers.supervise(run, 1, [run.program("stamp")], "--ready", "exec")
            program = next(programs)
            return time_start(run, lambda _, file: [program, *words, file], 1)

        for _ in folders:
            time_next()
        yield time_next


def measure(run):
    of_many = Measure(
        f"start of {MANY:,} trivial workers", "ms",
        run.rounds(subjects(run, MANY), run.repetitions(7)),
        "≤ 1.3 × floor", FLOOR, most_ratio=1.3, digits=0, not_peers=("fork+exec in a loop",))
    one = {name: time for name, time in subjects(run, 1).items()
           if name in (FLOOR, "supervise", "multiwatch", "start_server")}
    with copies(run) as one["supervise"]:
        # The first starts are slower, because they read the programs from the disk.
        rounds = run.rounds(one, max(4 * COPIES, run.repetitions(25)))
    of_one = Measure(
        "start to first worker's main()", "ms",
        {name: times[1:] for name, times in rounds.items()},
        "≤ 2 × a C program that starts one child", FLOOR, most_ratio=2)
    return [of_many, of_one]
