"""What the master is put through. A scenario raises `Broken` when its guarantee does not hold."""

import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import threading
import time

PATIENCE = 20


class Broken(Exception):
    """The guarantee of the scenario does not hold."""


class Refused(Broken):
    """A command failed, and said so."""


class EarlyExit(Exception):
    """The master ended before it was asked to."""


class Load(threading.Thread):
    """A client that opens a connection for each request, and remembers each failure."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.port, self.failures, self.answered = port, [], 0
        self.over = threading.Event()

    def run(self):
        while not self.over.wait(0.004):
            try:
                request(self.port)
                self.answered += 1
            except OSError as error:
                self.failures.append(repr(error))

    def end(self):
        self.over.set()
        self.join(PATIENCE)
        if self.failures:
            raise Broken(f"{len(self.failures)} failed requests: {self.failures[0]}")


def request(port, path="/"):
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
        client.settimeout(PATIENCE)
        client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        answer = b""
        while data := client.recv(65536):
            answer += data
    if b" 200 " not in answer.split(b"\r\n", 1)[0]:
        raise OSError(f"answered {answer[:60]!r}")
    return answer


class Master:
    """One master under test in a directory of its own."""

    def __init__(self, programs, folder, port, tracer):
        self.programs, self.folder, self.port = programs, pathlib.Path(folder), port
        self.tracer = tracer
        self.environment = {
            "PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": folder, "FAULTS": folder}
        self.process = None

    @property
    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def configure(self, text):
        (self.folder / "app.conf").write_text(text)

    def start(self, *arguments, config=None, ready=True, workers=2):
        if config is not None:
            self.configure(config)
            arguments = ("--config", self.folder / "app.conf", *arguments)
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(
            [*self.tracer, self.programs.supervise, "--control", self.folder / "c.sock",
             "--log-format", "json", "--graceful-timeout", "8s", *arguments],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment)
        log.close()
        if ready:
            self.until(self.answers, "the service answers")
            self.until(lambda: len(self.pids()) == workers, "all workers run")
        return self

    def serve(self, *arguments, workers=2):
        return self.start(
            "--workers", str(workers), "--bind", f"127.0.0.1:{self.port}", *arguments, "--",
            *self.programs.worker, workers=workers)

    def answers(self):
        try:
            return request(self.port)
        except OSError:
            return None

    def until(self, condition, what, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if value := condition():
                return value
            if self.process.poll() is not None:
                raise EarlyExit(self.process.returncode)
            time.sleep(0.01)
        raise Broken(f"not within {seconds} s: {what}")

    def command(self, *arguments, seconds=PATIENCE):
        try:
            return subprocess.run(
                [self.programs.supervise, *arguments, "--control", self.folder / "c.sock"],
                env=self.environment, capture_output=True, text=True, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise Broken(f"supervise {arguments[0]} does not end") from None

    def succeed(self, *arguments):
        done = self.command(*arguments)
        if done.returncode != 0:
            said = done.stderr.strip()[:200]
            kind = Refused if said and "invalid response" not in said else Broken
            raise kind(f"supervise {' '.join(arguments)}: {said}")
        return done.stdout

    def pids(self):
        """The pids of the running workers, from the kernel."""
        path = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        found = []
        for pid in open(path).read().split():
            try:
                if self.programs.worker[-1] in open(f"/proc/{pid}/cmdline").read():
                    found.append(int(pid))
            except OSError:
                continue
        return found

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, number=signal.SIGTERM, code=0):
        if self.process.poll() is not None:
            raise EarlyExit(self.process.returncode)
        self.process.send_signal(number)
        try:
            ended = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise Broken("the stop does not end") from None
        if ended != code:
            raise Broken(f"the stop ended with {ended}")


def start(master):
    """A start serves, and a stop ends with 0."""
    master.serve()
    master.stop()


def recycle(master):
    """Recycling by requests under load fails no request."""
    master.serve("--max-requests", "25", "--max-requests-jitter", "0")
    first = set(master.pids())
    load = Load(master.port)
    load.start()
    master.until(lambda: master.pids() and not first & set(master.pids()), "all workers are new")
    load.end()
    master.stop()


def config(master, command, *lines):
    return "\n".join(
        [f"bind = 127.0.0.1:{master.port}", "workers = 2", *lines, f"command = {command}", ""])


def reload(master):
    """A reload replaces all workers and fails no request."""
    master.start(config=config(master, " ".join(master.programs.worker)))
    first = set(master.pids())
    load = Load(master.port)
    load.start()
    master.succeed("reload", "--wait")
    load.end()
    if first & set(master.pids()):
        raise Broken("a reload left old workers")
    master.stop()


def reload_broken(master):
    """A reload into a broken program is reported and changes nothing."""
    master.start(config=config(master, " ".join(master.programs.worker)))
    first = set(master.pids())
    load = Load(master.port)
    load.start()
    master.configure(config(master, "/bin/false", "boot-attempts = 1"))
    done = master.command("reload", "--wait")
    if done.returncode == 0:
        raise Broken("the broken reload succeeded")
    load.end()
    if first != set(master.pids()):
        raise Broken("the broken reload replaced workers")
    master.stop()


def reload_binds(master):
    """A reload with another address listens there, and no longer at the first."""
    master.start(config=config(master, " ".join(master.programs.worker)))
    other = master.port + 1
    master.configure(config(master, " ".join(master.programs.worker)).replace(
        str(master.port), str(other)))
    master.succeed("reload", "--wait")
    request(other)
    master.stop()


def crash(master):
    """A killed worker is replaced."""
    master.serve()
    killed = master.pids()[0]
    os.kill(killed, signal.SIGKILL)
    master.until(
        lambda: len(master.pids()) == 2 and killed not in master.pids(), "the worker is replaced")
    master.stop()


def crash_loop(master):
    """A program that never starts ends the master with 13 and the reason."""
    master.start("--boot-attempts", "2", "--", "/bin/false", ready=False)
    try:
        code = master.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise Broken("the crash loop does not end") from None
    if code != 13 or "startup-failed" not in master.log:
        raise Broken(f"the crash loop ended with {code}")


def memory(master):
    """A worker above its memory cap is replaced, and no request fails."""
    master.programs = master.programs.leaking()
    master.serve("--max-rss", "60M", "--memory-interval", "100ms", "--min-lifetime", "1s", workers=1)
    first = set(master.pids())
    load = Load(master.port)
    load.start()
    master.until(lambda: master.pids() and not first & set(master.pids()), "the worker is replaced")
    load.end()
    master.stop()


def stop_queue(master):
    """A stop serves the clients that wait in the accept queue."""
    master.serve(workers=1)
    worker = master.pids()[0]
    os.kill(worker, signal.SIGSTOP)
    answers = []

    def wait_for_answer():
        try:
            answers.append(request(master.port))
        except OSError as error:
            answers.append(repr(error))

    clients = [threading.Thread(target=wait_for_answer, daemon=True) for _ in range(5)]
    for client in clients:
        client.start()
    time.sleep(0.1)
    master.process.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    os.kill(worker, signal.SIGCONT)
    for client in clients:
        client.join(PATIENCE)
    if failed := [answer for answer in answers if isinstance(answer, str)]:
        raise Broken(f"a client in the queue: {failed[0]}")
    try:
        code = master.process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        raise Broken("the stop does not end") from None
    if code != 0:
        raise Broken(f"the stop ended with {code}")


def upgrade(master):
    """An upgrade in place keeps all workers and fails no request."""
    master.serve()
    first = set(master.pids())
    load = Load(master.port)
    load.start()
    master.succeed("upgrade")
    load.end()
    if first != set(master.pids()):
        raise Broken("the upgrade replaced workers")
    request(master.port)
    master.stop()


def monitor(master):
    """Status, metrics and events are served."""
    master.serve("--status-bind", f"127.0.0.1:{master.port + 1}")
    json.loads(master.succeed("status", "--json"))
    master.succeed("events")
    connection = http.client.HTTPConnection("127.0.0.1", master.port + 1, timeout=PATIENCE)
    try:
        for path in ["/metrics", "/status", "/"]:
            connection.request("GET", path)
            if connection.getresponse().read() == b"":
                raise Broken(f"{path} is empty")
    except (OSError, http.client.HTTPException) as error:
        raise Broken(f"{path}: {error!r}") from None
    finally:
        connection.close()
    master.stop()


ALL = [start, recycle, reload, reload_broken, reload_binds, crash, crash_loop, memory, stop_queue,
       upgrade, monitor]
