"""The peers that run any command, with the configuration that makes each keep N workers.

Peers that are not installed are skipped; install-peers installs those that are available.
"""
import dataclasses
import os
import pathlib
import shlex
import shutil
import signal

from . import bench

FOLDERS = [bench.ROOT / ".build/peers/bin"]


def find(name):
    """Returns the path of a program, or None. The name of Debian's php-fpm contains its version."""
    path = os.pathsep.join([*map(str, FOLDERS), os.environ.get("PATH", ""), "/usr/sbin"])
    versions = [file.name for folder in path.split(os.pathsep)
                for file in pathlib.Path(folder or ".").glob(f"{name}[0-9]*")]
    found = (shutil.which(each, path=path) for each in [name, *sorted(versions, reverse=True)])
    return next(filter(None, found), None)


def write(folder, name, text, mode=0o644):
    path = pathlib.Path(folder, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return str(path)


@dataclasses.dataclass
class Generic:
    """A supervisor of any command."""
    name: str
    program: str  # the program that must be installed
    command: object  # (path, folder, workers, worker) -> the command line
    most_workers: int = 10_000  # the highest number of workers that it is measured with
    pause: float = 0.3  # seconds between two kills, so that it does not detect a crash loop
    stop: int = signal.SIGTERM

    def path(self):
        return find(self.program)


def _multiwatch(path, folder, workers, worker):
    # It stops replacing a worker that ended three times within this many milliseconds.
    return [path, "-f", workers, "-t", 1, "--", *worker]


def _start_server(path, folder, workers, worker):
    # It keeps one worker and requires an address.
    return [path, "--interval=0", f"--path={folder}/socket", "--", *worker]


def einhorn_files(folder):
    """A directory for files that two instances of einhorn would otherwise share in /tmp."""
    return ["--socket-path", f"{folder}/einhorn.sock", "--pidfile", f"{folder}/einhorn.pid",
            "--lockfile", f"{folder}/einhorn.lock"]


def _einhorn(path, folder, workers, worker):
    return [path, *einhorn_files(folder), "--number", workers, "--", *worker]


def _supervisord(path, folder, workers, worker):
    config = f"""[supervisord]
nodaemon=true
logfile={folder}/supervisord.log
pidfile={folder}/supervisord.pid
minfds=16384
[program:worker]
command={shlex.join(worker)}
process_name=%(process_num)05d
numprocs={workers}
startsecs=0
autorestart=true
"""
    return [path, "-n", "-c", write(folder, "supervisord.conf", config)]


def _circus(path, folder, workers, worker):
    config = f"""[circus]
endpoint = ipc://{folder}/endpoint
pubsub_endpoint = ipc://{folder}/pubsub
stats_endpoint = ipc://{folder}/stats
[watcher:worker]
cmd = {shlex.join(worker)}
numprocesses = {workers}
warmup_delay = 0
copy_env = True
"""
    return [path, write(folder, "circus.ini", config)]


def _s6(path, folder, workers, worker):
    for number in range(workers):
        write(folder, f"services/{number:05d}/run", f"#!/bin/sh\nexec {shlex.join(worker)}\n", 0o755)
    return [path, f"-c{workers + 8}", f"{folder}/services"]


def _uwsgi(path, folder, workers, worker):
    # worker-exec takes no arguments: the worker finds its file in the environment.
    return [path, "--master", "--processes", workers, "--socket", f"{folder}/socket",
            "--worker-exec", worker[0]]


GENERIC = [
    Generic("multiwatch", "multiwatch", _multiwatch, pause=0.15),
    Generic("start_server", "start_server", _start_server, most_workers=1),
    Generic("einhorn", "einhorn", _einhorn, pause=1.5),
    Generic("supervisord", "supervisord", _supervisord, most_workers=1000, pause=2.2),
    Generic("circus", "circusd", _circus, most_workers=200, pause=3),
    Generic("s6", "s6-svscan", _s6, most_workers=1000, pause=2.2),
    Generic("uWSGI", "uwsgi", _uwsgi, most_workers=200, pause=1.5, stop=signal.SIGINT),
]


def generic(run, workers=1):
    """Returns the installed peers that can run this many workers, and reports the missing ones."""
    found = [peer for peer in GENERIC if peer.path() and peer.most_workers >= workers]
    missing = [peer.name for peer in GENERIC if not peer.path()]
    if missing:
        run.say(f"  not installed here (install-peers): {', '.join(missing)}")
    return found


def supervise(run, workers, worker, *options):
    """Returns supervise without the features that a measurement does not need."""
    return [run.supervise, "--workers", workers, "--control", "none", *options, "--", *worker]
