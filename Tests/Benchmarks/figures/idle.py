"""The wakeups per second and the processor time of an idle master."""
import time

from harness import peers, servers
from harness.processes import Program, descendants, processor_seconds, wakeups
from harness.results import Measure

TITLE = "Idle"
SECONDS = 10


def of_masters(pid, workers, seconds):
    """Returns (wakeups per second, percent of a processor) of all processes except the workers."""
    masters = [pid, *(child for child in descendants(pid) if child not in workers)]
    before = sum(map(wakeups, masters)), sum(map(processor_seconds, masters)), time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - before[2]
    return ((sum(map(wakeups, masters)) - before[0]) / took,
            100 * (sum(map(processor_seconds, masters)) - before[1]) / took)


def generic(run, command, workers, settle=3, stop=15):
    with run.scratch() as (folder, stamps):
        with Program(command(folder, stamps.path), folder, {"STAMP_FILE": stamps.path},
                     stop) as program:
            program.wait_until(lambda: stamps.count() >= workers, f"{workers} workers run", 120)
            time.sleep(settle)
            return of_masters(program.pid, {pid for pid, _ in stamps.of_kind(0)},
                              4 if run.quick else SECONDS)


def server_idle(run, server):
    with run.scratch() as (folder, stamps):
        with server.start(run, folder, stamps, workers=4, boot=0) as (program, _):
            program.wait_until(lambda: stamps.count(1) >= 4, "the workers are ready")
            time.sleep(3)
            workers = {pid for pid, _ in stamps.of_kind(0)}
            below = {child for worker in workers for child in descendants(worker)}
            return of_masters(program.pid, workers | below, 4 if run.quick else SECONDS)


def measure(run):
    stamp = run.program("stamp")

    def ours(workers, *options):
        return lambda: generic(run, lambda _, file: peers.supervise(
            run, workers, [stamp, file], "--ready", "exec", "--stable-after", "0", *options),
            workers, settle=6)

    subjects = {"supervise": ours(4)}
    for peer in peers.generic(run, 4):
        subjects[peer.name] = lambda peer=peer: generic(
            run, lambda folder, file: peer.command(peer.path(), folder, 4, [stamp, file]), 4,
            stop=peer.stop)
    for server in servers.installed(run):
        if not server.is_ours and not server.runs_any_command:
            subjects[server.name] = lambda server=server: server_idle(run, server)
    samples = run.rounds(subjects, run.repetitions(3, 1))
    capped = run.rounds({"supervise": ours(1000, "--max-rss", "1G")}, run.repetitions(3, 1))

    def each(samples, place):
        return {name: [sample[place] for sample in values] for name, values in samples.items()}

    return [
        Measure("idle, 4 workers: wakeups", "/s", each(samples, 0), "0", most=0),
        Measure("1,000 workers with RSS caps: wakeups", "/s", each(capped, 0), "≤ 1", most=1.05),
        Measure("1,000 workers with RSS caps: processor", "%", each(capped, 1), "≤ 1 %", most=1)]
