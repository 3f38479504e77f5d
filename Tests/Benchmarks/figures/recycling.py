"""Recycling under load: latency from the time at which a request was due, the lowest number of workers
that were ready, and failures, beside the same server without recycling.

The limits are a tenth of usual ones, and the program takes half a second to load. A worker that loads
uses a processor, whoever started it and for whatever: the floor is the same server without recycling
while as many workers load beside it that serve nobody.
"""
import contextlib
import os
import socket
import subprocess
import threading

from harness import load, servers, stamps
from harness.results import Measure

TITLE = "Recycling under load"
WORKERS, RATE, BOOT, LIMITS = 4, 300, 0.5, (200, 50)
OURS = ("supervise, uvicorn", "supervise, light")
FLOOR = "boots beside"


class Boots(threading.Thread):
    """Loads the server's program again and again, at even distances, until the `with` ends."""

    def __init__(self, run, server, count, seconds):
        super().__init__(daemon=True)
        self.scratch, self.worker, self.pause = run.scratch, server.worker, seconds / count
        self._ended = threading.Event()

    def run(self):
        while not self._ended.wait(self.pause):
            with self.scratch() as (_, own), socket.create_server(("127.0.0.1", 0)) as listener:
                number = str(listener.fileno())
                process = subprocess.Popen(
                    [number if word == "3" else word for word in map(str, self.worker)],
                    env=os.environ | servers.environment(own, BOOT), pass_fds=[listener.fileno()],
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                while not own.count(stamps.READY) and not self._ended.wait(0.02):
                    continue
                process.kill()
                process.wait()

    def __enter__(self):
        self.start()

    def __exit__(self, *_):
        self._ended.set()
        self.join()


def serve(run, server, limits, seconds, boots=0):
    """What the load saw, and the fewest ready workers."""
    with run.scratch() as (folder, seen_by):
        with server.start(run, folder, seen_by, WORKERS, BOOT, limits) as (program, port):
            program.wait_until(
                lambda: seen_by.count(stamps.READY) >= WORKERS, "the workers are ready")
            with load.Load(port, 20, 2) as warm:
                warm.wait()
            beside = Boots(run, server, boots, seconds) if boots else contextlib.nullcontext()
            with load.Watch(seen_by) as watch, load.Load(port, RATE, seconds) as flood, beside:
                begun = seen_by.count(stamps.RUNS)
                seen = flood.wait()
            starts = seen_by.count(stamps.RUNS) - begun
            if limits and not starts:
                run.say(f"  {server.name} recycled nobody")
            return seen | {"fewest": watch.fewest(), "starts": starts}


def compare(run, server, usual_seconds):
    """Without recycling, with it, and without it while as many workers load beside."""
    seconds = max(usual_seconds, server.seconds_to_recycle)
    still = serve(run, server, None, usual_seconds)
    moving = serve(run, server, LIMITS, seconds)
    beside = serve(run, server, None, seconds, moving["starts"]) if server.name in OURS else None
    run.say(f"  {server.name}: p99 {still['p99_ms']:.1f} → {moving['p99_ms']:.1f} ms"
            + (f" (boots beside: {beside['p99_ms']:.1f})" if beside else "")
            + f", fewest ready {moving['fewest']}, {moving['failed']} failed "
            f"{moving['reasons'] or ''}, {moving['starts']} starts")
    return still, moving, beside


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
        floor = {FLOOR: [beside["p99_ms"] / still["p99_ms"] for still, _, beside in samples[ours]]}
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
