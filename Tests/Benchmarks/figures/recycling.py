"""Recycling under load: latency from the time at which a request was due, the lowest number of workers
that were ready, and failures, beside the same server without recycling.

The limits are a tenth of usual ones, and the program takes half a second to load.
"""
from harness import load, servers
from harness.results import Measure

TITLE = "Recycling under load"
WORKERS, RATE, BOOT, LIMITS = 4, 300, 0.5, (200, 50)
OURS = ("supervise, uvicorn", "supervise, light")


def serve(run, server, limits, seconds):
    """What the load saw, and the fewest ready workers."""
    with run.scratch() as (folder, stamps):
        with server.start(run, folder, stamps, WORKERS, BOOT, limits) as (program, port):
            program.wait_until(lambda: stamps.count(1) >= WORKERS, "the workers are ready")
            with load.Load(port, 20, 2) as warm:
                warm.wait()
            with load.Watch(stamps) as watch, load.Load(port, RATE, seconds) as flood:
                begun = stamps.count(0)
                seen = flood.wait()
            if limits and stamps.count(0) == begun:
                run.say(f"  {server.name} recycled nobody")
            return seen | {"fewest": watch.fewest(), "starts": stamps.count(0) - begun}


def pair(run, server, usual_seconds):
    seconds = max(usual_seconds, server.seconds_to_recycle)
    still = serve(run, server, None, usual_seconds)
    moving = serve(run, server, LIMITS, seconds)
    run.say(f"  {server.name}: p99 {still['p99_ms']:.1f} → {moving['p99_ms']:.1f} ms, fewest ready "
            f"{moving['fewest']}, {moving['failed']} failed {moving['reasons'] or ''}, "
            f"{moving['starts']} starts")
    return still, moving


def measure(run):
    seconds = 8 if run.quick else 20
    chosen = [server for server in servers.installed(run) if server.recycles
              and not (run.quick and server.seconds_to_recycle)]
    samples = run.rounds(
        {server.name: lambda server=server: pair(run, server, seconds) for server in chosen},
        run.repetitions(3, 1))

    def each(function):
        return {name: [function(*sample) for sample in values] for name, values in samples.items()}

    how = (f"{WORKERS} workers, {RATE} requests/s, {BOOT} s to load, recycled after "
           f"{LIMITS[0]} + up to {LIMITS[1]} requests (granian: after 60 s)")
    measures = []
    for ours in OURS:
        aside = tuple(name for name in OURS if name != ours)
        kind = ours.split(", ")[1]
        measures += [
            Measure(f"p99 while recycling ÷ without ({kind})", "×",
                    each(lambda still, moving: moving["p99_ms"] / still["p99_ms"]), "≤ 1.1",
                    most=1.1, ours=ours, not_peers=aside, note=how),
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
