"""Recycling under load: latency from the scheduled time of a request, the lowest number of ready
workers, and failures, compared with the same server without recycling.

The limits are a tenth of usual ones, and the program takes half a second to load. A loading worker
uses a processor, and a new worker's first responses are slow under every supervisor. So the floor
is the same worker on the same listener, replaced at the same rate by a few lines that do nothing
else.
"""
import collections
import os
import signal
import socket
import subprocess
import threading

from harness import load, processes, servers, stamps
from harness.results import Measure

TITLE = "Recycling under load"
WORKERS, RATE, BOOT, LIMITS = 4, 300, 0.5, (200, 50)
OURS = ("supervise, uvicorn", "supervise, light")
FLOOR = "by hand"
SETTLE = 0.3  # seconds from the report that a worker has loaded to the stop of its predecessor


class Hand(threading.Thread):
    """Workers of a server on one listener, and a thread that replaces them one by one at equal
    intervals: it starts the new worker, then stops the oldest."""

    def __init__(self, server, seen_by):
        super().__init__(daemon=True)
        self.words, self.environment = server.worker, servers.environment(seen_by, BOOT)
        self.seen_by, self.pause = seen_by, None
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
        self.all = []
        self.serving = collections.deque(self.begin() for _ in range(WORKERS))
        self._ended = threading.Event()

    def begin(self):
        number = str(self.listener.fileno())
        self.all.append(subprocess.Popen(
            [number if word == "3" else word for word in map(str, self.words)],
            env=os.environ | self.environment, pass_fds=[self.listener.fileno()],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self.all[-1]

    def replace(self, count, seconds):
        self.pause = seconds / count
        self.start()

    def run(self):
        while not self._ended.wait(self.pause):
            loaded = self.seen_by.count(stamps.READY)
            self.serving.append(self.begin())
            while self.seen_by.count(stamps.READY) == loaded and not self._ended.wait(0.02):
                continue
            self._ended.wait(SETTLE)
            self.serving.popleft().send_signal(signal.SIGTERM)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._ended.set()
        if self.pause:
            self.join()
        for worker in self.all:
            worker.kill()
            worker.wait()
        self.listener.close()


def serve_by_hand(run, server, replacements, seconds):
    """Returns the p99 in milliseconds while this many workers are replaced."""
    with run.scratch() as (_, seen_by), Hand(server, seen_by) as hand:
        port = hand.listener.getsockname()[1]
        processes.wait_until(
            lambda: seen_by.count(stamps.READY) >= WORKERS, "the workers are ready")
        with load.Load(port, 20, 2) as warm:
            warm.wait()
        with load.Load(port, RATE, seconds) as flood:
            hand.replace(replacements, seconds)
            return flood.wait()["p99_ms"]


def serve(run, server, limits, seconds):
    """Returns the result of the load, and the fewest ready workers."""
    with run.scratch() as (folder, seen_by):
        with server.start(run, folder, seen_by, WORKERS, BOOT, limits) as (program, port):
            program.wait_until(
                lambda: seen_by.count(stamps.READY) >= WORKERS, "the workers are ready")
            with load.Load(port, 20, 2) as warm:
                warm.wait()
            with load.Watch(seen_by) as watch, load.Load(port, RATE, seconds) as flood:
                begun = seen_by.count(stamps.RUNS)
                seen = flood.wait()
            starts = seen_by.count(stamps.RUNS) - begun
            if limits and not starts:
                run.say(f"  {server.name} recycled no worker")
            return seen | {"fewest": watch.fewest(), "starts": starts}


def compare(run, server, usual_seconds):
    """Measures without recycling, with it, and with the same number of replacements by hand."""
    seconds = max(usual_seconds, server.seconds_to_recycle)
    still = serve(run, server, None, usual_seconds)
    moving = serve(run, server, LIMITS, seconds)
    by_hand = None
    if server.name in OURS:
        by_hand = serve_by_hand(run, server, max(1, moving["starts"]), seconds)
    run.say(f"  {server.name}: p99 {still['p99_ms']:.1f} → {moving['p99_ms']:.1f} ms"
            + (f" (by hand: {by_hand:.1f})" if by_hand else "")
            + f", fewest ready {moving['fewest']}, {moving['failed']} failed "
            f"{moving['reasons'] or ''}, {moving['starts']} starts")
    return still, moving, by_hand


def measure(run):
    seconds = 8 if run.quick else 20
    chosen = [server for server in servers.installed(run) if server.recycles
              and not (run.quick and server.seconds_to_recycle)]
    samples = run.rounds(
        {server.name: lambda server=server: compare(run, server, seconds) for server in chosen},
        run.repetitions(3, 1))

    def each(function):
        return {name: [function(still, moving) for still, moving, _ in values]
                for name, values in samples.items()}

    how = (f"{WORKERS} workers, {RATE} requests/s, {BOOT} s to load, recycled after "
           f"{LIMITS[0]} + up to {LIMITS[1]} requests (granian: after 60 s)")
    measures = []
    for ours in OURS:
        if ours not in samples:
            continue
        aside = tuple(name for name in OURS if name != ours)
        kind = ours.split(", ")[1]
        floor = {FLOOR: [by_hand / still["p99_ms"] for still, _, by_hand in samples[ours]]}
        measures += [
            Measure(f"p99 while recycling ÷ without ({kind})", "×",
                    each(lambda still, moving: moving["p99_ms"] / still["p99_ms"]) | floor,
                    "≤ 1.1", FLOOR, most=1.1, ours=ours, not_peers=aside, note=how),
            Measure(f"p99 while recycling ({kind})", "ms",
                    each(lambda still, moving: moving["p99_ms"]), ours=ours, digits=1,
                    not_peers=aside),
            Measure(f"fewest ready workers while recycling ({kind})", "",
                    each(lambda still, moving: moving["fewest"]), f"{WORKERS}", least=WORKERS,
                    higher_is_better=True, digits=0, ours=ours, not_peers=aside),
            Measure(f"failed requests while recycling ({kind})", "",
                    each(lambda still, moving: moving["failed"]), "0", most=0, digits=0,
                    ours=ours, not_peers=aside)]
    return measures
