"""From the end of a worker by SIGKILL to the first line of its replacement's main().

The floor is a minimal supervisor (programs/floor.c): it waits for the end of a child and starts
another. All run programs/stamp.c, which records when its main() began.
"""
import os
import signal
import statistics
import time

from harness import peers, servers
from harness.processes import Program, is_alive, wait_until
from harness.results import Measure

TITLE = "Crash to replacement"
WORKERS = 4
FLOOR = "posix_spawn in a loop"


def kill_and_time(stamps, kind, seconds=30, after_kill=lambda: None):
    """Returns the milliseconds from the kill of the newest worker to the stamp of its
    replacement."""
    before = len(stamps.of_kind(kind))
    victim = next(pid for pid, _ in reversed(stamps.of_kind(kind)) if is_alive(pid))
    killed = time.monotonic_ns()
    os.kill(victim, signal.SIGKILL)
    after_kill()
    wait_until(lambda: len(stamps.of_kind(kind)) > before, "a replacement", seconds, pause=0.001)
    return (stamps.of_kind(kind)[before][1] - killed) / 1e6


def median_of_kills(run, command, pause, workers, kills, stop=signal.SIGTERM):
    """Starts a supervisor and kills some of its workers one by one."""
    with run.scratch() as (folder, stamps):
        with Program(command(folder, stamps.path), folder, {"STAMP_FILE": stamps.path},
                     stop) as program:
            program.wait_until(lambda: stamps.count() >= workers, f"{workers} workers run")
            times = []
            for _ in range(kills):
                time.sleep(pause)
                times.append(kill_and_time(stamps, 0))
            return statistics.median(times)


def measure(run):
    stamp, floor = run.program("stamp"), run.program("floor")
    kills = 30

    def bare(kind):
        return lambda: median_of_kills(
            run, lambda _, file: [floor, kind, WORKERS, stamp, file], 0.05, WORKERS, kills)

    def ours(folder, file):
        return peers.supervise(
            run, WORKERS, [stamp, file], "--ready", "exec", "--stable-after", "0")

    subjects = {
        FLOOR: bare("spawn"), "fork+exec in a loop": bare("fork"),
        "supervise": lambda: median_of_kills(run, ours, 0.05, WORKERS, kills)}
    for peer in peers.generic(run):
        workers = min(WORKERS, peer.most_workers)

        def command(folder, file, peer=peer, workers=workers):
            return peer.command(peer.path(), folder, workers, [stamp, file])

        few = min(kills, 2 if run.quick else 5) if peer.pause > 0.5 else kills
        subjects[peer.name] = lambda command=command, peer=peer, workers=workers, few=few: \
            median_of_kills(run, command, peer.pause, workers, few, peer.stop)
    generic = Measure(
        "crash → replacement runs", "ms", run.rounds(subjects, run.repetitions(7)),
        "≤ 1.5 × floor, ahead of every peer", FLOOR, most_ratio=1.5, leads=True,
        not_peers=("fork+exec in a loop",),
        note=f"SIGKILL to the first line of main(), {WORKERS} workers; medians of {kills} kills")
    return [generic, *servers_that_fork(run)]


def servers_that_fork(run):
    """Measures servers that are their own supervisors and run no command, to the first line of
    the program that they load, which a worker reaches after its fork. Supervise runs the same
    program."""
    subjects = {}
    for server in servers.installed(run):
        if not server.workers:
            subjects[server.name] = lambda server=server: median_of_imports(run, server)
    if len(subjects) < 2:
        return []
    return [Measure(
        "crash → replacement loads the program", "ms", run.rounds(subjects, run.repetitions(3)),
        ours="supervise, uvicorn",
        note="servers with a supervisor of their own, to the first line of the program that they "
        "load: a fork of a process with the loaded server, or a new process; php-fpm "
        "loads it at the first request, which waits for the replacement")]


def median_of_imports(run, server):
    # Supervise backs off if a slot ends repeatedly, which is not measured here.
    extra = ("--stable-after", "0") if server.is_ours else ()
    with run.scratch() as (folder, stamps):
        with server.start(
                run, folder, stamps, workers=WORKERS, boot=0, extra=extra) as (program, _):
            program.wait_until(lambda: stamps.count(1) >= WORKERS, "the workers are ready")
            times = []
            for _ in range(2 if run.quick else 5):
                time.sleep(1.2)
                # The newest worker is the one that loaded its program last.
                times.append(kill_and_time(
                    stamps, 0, after_kill=lambda: server.load_program(folder, WORKERS - 1)))
            return statistics.median(times)
