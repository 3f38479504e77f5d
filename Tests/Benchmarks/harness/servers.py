"""The servers that are measured under load: peers that are their own supervisors, and two servers
under supervise. All serve a program of the directory `apps`."""
import contextlib
import dataclasses
import os
import signal
import socket
import subprocess

from . import bench, fastcgi, peers
from .processes import Program, wait_until

APPS = bench.HERE / "apps"


def environment(stamps, boot):
    """Returns the environment that the programs of the directory `apps` read."""
    return {"STAMP_FILE": stamps.path, "BOOT_SECONDS": str(boot), "PYTHONPATH": str(APPS)}


@dataclasses.dataclass
class Server:
    name: str
    program: str  # the program that must be installed
    command: object  # (path, folder, port, workers, limits) -> the command line
    recycles: bool = True  # whether it recycles after a number of requests
    seconds_to_recycle: float = 0  # for servers that recycle by age: the duration
    runs_any_command: bool = False  # for servers that are also a peer of peers.py
    # (folder, number): makes a request, for a worker that loads its program at its first request
    ask: object = None
    reload: object = signal.SIGHUP  # a signal, a function of the directory, or None
    stop: int = signal.SIGTERM
    workers: int = None  # set if it can run only this number
    worker: tuple = ()  # for supervise: the command of one worker on descriptor 3

    def path(self):
        return peers.find(self.program)

    @property
    def is_ours(self):
        return self.name.startswith("supervise")

    @contextlib.contextmanager
    def start(self, run, folder, stamps, workers, boot, limits=None, extra=()):
        """Yields the program and its port. `limits` is (max-requests, jitter)."""
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        path = run.supervise if self.is_ours else self.path()
        words = [*self.command(path, folder, port, self.workers or workers, limits), *extra]
        if self.is_ours and extra:
            words = self.command(path, folder, port, workers, limits)
            words[1:1] = extra
        with Program(words, folder, environment(stamps, boot), self.stop) as program:
            for number in range(workers):
                self.load_program(folder, number)
            yield program, port

    def load_program(self, folder, number):
        """Makes a worker load its program if it does not do so by itself."""
        if self.ask:
            self.ask(folder, number)

    def begin_reload(self, program, folder):
        if callable(self.reload):
            self.reload(folder)
        else:
            program.signal(self.reload)


def _limited(words, limits, most, jitter):
    if limits is None:
        return words
    return words + [most, limits[0], jitter, limits[1]]


def _gunicorn(path, folder, port, workers, limits):
    return [path, *_limited(["--bind", f"127.0.0.1:{port}", "--workers", workers], limits,
                            "--max-requests", "--max-requests-jitter"), "shop:application"]


def _uwsgi(path, folder, port, workers, limits):
    return _limited(
        [path, "--master", "--processes", workers, "--http-socket", f"127.0.0.1:{port}",
         "--lazy-apps", "--wsgi-file", APPS / "shop.py", "--disable-logging", "--listen", 100],
        limits, "--max-requests", "--max-requests-delta")


def _uvicorn(path, folder, port, workers, limits):
    return _limited([path, "shop:app", "--port", port, "--workers", workers, "--no-access-log"],
                    limits, "--limit-max-requests", "--limit-max-requests-jitter")


def _hypercorn(path, folder, port, workers, limits):
    return _limited([path, "--bind", f"127.0.0.1:{port}", "--workers", workers], limits,
                    "--max-requests", "--max-requests-jitter") + ["shop:app"]


def _granian(path, folder, port, workers, limits):
    # It recycles only by age, and its minimum is one minute.
    age = ["--workers-lifetime", 60] if limits else []
    return [path, "--interface", "wsgi", "--host", "127.0.0.1", "--port", port, "--workers",
            workers, *age, "shop:application"]


def _starman(path, folder, port, workers, limits):
    most = ["--max-requests", limits[0]] if limits else []
    return [path, "--listen", f"127.0.0.1:{port}", "--workers", workers, *most, APPS / "app.psgi"]


def _puma(path, folder, port, workers, limits):
    return [path, "-w", workers, "-t", "1:1", "-b", f"tcp://127.0.0.1:{port}", APPS / "config.ru"]


