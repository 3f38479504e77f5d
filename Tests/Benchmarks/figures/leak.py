"""The distance by which a worker that leaks 1 MiB per request exceeds its memory cap. The cap is
150 MiB above its size at the start. The load is fixed, so the result depends on how soon the
supervisor detects the excess and how it reacts."""
import time

from harness import load, servers
from harness.processes import is_alive, resident_bytes
from harness.results import Measure

TITLE = "A leak and its cap"
WORKERS, RATE, BOOT, OVER = 2, 20, 0.5, 150
MIB = 1 << 20

# Options that set a cap in MiB; None for servers without such an option.
CAPS = {
    "supervise, uvicorn": lambda mib: ["--max-rss", f"{mib}M"],
    "uWSGI": lambda mib: ["--reload-on-rss", mib],
    "granian": lambda mib: ["--workers-max-rss", mib, "--rss-sample-interval", 1,
                            "--rss-samples", 1],
}


def base_mib(run, server):
    """Returns the resident size of a worker that has answered a few requests."""
    with run.scratch() as (folder, stamps):
        with server.start(run, folder, stamps, WORKERS, BOOT) as (program, port):
            program.wait_until(lambda: stamps.count(1) >= WORKERS, "the workers are ready")
            with load.Load(port, 20, 1) as few:
                few.wait()
            return max(resident_bytes(pid) for pid, _ in stamps.of_kind(1)) // MIB


def overshoot(run, server):
    """Returns the highest excess of any worker over the cap, in MiB."""
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
        "above the RSS cap, leaking 1 MiB per request", "MiB", samples, "least", leads=True, digits=0,
        ours="supervise, uvicorn",
        note=f"{WORKERS} workers, {RATE} requests/s, cap {OVER} MiB over the size at the start; "
             "supervise and the others with their default settings")]
