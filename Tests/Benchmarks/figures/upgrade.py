"""An upgrade in place: the duration of `supervise upgrade`, until the new program runs."""
import signal
import subprocess
import time

from harness import peers
from harness.processes import Program
from harness.results import Measure

TITLE = "Upgrade in place"


def seconds(run, workers):
    stamp = run.program("stamp")
    with run.scratch() as (folder, stamps):
        control = f"{folder}/control"
        command = peers.supervise(run, workers, [stamp, stamps.path], "--ready", "exec",
                                  "--control", control)
        with Program(command, folder, stop=signal.SIGQUIT, stop_seconds=60) as program:
            program.wait_until(lambda: stamps.count() >= workers, f"{workers} workers run", 120)
            time.sleep(2.5)
            begun = time.monotonic()
            subprocess.run([run.supervise, "upgrade", "--control", control], check=True,
                           stdout=subprocess.DEVNULL)
            took = time.monotonic() - begun
            if stamps.count() > workers:
                raise RuntimeError("workers were replaced")
            return took


def measure(run):
    return [
        Measure(f"upgrade in place, {workers:,} workers", "s",
                run.rounds({"supervise": lambda workers=workers: seconds(run, workers)},
                           run.repetitions(5, 2)), digits=3)
        for workers in (4, 1000)]