def _unicorn(path, folder, port, workers, limits):
    config = peers.write(folder, "unicorn.rb", f"worker_processes {workers}\npreload_app false\n")
    return [path, "-l", f"127.0.0.1:{port}", "-c", config, "-E", "none", APPS / "config.ru"]


def _php_fpm(path, folder, port, workers, limits):
    # One pool per worker, so that a request reaches a specific worker. The master has the same size
    # as with one pool.
    pools = "".join(f"""[{number}]
listen = {folder}/{number}.socket
pm = static
pm.max_children = 1
clear_env = no
""" for number in range(workers))
    config = peers.write(folder, "php-fpm.conf", f"[global]\nerror_log = {folder}/errors\n{pools}")
    return [path, "--nodaemonize", "--allow-to-run-as-root", "--fpm-config", config]


def _ask_php_fpm(folder, number):
    path = f"{folder}/{number}.socket"
    wait_until(lambda: os.path.exists(path), "php-fpm listens")
    try:
        fastcgi.ask(path, APPS / "shop.php")
    except ConnectionError:
        # A worker that is being killed can still accept a request, which is then lost.
        fastcgi.ask(path, APPS / "shop.php")


def _start_server(path, folder, port, workers, limits):
    # It runs one server, which finds its descriptor in SERVER_STARTER_PORT.
    worker = f'exec python3 {APPS}/light.py "${{SERVER_STARTER_PORT##*=}}"'
    return [path, f"--port=127.0.0.1:{port}", "--", "sh", "-c", worker]


def _einhorn(path, folder, port, workers, limits):
    return [path, *peers.einhorn_files(folder), "--number", workers, "--bind",
            f"127.0.0.1:{port}", "--", "sh", "-c", f'exec python3 {APPS}/light.py "$EINHORN_FD_0"']


def _circus(path, folder, port, workers, limits):
    config = f"""[circus]
endpoint = ipc://{folder}/endpoint
pubsub_endpoint = ipc://{folder}/pubsub
[watcher:web]
cmd = python3 {APPS}/light.py $(circus.sockets.web)
numprocesses = {workers}
use_sockets = True
copy_env = True
[socket:web]
host = 127.0.0.1
port = {port}
"""
    return [path, peers.write(folder, "circus.ini", config)]


def _reload_circus(folder):
    subprocess.Popen([peers.find("circusctl"), "--endpoint", f"ipc://{folder}/endpoint", "reload",
                      "web"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _ours(name, program, *worker):
    def command(path, folder, port, workers, limits):
        return _limited(
            [path, "--bind", f"127.0.0.1:{port}", "--workers", workers, "--control", "none"],
            limits, "--max-requests", "--max-requests-jitter") + ["--", *worker]
    return Server(f"supervise, {name}", program, command, worker=worker)


def _all():
    uvicorn = peers.find("uvicorn") or "uvicorn"
    return [
        _ours("uvicorn", "uvicorn", uvicorn, "shop:app", "--fd", "3", "--no-access-log"),
        _ours("light", "python3", "python3", APPS / "light.py", "3"),
        Server("gunicorn", "gunicorn", _gunicorn),
        Server("uWSGI", "uwsgi", _uwsgi, stop=signal.SIGINT),
        Server("uvicorn", "uvicorn", _uvicorn),
        Server("hypercorn", "hypercorn", _hypercorn),
        Server("granian", "granian", _granian, seconds_to_recycle=75),
        Server("starman", "starman", _starman),
        Server("puma", "puma", _puma, recycles=False, reload=signal.SIGUSR1),
        Server("unicorn", "unicorn", _unicorn, recycles=False),
        Server("php-fpm", "php-fpm", _php_fpm, recycles=False, reload=None, ask=_ask_php_fpm),
        Server("start_server (1 worker)", "start_server", _start_server, recycles=False, workers=1,
               runs_any_command=True),
        Server("einhorn", "einhorn", _einhorn, recycles=False, runs_any_command=True),
        Server("circus", "circusd", _circus, recycles=False, reload=_reload_circus,
               runs_any_command=True),
    ]


def installed(run):
    missing = [server.name for server in _all() if not server.path()]
    if missing:
        run.say(f"  not installed here (install-peers): {', '.join(missing)}")
    return [server for server in _all() if server.path()]
