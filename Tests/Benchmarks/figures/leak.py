"""How far past its memory cap a worker got that leaks 1 MiB a request: cap 150 MiB over its size at
the start. The load is fixed, so that what matters is how soon the cap is seen and what follows."""
import time

from harness import load, servers
from harness.processes import is_alive, resident_bytes
from harness.results import Measure

TITLE = "A leak and its cap"
WORKERS, RATE, BOOT, OVER = 2, 20, 0.5, 150
MIB = 1 << 20

# Options that cap at so many MiB; None for those that have none.
CAPS = {
    "supervise, uvicorn": lambda mib: ["--max-rss", f"{mib}M"],
    "uWSGI": lambda mib: ["--reload-on-rss", mib],
    "granian": lambda mib: ["--workers-max-rss", mib, "--rss-sample-interval", 1,
                            "--rss-samples", 1],
}


def base_mib(run, server):
    """What a worker is resident with when it has answered a few."""
    with run.scratch() as (folder, stamps):
        with server.start(run, folder, stamps, WORKERS, BOOT) as (program, port):
            program.wait_until(lambda: stamps.count(1) >= WORKERS, "the workers are ready")
            with load.Load(port, 20, 1) as few:
                few.wait()
            return max(resident_bytes(pid) for pid, _ in stamps.of_kind(1)) // MIB


def overshoot(run, server):
    """MiB past the cap, of the worker that got furthest."""
    cap = base_mib(run, server) + OVER
    seconds = 25 if run.quick else 45
    with run.scratch() as (folder, stamps):
        with server.start(run, folder, stamps, WORKERS, BOOT,
                          extra=CAPS[server.name](cap)) as (program, port):
            program.wait_until(lambda: stamps.count(1) >= WORKERS, "the workers are ready")
            most, begun = 0, stamps.count(0)
            with load.Load(port, RATE, seconds, "/leak") as flood:
                while flood.process.poll() is None:
                    live = [pid for pid, _ in stamps.of_kind(1) if is_alive(pid)]
                    most = max([most, *map(resident_bytes, live)])
                    time.sleep(0.02)
                seen = flood.wait()
            run.say(f"  {server.name}: peak {most // MIB} of {cap} MiB, {seen['failed']} failed, "
                    f"p99 {seen['p99_ms']:.0f} ms, {stamps.count(0) - begun} starts")
            return most / MIB - cap


def measure(run):
    chosen = [server for server in servers.installed(run) if server.name in CAPS]
    samples = run.rounds(
        {server.name: lambda server=server: overshoot(run, server) for server in chosen},
        run.repetitions(3, 1))
    return [Measure(
        "past the RSS cap, leaking 1 MiB a request", "MiB", samples, "least", leads=True, digits=0,
        ours="supervise, uvicorn",
        note=f"{WORKERS} workers, {RATE} requests/s, cap {OVER} MiB over the size at the start; "
             "supervise and the others with their default settings")]
