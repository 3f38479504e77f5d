"""Measures the master's cost of a memory sample of a worker.

    swift build -c release && python3 Tests/Benchmarks/memory.py [--workers 1000] [--seconds 5]

Runs pools of idle workers (sleep) with caps that they never reach and a memory-interval of 100 ms.
Divides the processor time of the master by its samples. The kernel counts these: each is one read
call (`syscr` in proc_pid_io(5)). The figure for 10,000 workers is measured only with --workers
10000; otherwise it is the figure of one worker times 10,000, and labelled so.
"""
import argparse, os, signal, subprocess, sys, tempfile, time

from harness.processes import children, processor_seconds, resident_bytes

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--workers", type=int, default=1000)
parser.add_argument("--seconds", type=float, default=5)
parser.add_argument("--program", default=os.path.join(ROOT, ".build/release/supervise"))
options = parser.parse_args()


def reads(pid):
    with open(f"/proc/{pid}/io") as file:
        return int(dict(line.split(": ") for line in file)["syscr"])


def measure(name, settings, command):
    errors = tempfile.TemporaryFile()
    master = subprocess.Popen(
        [options.program, "--workers", str(options.workers), "--ready", "exec",
         "--memory-interval", "100ms", "--graceful-timeout", "2s", *settings, "--", *command],
        stderr=errors)
    try:
        deadline = time.monotonic() + 120
        while len(children(master.pid)) < options.workers:
            if master.poll() is not None or time.monotonic() > deadline:
                errors.seek(0)
                sys.exit("the workers did not start:\n" + errors.read().decode()[-2000:])
            time.sleep(0.1)
        time.sleep(2)
        cpu, count, start = processor_seconds(master.pid), reads(master.pid), time.monotonic()
        time.sleep(options.seconds)
        cpu, count = processor_seconds(master.pid) - cpu, reads(master.pid) - count
        seconds = time.monotonic() - start
        rounds = count / options.workers
        print(f"{name:42} {count:9} samples, {rounds / seconds:5.1f} rounds/s, "
              f"{1e6 * cpu / max(count, 1):6.2f} µs per sample, "
              f"{100 * cpu / seconds:5.1f} % of a processor")
        return 1e6 * cpu / max(count, 1)
    finally:
        master.send_signal(signal.SIGTERM)
        master.wait()


def resident(command):
    """Returns the resident size of one worker, in bytes."""
    process = subprocess.Popen(command)
    time.sleep(0.3)
    size = resident_bytes(process.pid)
    process.kill()
    process.wait()
    return size


# The resident sizes of equal processes differ by a few pages.
cap = str(resident(["sleep", "100000"]) + 64 * 1024)
near = ["--memory-scope", "process", "--max-rss", cap, "--memory-samples", "1000"]
far = ["--memory-scope", "process", "--max-rss", "1G"]
tree = ["--memory-scope", "tree", "--max-rss", "1G"]
each = measure("a process, far from its cap (long gaps)", far, ["sleep", "100000"])
measure("a process, near its cap (each interval)", near, ["sleep", "100000"])
measure("a tree of one, far from its cap", tree, ["sleep", "100000"])
what = "measured" if options.workers == 10_000 else f"from the figure of {options.workers}"
print(f"10,000 workers: {each * 10_000 / 1000:.1f} ms per round ({what})")
