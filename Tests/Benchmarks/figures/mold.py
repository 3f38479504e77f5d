"""Workers forked from a mold, compared with the same workers executed: uvicorn with Django. For the
memory, servers that preload the program are the peers."""
import os
import re
import signal
import socket
import statistics
import time

from harness import load, peers, servers
from harness.processes import Program, Trouble, descendants, is_alive, read, wait_until
from harness.results import Measure

TITLE = "Workers forked from a mold"
EXECUTED, FORKED = "supervise, exec'd", "supervise, forked"
WORKERS, RATE, SECONDS, CANARY = 4, 200, 15, 2.0
# A tenth of usual limits, so that the workers are replaced ten times as often.
LIMITS = ["--max-requests", 200, "--max-requests-jitter", 50]
MOLD = ["--mold", "auto", "--mold-import", "django_shop"]
APP = "django_shop:app"


def own_bytes(pid):
    """Returns the memory that a process shares with no other one."""
    return 1024 * sum(int(size) for size in re.findall(
        r"^Private_(?:Clean|Dirty):\s+(\d+)", read(f"/proc/{pid}/smaps_rollup"), re.M))


class Supervised:
    """A master with uvicorn and Django."""

    def __init__(self, run, folder, is_forked, workers=WORKERS, options=()):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        uvicorn = peers.find("uvicorn")
        if uvicorn is None:
            raise Trouble("uvicorn is not installed")
        words = [run.supervise, "--bind", f"127.0.0.1:{self.port}", "--workers", workers,
                 "--log-format", "logfmt", "--control", "none", *options,
                 *(MOLD if is_forked else []), "--", uvicorn, APP, "--fd", 3, "--no-access-log"]
        self.program = Program(
            words, folder, {"PYTHONPATH": str(servers.APPS), "PYTHONDONTWRITEBYTECODE": "1"})
        self.workers = workers

    def __enter__(self):
        self.program.__enter__()
        self.program.wait_until(
            lambda: len(self.boots()) >= self.workers, "the workers are ready")
        return self

    def __exit__(self, *error):
        self.program.__exit__(*error)

    def boots(self):
        """Returns the times from start to ready in seconds."""
        return [float(after) for after in re.findall(
            r"event=ready .*?after=([\d.]+)", self.program.log())]

    def count(self, event):
        return len(re.findall(rf"event={event} ", self.program.log() + " "))



def boot(run, is_forked):
    """Returns the median time from start to ready in milliseconds, one worker at a time."""
    with run.scratch() as (folder, _), Supervised(run, folder, is_forked, 1) as master:
        for number in range(2, 6):
            pid = int(re.findall(r"event=ready .*?pid=(\d+)", master.program.log())[-1])
            time.sleep(1.1)
            os.kill(pid, signal.SIGKILL)
            master.program.wait_until(lambda: len(master.boots()) >= number, "it is replaced")
        return 1000 * statistics.median(master.boots()[1:])


def memory(run, is_forked):
    """Returns the own memory of all workers and the mold in MB."""
    with run.scratch() as (folder, _), Supervised(run, folder, is_forked) as master:
        with load.Load(master.port, RATE, 5) as flood:
            flood.wait()
        time.sleep(1)
        return sum(map(own_bytes, descendants(master.program.pid))) / 1e6


def memory_of_peer(run, words, environment):
    with run.scratch() as (folder, _):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with Program([str(word).replace("PORT", str(port)) for word in words], folder,
                     environment) as program:
            program.wait_until(
                lambda: len(descendants(program.pid)) >= WORKERS, "the workers run")
            time.sleep(2)
            with load.Load(port, RATE, 5) as flood:
                flood.wait()
            time.sleep(1)
            return sum(map(own_bytes, [program.pid, *descendants(program.pid)])) / 1e6


def recycling(run, is_forked):
    with run.scratch() as (folder, _):
        with Supervised(run, folder, is_forked, options=LIMITS) as master:
            with load.Load(master.port, RATE, SECONDS) as flood:
                seen = flood.wait()
            run.say(f"  {FORKED if is_forked else EXECUTED}: {len(master.boots()) - WORKERS} "
                    f"replaced, p99 {seen['p99_ms']:.1f} ms, {seen['failed']} failed")
            return seen


def reload(run, is_forked):
    """Returns the time of a reload and of the boot that it needs at least."""
    with run.scratch() as (folder, _):
        begun = time.monotonic()
        with Supervised(run, folder, is_forked) as master:
            boot = time.monotonic() - begun
            old = [pid for pid in descendants(master.program.pid)]
            begun = time.monotonic()
            master.program.signal(signal.SIGHUP)
            master.program.wait_until(
                lambda: master.count("reload-complete") > 0, "the reload is complete", 60)
            took = time.monotonic() - begun
            wait_until(lambda: not any(map(is_alive, old)), "the old ones end", 30)
            return {"took": took, "boot": boot}


def peer_subjects(run):
    subjects = {}
    gunicorn, puma = peers.find("gunicorn"), peers.find("puma")
    python = {"PYTHONPATH": str(servers.APPS)}
    if gunicorn:
        subjects["gunicorn --preload"] = lambda: memory_of_peer(
            run, [gunicorn, "--preload", "--workers", WORKERS, "--bind", "127.0.0.1:PORT",
                  "django_shop:application"], python)
    if puma:
        subjects["puma preload_app!"] = lambda: memory_of_peer(
            run, [puma, "-w", WORKERS, "-t", "1:1", "--preload", "-b", "tcp://127.0.0.1:PORT",
                  servers.APPS / "config.ru"], {"BOOT_SECONDS": "0", "STAMP_FILE": "/dev/null"})
    return subjects


def measure(run):
    both = {EXECUTED: False, FORKED: True}

    def of(function):
        return {name: lambda is_forked=is_forked: function(run, is_forked)
                for name, is_forked in both.items()}

    boots = run.rounds(of(boot), run.repetitions(3, 1))
    sizes = run.rounds({**of(memory), **peer_subjects(run)}, run.repetitions(3, 1))
    under_load = run.rounds(of(recycling), run.repetitions(3, 1))
    reloads = run.rounds(of(reload), run.repetitions(3, 1))

    def each(samples, key):
        return {name: [sample[key] for sample in values] for name, values in samples.items()}

    bound = 1.2 * (CANARY + statistics.median(each(reloads, "boot").get(FORKED, [0])))
    common = {"ours": FORKED, "not_peers": (EXECUTED,)}
    return [
        Measure("mold: start to ready", "ms", boots, "≤ 0.2 × exec'd", floor=EXECUTED,
                most_ratio=0.2, digits=0, **common),
        Measure("mold: own memory of 4 workers and the mold", "MB", sizes, "≤ 0.55 × exec'd",
                floor=EXECUTED, most_ratio=0.55, digits=0,
                note="puma serves a small program in Ruby", **common),
        Measure("mold: p99 while recycling", "ms", each(under_load, "p99_ms"), "≤ exec'd",
                floor=EXECUTED, most_ratio=1.0, digits=1, **common),
        Measure("mold: failed requests while recycling", "", each(under_load, "failed"), "0",
                most=0, digits=0, **common),
        Measure("mold: reload of 4 workers", "s", each(reloads, "took"),
                f"≤ {bound:.1f}: 1.2 × (one boot + {CANARY:.0f} s canary)", most=bound, digits=1,
                **common)]
