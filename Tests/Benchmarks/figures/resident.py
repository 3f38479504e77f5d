"""The memory of a master with four workers: resident, and private, which is the cost of a second
master. A supervisor that is a tree of processes (s6) counts all of them except the workers."""
import time

from harness import peers, servers
from harness.processes import Program, descendants, private_bytes, resident_bytes
from harness.results import Measure

TITLE = "Memory of the master"
WORKERS = 4


def memory(run, command, workers=WORKERS, stop=15):
    """Returns (resident, private) MB of all processes except the workers."""
    with run.scratch() as (folder, stamps):
        with Program(command(folder, stamps.path), folder, {"STAMP_FILE": stamps.path},
                     stop) as program:
            program.wait_until(lambda: stamps.count() >= workers, f"{workers} workers run")
            time.sleep(1)
            theirs = {pid for pid, _ in stamps.of_kind(0)}
            return of_masters(program.pid, theirs)


def of_masters(pid, workers):
    masters = [pid, *(child for child in descendants(pid) if child not in workers)]
    return (sum(map(resident_bytes, masters)) / 1e6, sum(map(private_bytes, masters)) / 1e6)


def memory_of_server(run, server):
    with run.scratch() as (folder, stamps):
        with server.start(run, folder, stamps, workers=WORKERS, boot=0) as (program, _):
            program.wait_until(lambda: stamps.count(1) >= WORKERS, "the workers are ready")
            time.sleep(1)
            below = {child for worker, _ in stamps.of_kind(0) for child in descendants(worker)}
            return of_masters(program.pid, below | {pid for pid, _ in stamps.of_kind(0)})


def measure(run):
    stamp, floor = run.program("stamp"), run.program("floor")
    subjects = {
        "posix_spawn in a loop": lambda: memory(
            run, lambda _, file: [floor, "spawn", WORKERS, stamp, file]),
        "supervise": lambda: memory(
            run, lambda _, file: peers.supervise(run, WORKERS, [stamp, file], "--ready", "exec"))}
    for peer in peers.generic(run):
        if peer.most_workers >= WORKERS:
            subjects[peer.name] = lambda peer=peer: memory(
                run, lambda folder, file: peer.command(peer.path(), folder, WORKERS, [stamp, file]),
                stop=peer.stop)
    for server in servers.installed(run):
        if not server.is_ours and not server.runs_any_command:
            subjects[server.name] = lambda server=server: memory_of_server(run, server)
    samples = run.rounds(subjects, run.repetitions(3))
    resident = {name: [sample[0] for sample in values] for name, values in samples.items()}
    private = {name: [sample[1] for sample in values] for name, values in samples.items()}
    aside = ("posix_spawn in a loop",)
    return [
        Measure("master resident, 4 workers", "MB", resident, "≤ 9 MB", most=9, digits=1,
                not_peers=aside, note="among the peers, multiwatch, start_server, einhorn, "
                "supervisord, s6 and circus do not recycle by requests"),
        Measure("master private, 4 workers", "MB", private, "≤ 1.5 MB", most=1.5, digits=1,
                not_peers=aside)]
