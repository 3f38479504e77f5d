"""Many workers: the private memory and descriptors of the master per worker, at 4, at 1,000 and at
the limit of this machine (at most 10,000). The workers are started, recycled and reloaded."""
import os
import resource
import signal
import time

from harness import peers
from harness.processes import Program, descriptors, private_bytes, processor_seconds
from harness.results import Measure

TITLE = "Many workers"
MOST = 10_000


def raise_limits():
    """Raises the descriptor limit to its maximum. Returns it."""
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (1 << 17, 1 << 17))
    except (ValueError, OSError):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def as_many_as_possible(run):
    files = raise_limits()
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    with open("/proc/sys/kernel/pid_max") as file:
        numbers = int(file.read())
    bounds = {"descriptors": (files - 100) // 2, "process numbers": numbers // 2, "asked": MOST}
    if processes != resource.RLIM_INFINITY:
        bounds["processes"] = processes * 3 // 4
    least = min(bounds, key=bounds.get)
    run.say(f"  as many as {bounds[least]:,} workers (bound by: {least})")
    return bounds[least]


def wait_for(program, stamps, count, what):
    program.wait_until(lambda: os.path.getsize(stamps.path) >= 24 * count, what, 300, pause=0.05)
    return max(at for _, at in stamps.of_kind(0)[:count])


def scale(run, workers, replace):
    """Starts this many workers, recycles all and reloads. Returns the durations and the master's
    size."""
    stamp = run.program("stamp")
    with run.scratch() as (folder, stamps):
        control = f"{folder}/control"
        command = [run.supervise, "--workers", workers, "--control", control, "--ready", "exec",
                   "--max-unavailable", "10%", "--stable-after", "1s", "--log-level", "warning",
                   "--", stamp, stamps.path]
        begun = time.monotonic_ns()
        with Program(command, folder, stop=signal.SIGQUIT, stop_seconds=60) as program:
            started = (wait_for(program, stamps, workers, "all run") - begun) / 1e9
            time.sleep(2.5)
            figures = {"start": started, "private": private_bytes(program.pid),
                       "descriptors": descriptors(program.pid),
                       "start_cpu": processor_seconds(program.pid)}
            if replace:
                begun = time.monotonic_ns()
                with Program([run.supervise, "recycle", "all", "--control", control],
                             os.path.dirname(stamps.path)) as asking:
                    asking.process.wait(60)
                figures["recycle"] = (wait_for(
                    program, stamps, 2 * workers, "all recycled") - begun) / 1e9
                time.sleep(2.5)
                begun = time.monotonic_ns()
                program.signal(signal.SIGHUP)
                figures["reload"] = (wait_for(
                    program, stamps, 3 * workers, "all reloaded") - begun) / 1e9
            return figures


def measure(run):
    most = as_many_as_possible(run)
    few = run.rounds({"supervise": lambda: scale(run, 4, False)}, run.repetitions(3, 1))
    some = run.rounds({"supervise": lambda: scale(run, 1000, False)}, run.repetitions(3, 1))
    many = run.rounds({"supervise": lambda: scale(run, most, True)}, run.repetitions(2, 1))
    if not all("supervise" in sample for sample in (few, some, many)):
        return []

    def per_worker(key, samples, workers):
        return {"supervise": [(sample[key] - few["supervise"][0][key]) / (workers - 4)
                              for sample in samples["supervise"]]}

    def each(key):
        return {"supervise": [sample[key] for sample in many["supervise"]]}

    return [
        Measure("private memory per worker beyond 4, at 1,000", "bytes",
                per_worker("private", some, 1000), "≤ 1,024", most=1024, digits=0),
        Measure(f"private memory per worker beyond 4, at {most:,}", "bytes",
                per_worker("private", many, most), "≤ 1,024", most=1024, digits=0),
        Measure("descriptors per worker, no listener", "", per_worker("descriptors", many, most),
                digits=2),
        Measure(f"start of {most:,} workers", "s", each("start"), digits=1),
        Measure(f"recycling all {most:,}, a tenth at a time", "s", each("recycle"), digits=1),
        Measure(f"reload of {most:,}, a tenth at a time", "s", each("reload"), digits=1)]
