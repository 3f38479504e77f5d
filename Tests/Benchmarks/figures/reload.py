"""A reload under load: failed requests, the fewest ready workers during the reload, and the time
until all workers are new."""
import math
import time

from harness import load, servers
from harness.processes import is_alive, wait_until
from harness.results import Measure

TITLE = "Reload under load"
WORKERS, RATE, BOOT, CANARY = 4, 200, 0.5, 2.0
OURS = ("supervise, uvicorn", "supervise, light")


def reload(run, server):
    with run.scratch() as (folder, stamps):
        with server.start(run, folder, stamps, WORKERS, BOOT) as (program, port):
            workers = server.workers or WORKERS
            program.wait_until(lambda: stamps.count(1) >= workers, "the workers are ready")
            time.sleep(2)
            with load.Watch(stamps) as watch, load.Load(port, RATE, 18) as flood:
                time.sleep(1.5)
                began = time.monotonic_ns()
                server.begin_reload(program, folder)

                def is_through():
                    runs = {pid: at for pid, at in stamps.of_kind(0)}
                    live = [runs[pid] for pid, _ in stamps.of_kind(1) if is_alive(pid)]
                    return len(live) >= workers and min(live) > began
                wait_until(is_through, "all workers are new", 25, pause=0.01)
                took = (time.monotonic_ns() - began) / 1e9
                seen = flood.wait()
            runs = {pid: at for pid, at in stamps.of_kind(0)}
            boots = [(at - runs[pid]) / 1e9 for pid, at in stamps.of_kind(1) if runs[pid] > began]
            fewest = watch.fewest(began)
            run.say(f"  {server.name}: {took:.2f} s, fewest ready {fewest} of {workers}, "
                    f"{seen['failed']} failed {seen['reasons'] or ''}, "
                    f"p99 {seen['p99_ms']:.1f} ms")
            return seen | {"took": took, "missing": workers - fewest, "boot": max(boots, default=0)}


def boot_of_worker(run, server):
    """Measures the time from exec to ready of a single worker, which a reload needs at least per
    worker."""
    with run.scratch() as (folder, stamps):
        begun = time.monotonic_ns()
        with server.start(run, folder, stamps, 1, BOOT) as (program, _):
            program.wait_until(lambda: stamps.count(1) >= 1, "a worker is ready")
            return (stamps.of_kind(1)[0][1] - begun) / 1e9


def measure(run):
    chosen = [server for server in servers.installed(run) if server.reload]
    samples = run.rounds(
        {server.name: lambda server=server: reload(run, server) for server in chosen},
        run.repetitions(3, 1))

    def each(key):
        return {name: [sample[key] for sample in values] for name, values in samples.items()}

    measures = []
    for ours in OURS:
        if ours not in samples:
            continue
        server = next(server for server in chosen if server.name == ours)
        boot = boot_of_worker(run, server)
        bound = 1.2 * (CANARY + boot * math.ceil(WORKERS / 1))
        aside = tuple(name for name in OURS if name != ours)
        kind = ours.split(", ")[1]
        measures += [
            Measure(f"reload: failed requests ({kind})", "", each("failed"), "0", most=0, digits=0,
                    ours=ours, not_peers=aside,
                    note=f"{WORKERS} workers, {RATE} requests/s, {BOOT} s to load"),
            Measure(f"reload: most missing workers ({kind})", "", each("missing"), "0", most=0,
                    digits=0, ours=ours, not_peers=aside),
            Measure(f"reload: until all are new ({kind})", "s", each("took"),
                    f"≤ {bound:.1f}: 1.2 × ({CANARY:.0f} s canary + {WORKERS} × {boot:.2f} s)",
                    most=bound, digits=1, ours=ours, not_peers=aside)]
    return measures
